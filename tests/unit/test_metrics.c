#include "base/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

Test(metrics, shows_every_combination_at_zero_from_the_start)
{
	metrics_render(&page);
	cr_assert_not(page.cut);
#define COUNTER(id, name, a, b, unit, help)                                                        \
	cr_expect_eq(lines_that_begin(name "{") + lines_that_begin(name " "),                      \
		LABEL_##a##_COUNT * LABEL_##b##_COUNT, name);                                      \
	cr_expect_eq(lines_that_begin("# HELP " name " "), 1, name);                               \
	cr_expect_eq(lines_that_begin("# TYPE " name " "), 1, name);
#define GAUGE(id, name, a, b, unit, help) COUNTER(id, name, a, b, unit, help)
#define HISTOGRAM(id, name, a, help)                                                               \
	cr_expect_eq(lines_that_begin(name "_bucket{"),                                            \
		LABEL_##a##_COUNT *(METRICS_BUCKET_COUNT + 1), name);                              \
	cr_expect_eq(lines_that_begin(name "_sum"), LABEL_##a##_COUNT, name);                      \
	cr_expect_eq(lines_that_begin(name "_count"), LABEL_##a##_COUNT, name);
#define DELAY(id, name, a, help) HISTOGRAM(id, name, a, help)
#include "base/metrics.def"
	for (char *line = page.data; *line != '\0'; line = strchr(line, '\n') + 1)
		cr_expect(*line == '#' || strncmp(strchr(line, '\n') - 2, " 0", 2) == 0, "%.60s",
			line);
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
#include "base/metrics.def"
	cr_expect_eq(next_number, METRIC_CELLS, "%u", (unsigned)next_number);
	next_number = 0;
#define COUNTER(id, name, a, b, unit, help)                                                        \
	expect_filled(METRIC_##id, LABEL_##a##_COUNT, LABEL_##b##_COUNT);
#define GAUGE(id, name, a, b, unit, help) COUNTER(id, name, a, b, unit, help)
#define HISTOGRAM(id, name, a, help)                                                               \
	expect_filled(METRIC_##id, LABEL_##a##_COUNT, METRICS_BUCKET_COUNT + 2);
#define DELAY(id, name, a, help) HISTOGRAM(id, name, a, help)
#include "base/metrics.def"
}

Test(metrics, shows_what_was_counted_where_it_was_counted)
{
	metrics_add(METRIC_requests, LABEL_handler_REDIRECT, LABEL_code_302, 41);
	metrics_add(METRIC_requests, LABEL_handler_REDIRECT, LABEL_code_302, 1);
	metrics_set(METRIC_workers_alive, LABEL_program_SHORTEN, 0, -3);
	metrics_set(METRIC_segment_created, 0, 0, INT64_C(1700000000123000000));
	metrics_add(METRIC_links_created, 0, 0, UINT64_MAX);
	metrics_render(&page);
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
	metrics_render(&page);
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
	metrics_render(&page);
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"30\"} 0");
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"60\"} 1");
	expect_line("linkshrink_click_delay_seconds_bucket{le=\"300\"} 2");
	expect_line("linkshrink_click_delay_seconds_count 2");
}

Test(metrics, writes_a_page_that_promtool_accepts)
{
	if (system("command -v promtool >/dev/null 2>&1") != 0)
		cr_skip_test("promtool is not installed");
	metrics_observe(METRIC_request_duration, LABEL_handler_SHORTEN, 3);
	metrics_render(&page);
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
}
