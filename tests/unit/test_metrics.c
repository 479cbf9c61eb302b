#include "base/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/edge.h"
#include "base/segment.h"

static struct text page;

static void setup(void)
{
	page = text_growing(1 << 20);
}

static void cleanup(void)
{
	text_free(&page);
}

TestSuite(metrics, .init = setup, .fini = cleanup);

/* How many lines of the page begin so. */
static unsigned lines_that_begin(const char *start)
{
	unsigned count = 0;
	for (const char *line = page.data; *line != '\0'; line = strchr(line, '\n') + 1)
		count += text_starts_with(line, start);
	return count;
}

static void expect_line(const char *line)
{
	char with_newline[256];
	snprintf(with_newline, sizeof(with_newline), "%s\n", line);
	cr_expect_eq(lines_that_begin(with_newline), 1, "%s", line);
}

/* How many series of a metric the page shows. */
static unsigned series_of(const char *name)
{
	char with_labels[128], bare[128];
	snprintf(with_labels, sizeof(with_labels), "%s{", name);
	snprintf(bare, sizeof(bare), "%s ", name);
	return lines_that_begin(with_labels) + lines_that_begin(bare);
}

Test(metrics, are_all_on_the_page_at_zero_from_the_start)
{
	static const struct edge nothing;
	metrics_render(&page, &nothing);
	cr_assert_not(page.cut);
#define COUNTER(id, name, a, b, unit, help)                                                        \
	cr_expect_gt(series_of(name), 0, name);                                                    \
	cr_expect_leq(series_of(name), LABEL_##a##_COUNT *LABEL_##b##_COUNT, name);                \
	cr_expect_eq(lines_that_begin("# HELP " name " "), 1, name);                               \
	cr_expect_eq(lines_that_begin("# TYPE " name " "), 1, name);
#define GAUGE(id, name, a, b, unit, help) COUNTER(id, name, a, b, unit, help)
#define EDGE(id, name, a, b, c, help)     cr_expect_gt(series_of(name), 0, name);
#define HISTOGRAM(id, name, a, help)                                                               \
	cr_expect_gt(series_of(name "_sum"), 0, name);                                             \
	cr_expect_eq(series_of(name "_count"), series_of(name "_sum"), name);                      \
	cr_expect_eq(series_of(name "_bucket"),                                                    \
		series_of(name "_sum") * (METRICS_BUCKET_COUNT + 1), name);
#define DELAY(id, name, a, help) HISTOGRAM(id, name, a, help)
#define SIZE(id, name, a, help)  HISTOGRAM(id, name, a, help)
#include "base/metrics.def"
	for (char *line = page.data; *line != '\0'; line = strchr(line, '\n') + 1)
		cr_expect(*line == '#' || strncmp(strchr(line, '\n') - 2, " 0", 2) == 0, "%.60s",
			line);
}

Test(metrics, are_few_enough_for_a_small_page)
{
	static const struct edge nothing;
	unsigned series = 0;
	metrics_render(&page, &nothing);
	for (char *line = page.data; *line != '\0'; line = strchr(line, '\n') + 1)
		series += *line != '#';
	cr_expect_leq(series, 1100, "%u", series);
}

Test(metrics, that_cannot_be_are_shown_when_they_were_counted_after_all)
{
	metrics_render(&page, NULL);
	cr_expect_eq(
		lines_that_begin("linkshrink_worker_requests_total{handler=\"qr\",code=\"201\"}"),
		0);
	cr_expect_eq(lines_that_begin("linkshrink_workers_alive{program=\"other\"}"), 0);
	cr_expect_eq(lines_that_begin("linkshrink_db_queries_total{program=\"metrics\""), 0);
	metrics_add(METRIC_requests, LABEL_handler_QR, LABEL_code_201, 1);
	metrics_set(METRIC_workers_alive, LABEL_program_OTHER, 0, 3);
	metrics_observe(METRIC_db_query_duration, LABEL_program_METRICS, 1);
	text_clear(&page);
	metrics_render(&page, NULL);
	expect_line("linkshrink_worker_requests_total{handler=\"qr\",code=\"201\"} 1");
	expect_line("linkshrink_workers_alive{program=\"other\"} 3");
	expect_line("linkshrink_db_query_duration_seconds_count{program=\"metrics\"} 1");
}

Test(metrics, shows_what_lighttpd_counted)
{
	struct edge edge = { 0 };
	edge.counts[LABEL_edge_REDIRECT][LABEL_method_GET][LABEL_code_302] = UINT64_C(5000000000);
	edge.counts[LABEL_edge_PAGE][LABEL_method_POST][LABEL_code_201] = 1;
	metrics_render(&page, &edge);
	expect_line(
		"http_requests_total{handler=\"redirect\",method=\"GET\",code=\"302\"} 5000000000");
	expect_line("http_requests_total{handler=\"redirect\",method=\"GET\",code=\"503\"} 0");
	expect_line("http_requests_total{handler=\"page\",method=\"POST\",code=\"201\"} 1");
	text_clear(&page);
	metrics_render(&page, NULL);
	cr_expect_eq(series_of("http_requests_total"), 0, "zeros would be a lie");
	cr_expect_eq(lines_that_begin("# TYPE http_requests_total"), 0);
}

static uint64_t next_number;

static void fill(enum metric metric, unsigned a_count, unsigned b_count)
{
	for (unsigned a = 0; a < a_count; a++)
		for (unsigned b = 0; b < b_count; b++)
			metrics_add(metric, a, b, ++next_number);
}

static void expect_filled(enum metric metric, unsigned a_count, unsigned b_count)
{
	for (unsigned a = 0; a < a_count; a++)
		for (unsigned b = 0; b < b_count; b++)
			cr_expect_eq(metrics_value(metric, a, b), ++next_number, "metric %d",
				(int)metric);
}

Test(metrics, gives_each_combination_a_cell_of_its_own)
{
#define COUNTER(id, name, a, b, unit, help) fill(METRIC_##id, LABEL_##a##_COUNT, LABEL_##b##_COUNT);
#define GAUGE(id, name, a, b, unit, help)   COUNTER(id, name, a, b, unit, help)
#define HISTOGRAM(id, name, a, help)        fill(METRIC_##id, LABEL_##a##_COUNT, METRICS_BUCKET_COUNT + 2);
#define DELAY(id, name, a, help)            HISTOGRAM(id, name, a, help)
#define SIZE(id, name, a, help)             HISTOGRAM(id, name, a, help)
#define EDGE(id, name, a, b, c, help)
#include "base/metrics.def"
	cr_expect_eq(next_number, METRIC_CELLS, "%u", (unsigned)next_number);
	next_number = 0;
#define COUNTER(id, name, a, b, unit, help)                                                        \
	expect_filled(METRIC_##id, LABEL_##a##_COUNT, LABEL_##b##_COUNT);
#define GAUGE(id, name, a, b, unit, help) COUNTER(id, name, a, b, unit, help)
#define HISTOGRAM(id, name, a, help)                                                               \
	expect_filled(METRIC_##id, LABEL_##a##_COUNT, METRICS_BUCKET_COUNT + 2);
#define DELAY(id, name, a, help) HISTOGRAM(id, name, a, help)
#define SIZE(id, name, a, help)  HISTOGRAM(id, name, a, help)
#define EDGE(id, name, a, b, c, help)
#include "base/metrics.def"
}

Test(metrics, shows_what_was_counted_where_it_was_counted)
{
	metrics_add(METRIC_requests, LABEL_handler_REDIRECT, LABEL_code_302, 41);
	metrics_add(METRIC_requests, LABEL_handler_REDIRECT, LABEL_code_302, 1);
	metrics_set(METRIC_workers_alive, LABEL_program_SHORTEN, 0, -3);
	metrics_set(METRIC_segment_created, 0, 0, INT64_C(1700000000123000000));
	metrics_add(METRIC_links_created, 0, 0, UINT64_MAX);
	metrics_render(&page, NULL);
	expect_line("linkshrink_worker_requests_total{handler=\"redirect\",code=\"302\"} 42");
	expect_line("linkshrink_workers_alive{program=\"shorten\"} -3");
	expect_line("linkshrink_segment_created_timestamp_seconds 1700000000.123");
	expect_line("linkshrink_links_created_total 18446744073709551615");
}

Test(metrics, puts_a_duration_into_the_bucket_whose_bound_it_does_not_exceed)
{
	static const uint64_t durations[] = { 0, 100000, 100001, 2500000000, 2500000001 };
	uint64_t sum = 0;
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		metrics_observe(METRIC_request_duration, LABEL_handler_SHORTEN, durations[i]);
		sum += durations[i];
	}
	cr_expect_eq(metrics_observations(METRIC_request_duration, LABEL_handler_SHORTEN), 5);
	cr_expect_eq(metrics_observations(METRIC_request_duration, LABEL_handler_REDIRECT), 0);
	metrics_render(&page, NULL);
#define NAME "linkshrink_worker_request_duration_seconds"
	expect_line(NAME "_bucket{handler=\"shorten\",le=\"0.0001\"} 2");
	expect_line(NAME "_bucket{handler=\"shorten\",le=\"0.00025\"} 3");
	expect_line(NAME "_bucket{handler=\"shorten\",le=\"1\"} 3");
	expect_line(NAME "_bucket{handler=\"shorten\",le=\"2.5\"} 4");
	expect_line(NAME "_bucket{handler=\"shorten\",le=\"+Inf\"} 5");
	expect_line(NAME "_count{handler=\"shorten\"} 5");
	expect_line(NAME "_sum{handler=\"shorten\"} 5.000200002");
	cr_expect_eq(sum, 5000200002);
}

Test(metrics, puts_a_delay_into_wider_buckets)
{
	metrics_observe(METRIC_click_delay, 0, 60 * UINT64_C(1000000000));
	metrics_observe(METRIC_click_delay, 0, 60 * UINT64_C(1000000000) + 1);
	metrics_render(&page, NULL);
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"30\"} 0");
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"60\"} 1");
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"300\"} 2");
	expect_line("linkshrink_click_delay_seconds_count 2");
}

Test(metrics, puts_a_size_into_buckets_of_whole_numbers)
{
	metrics_observe(METRIC_click_batch_size, 0, 1);
	metrics_observe(METRIC_click_batch_size, 0, 5001);
	metrics_render(&page, NULL);
	expect_line("linkshrink_click_batch_size_bucket{le=\"1\"} 1");
	expect_line("linkshrink_click_batch_size_bucket{le=\"5000\"} 1");
	expect_line("linkshrink_click_batch_size_bucket{le=\"10000\"} 2");
	expect_line("linkshrink_click_batch_size_sum 5002");
}

Test(metrics, writes_a_page_that_promtool_accepts)
{
	if (system("command -v promtool >/dev/null 2>&1") != 0)
		cr_skip_test("promtool is not installed");
	static const struct edge nothing;
	metrics_observe(METRIC_request_duration, LABEL_handler_SHORTEN, 3);
	metrics_render(&page, &nothing);
	FILE *promtool = popen("promtool check metrics", "w");
	cr_assert_not_null(promtool);
	fwrite(page.data, 1, page.len, promtool);
	cr_expect_eq(pclose(promtool), 0);
}

Test(metrics, sorts_statuses_and_programs_into_closed_sets)
{
	cr_expect_eq(metrics_code(200), LABEL_code_200);
	cr_expect_eq(metrics_code(503), LABEL_code_503);
	cr_expect_eq(metrics_code(418), LABEL_code_OTHER);
	cr_expect_eq(metrics_code(0), LABEL_code_OTHER);
	cr_expect_eq(metrics_code(-200), LABEL_code_OTHER);
	cr_expect_eq(metrics_program("redirect"), LABEL_program_REDIRECT);
	cr_expect_eq(metrics_program("nonsense"), LABEL_program_OTHER);
	cr_expect_eq(metrics_program(""), LABEL_program_OTHER);
	cr_expect_eq(metrics_edge("page"), LABEL_edge_PAGE);
	cr_expect_eq(metrics_edge("nonsense"), LABEL_edge_COUNT);
	cr_expect_eq(metrics_method("HEAD"), LABEL_method_HEAD);
	cr_expect_eq(metrics_method("BREW"), LABEL_method_COUNT);
	cr_expect_eq(metrics_class("57P01"), LABEL_class_57);
	cr_expect_eq(metrics_class("XX000"), LABEL_class_XX);
	cr_expect_eq(metrics_class("53100"), LABEL_class_53100);
	cr_expect_eq(metrics_class("53200"), LABEL_class_53);
	cr_expect_eq(metrics_class("53300"), LABEL_class_53);
	cr_expect_eq(metrics_class("531"), LABEL_class_53);
	cr_expect_eq(metrics_class("P0001"), LABEL_class_OTHER);
	cr_expect_eq(metrics_class(""), LABEL_class_NONE);
	cr_expect_eq(metrics_class(NULL), LABEL_class_NONE);
}
