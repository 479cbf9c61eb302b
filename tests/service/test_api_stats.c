/* The program api, statistics, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "service/api_call.h"

TestSuite(api_stats, .init = api_begin, .fini = api_end);

/* The statistics of a link by its id; query is "" or begins with '?'. */
static int ask(int64_t link, const char *query)
{
	char path[160];
	snprintf(path, sizeof(path), "/urls/%lld/stats%s", (long long)link, query);
	return api_call(HTTP_GET, path, NULL);
}

static void count_clicks(int64_t link, const char *hour, int n, int bots)
{
	api_sql("INSERT INTO click_counts VALUES (%lld, '%s', 1, %d, %d)", (long long)link, hour, n,
		bots);
	api_sql("INSERT INTO click_stats (link, day, dimension, value, node, n) "
		"VALUES (%lld, date '%.10s', 'browser', 'firefox', 1, %d)",
		(long long)link, hour, n - bots);
}

Test(api_stats, show_the_link_and_what_its_range_has)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link(",\"title\":\"Counted\"");
	count_clicks(link, "2026-11-22 23:00+00", 100, 0);
	count_clicks(link, "2026-11-23 05:00+00", 7, 2);
	cr_assert_eq(ask(link, "?from=2026-11-23T00:00:00Z&to=2026-11-25T00:00:00Z"), 200, "%s",
		api_body());
	cr_expect(api_says("\"title\":\"Counted\""));
	cr_expect_eq(api_number("click_count"), 107);
	cr_expect_eq(api_number("bot_count"), 2);
	cr_expect_eq(api_number("redirect"), 107);
	cr_expect(api_says("\"interval\":\"day\",\"from\":\"2026-11-23T00:00:00.000Z\","
			   "\"to\":\"2026-11-25T00:00:00.000Z\",\"series\":["
			   "{\"time\":\"2026-11-23T00:00:00.000Z\",\"clicks\":7,\"bots\":2},"
			   "{\"time\":\"2026-11-24T00:00:00.000Z\",\"clicks\":0,\"bots\":0}]"));
	cr_expect(api_says("\"browsers\":[{\"value\":\"firefox\",\"clicks\":5}]"));
	cr_expect(api_says("\"as_of\":null}"), "%s", api_body());
}

Test(api_stats, have_each_member_once)
{
	api_as(api_key(0, "*"));
	cr_assert_eq(ask(api_link(""), ""), 200);
	const char *first = strstr(api_body(), "\"click_count\"");
	cr_assert_not_null(first);
	cr_expect_null(strstr(first + 1, "\"click_count\""));
}

Test(api_stats, cover_thirty_days_unless_told_otherwise)
{
	char today[64], moment[CLOCK_TEXT];
	api_as(api_key(0, "*"));
	cr_assert_eq(ask(api_link(""), ""), 200);
	clock_format(clock_wall_ms(), moment);
	snprintf(today, sizeof(today),
		"{\"time\":\"%.10sT00:00:00.000Z\",\"clicks\":0,\"bots\":0}]", moment);
	cr_expect(api_says(today), "%s", api_body());
	unsigned points = 0;
	for (const char *at = api_body(); (at = strstr(at, "\"time\":")) != NULL; at++)
		points++;
	cr_expect_eq(points, 30);
}

Test(api_stats, refuse_ranges_that_are_none)
{
	static const char *const wrong[] = { "?from=yesterday", "?to=2026-13-01T00:00:00Z",
		"?interval=week",
		"?interval=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
		"?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z" };
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		cr_expect_eq(ask(link, wrong[i]), 400, "%s", wrong[i]);
		cr_expect(api_says("\"error\":\"invalid_query\""), "%s", wrong[i]);
	}
}

Test(api_stats, are_only_for_who_may_see_the_link)
{
	int64_t owner = api_user(), other = api_user();
	api_as(api_key(owner, "*"));
	int64_t link = api_link("");
	cr_expect_eq(ask(link, ""), 200);
	api_as(api_key(other, "*"));
	cr_expect_eq(ask(link, ""), 404);
	api_as(api_key(owner, "links:read"));
	cr_expect_eq(ask(link, ""), 403);
	api_as(NULL);
	cr_expect_eq(ask(link, ""), 401);
}

Test(api_stats, say_up_to_when_clicks_are_counted)
{
	api_as(api_key(0, "*"));
	metrics_set(METRIC_clicks_committed_until, 0, 0, INT64_C(1795471199123) * 1000000);
	cr_assert_eq(ask(api_link(""), ""), 200);
	cr_expect(api_says("\"as_of\":\"2026-11-23T21:59:59.123Z\"}"), "%s", api_body());
}
