/* The program api, events, in-process, on a real PostgreSQL. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "service/api_call.h"

TestSuite(api_events, .init = api_begin, .fini = api_end);

static int post(const char *type, int64_t link, const char *more)
{
	char json[512];
	snprintf(json, sizeof(json), "{\"event_type\":\"%s\",\"url_id\":%lld%s}", type,
		(long long)link, more);
	return api_call(HTTP_POST, "/events", json);
}

static const char *path_of(const char *format, int64_t id)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	struct text text = text_fixed(path, 128);
	const char *at = strchr(format, '#');
	text_add_bytes(&text, format, (size_t)(at - format));
	text_add_number(&text, id);
	text_add(&text, at + 1);
	return path;
}

/* A click as ingest stores it. */
static void click(int64_t link, const char *time)
{
	api_sql("INSERT INTO clicks (time, segment, position, link, status, referrer, browser, os, "
		"bot, "
		"prefetch, visitor) SELECT '%s', %lld, coalesce(max(position), 0) + 1, %lld, 302, "
		"'news.example', 'firefox', 'linux', false, false, 1 FROM clicks WHERE segment = "
		"%lld",
		time, (long long)link, (long long)link, (long long)link);
	api_sql("INSERT INTO click_counts VALUES (%lld, date_trunc('hour', timestamptz '%s'), 1, "
		"1, 0) "
		"ON CONFLICT (link, hour, node) DO UPDATE SET n = click_counts.n + 1",
		(long long)link, time);
}

Test(api_events, keep_what_clients_report)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	cr_assert_eq(post("qr_printed", link, ",\"details\":{\"copies\":3,\"where\":\"hall\"}"),
		201, "%s", api_body());
	int64_t id = api_number("id");
	cr_expect_eq(api_number("url_id"), link);
	cr_expect_eq(api_number("copies"), 3 /* jsonb puts a blank before it */);
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 200);
	cr_expect_str_eq(api_text("event_type"), "qr_printed");
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 200);
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 404);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 404);
}

/* PostgreSQL writes such a number with 301 digits. */
static const char *numbers(int count)
{
	static char json[256];
	struct text text = text_fixed(json, sizeof(json));
	text_add(&text, ",\"details\":{\"a\":[");
	for (int i = 0; i < count; i++)
		text_add(&text, i > 0 ? ",1e300" : "1e300");
	text_add(&text, "]}");
	return json;
}

Test(api_events, keep_no_details_that_are_too_long_where_they_are_stored)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	cr_expect_eq(post("x", link, numbers(13)), 201, "%s", api_body());
	cr_expect_eq(post("x", link, numbers(28)), 400, "%s", api_body());
	cr_expect(api_says("\"field\":\"details\""), "%s", api_body());
	cr_expect_eq(api_call(HTTP_GET, path_of("/events?url_id=#", link), NULL), 200);
	cr_expect_eq(api_number("total_items"), 2);
}

Test(api_events, are_listed_beyond_one_whose_details_are_too_long)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	int64_t id = api_sql_number("INSERT INTO events (type, link, details) VALUES ('x', %lld, "
				    "jsonb_build_object('a', repeat('a', 9000))) RETURNING id",
		(long long)link);
	cr_expect_eq(post("y", link, ""), 201);
	cr_expect_eq(api_call(HTTP_GET, path_of("/events?url_id=#", link), NULL), 200);
	cr_expect(api_says("\"x\"") && api_says("\"created\""), "%s", api_body());
	cr_expect(api_says("\"next\":null"), "%s", api_body());
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 200);
	cr_expect(api_says("\"details\":null"), "%s", api_body());
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 200);
}

Test(api_events, refuse_what_cannot_have_happened)
{
	char path[64];
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	cr_expect_eq(post("x", 99999999, ""), 404);
	cr_expect(api_says("url not found"));
	cr_expect_eq(post("x", link, ",\"user_id\":99999999"), 404);
	cr_expect(api_says("user not found"));
	cr_expect_eq(post("redirect", link, ""), 400);
	cr_expect_eq(post("Bad Type", link, ""), 400);
	cr_expect_eq(post("x", link, ",\"details\":[1]"), 400);
	cr_expect_eq(post("x", link, ",\"timestamp\":\"2020-01-01T00:00:00Z\""), 400);
	snprintf(path, sizeof(path), "/urls/%lld", (long long)link);
	api_call(HTTP_PUT, path, "{\"is_active\":false}");
	cr_expect_eq(post("x", link, ""), 400);
	cr_expect(api_says("\"error\":\"url is inactive\""));
}

Test(api_events, go_alone_though_another_has_the_same_id)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	api_as(api_key(api_user(), "*"));
	int64_t own = api_link("");
	cr_assert_eq(post("shared", own, ""), 201);
	int64_t id = api_number("id");
	api_sql("INSERT INTO events (id, time, type, link) VALUES "
		"(%lld, now() + interval '1 h', 'shared', %lld)",
		(long long)id, (long long)link);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 200, "%s", api_body());
	cr_expect_eq(api_sql_number("SELECT count(*) FROM events WHERE id = %lld AND link = %lld",
			     (long long)id, (long long)link),
		1);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 404);
}

Test(api_events, stay_where_they_are_clicks_of_an_import)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	int64_t id = api_sql_number("INSERT INTO events (type, link, time) VALUES ('redirect', "
				    "%lld, '2025-01-02 03:04:05.6Z') RETURNING id",
		(long long)link);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 409, "%s", api_body());
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 200);
}

Test(api_events, show_clicks_in_the_same_feed)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	click(link, "2999-01-01 00:00:01Z");
	click(link, "2999-01-01 00:00:02Z");
	cr_assert_eq(api_call(HTTP_GET, path_of("/urls/#/events?per_page=1", link), NULL), 200,
		"%s", api_body());
	cr_expect_eq(api_number("total_items"), 3);
	cr_expect_str_eq(api_text("event_type"), "redirect");
	cr_expect_str_eq(api_text("timestamp"), "2999-01-01T00:00:02.000Z");
	cr_expect(api_says("news.example"));
	int64_t id = api_number("id");
	char next[128];
	snprintf(next, sizeof(next), "/urls/%lld/events?per_page=1&after=%s", (long long)link,
		api_text("next"));
	cr_expect_eq(api_call(HTTP_GET, next, NULL), 200);
	cr_expect_str_eq(api_text("timestamp"), "2999-01-01T00:00:01.000Z");
	snprintf(next, sizeof(next), "/urls/%lld/events?per_page=1&after=%s", (long long)link,
		api_text("next"));
	cr_expect_eq(api_call(HTTP_GET, next, NULL), 200);
	cr_expect_str_eq(api_text("event_type"), "created");
	cr_expect(api_says("\"next\":null"));
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 200);
	cr_expect_eq(api_number("url_id"), link);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 409);
	cr_expect(api_says("clicks are counted and stay"));
}

/* Times of a page of a link's or a user's feed, and what comes after it in the next one. */
static unsigned times_of(const char *first, char times[][32], unsigned most)
{
	char path[256];
	unsigned count = 0;
	text_copy(path, sizeof(path), first);
	do {
		cr_assert_eq(api_call(HTTP_GET, path, NULL), 200, "%s", api_body());
		cr_assert(count < most);
		text_copy(times[count++], 32, api_text("timestamp"));
		snprintf(path, sizeof(path), "%s&after=%s", first, api_text("next"));
	} while (!api_says("\"next\":null"));
	return count;
}

static void expect_feed(const char *path)
{
	static const char *const wanted[] = { "2999-05-03T23:59:59.000Z",
		"2999-05-03T01:00:00.000Z", "2999-05-03T00:59:59.000Z", "2999-05-01T12:30:00.000Z",
		"2999-05-01T12:00:00.000Z", "2999-04-30T23:00:00.000Z" };
	char times[8][32];
	const unsigned count = times_of(path, times, 8);
	cr_assert_eq(count, 6, "%u", count);
	for (unsigned i = 0; i < count; i++)
		cr_expect_str_eq(times[i], wanted[i]);
	cr_expect_eq(api_number("total_items"), 6);
}

Test(api_events, show_the_clicks_of_many_hours_in_their_order)
{
	char path[128];
	int64_t user = api_user();
	api_as(api_key(user, "*"));
	int64_t link = api_link("");
	click(link, "2999-05-01 12:30:00Z");
	click(link, "2999-05-03 00:59:59Z");
	click(link, "2999-05-03 01:00:00Z");
	click(link, "2999-04-30 23:00:00Z");
	click(link, "2999-05-01 12:00:00Z");
	click(link, "2999-05-03 23:59:59Z");
	snprintf(path, sizeof(path), "/urls/%lld/events?per_page=1&event_type=redirect",
		(long long)link);
	expect_feed(path);
	snprintf(path, sizeof(path), "/users/%lld/events?per_page=1&event_type=redirect",
		(long long)user);
	expect_feed(path);
	snprintf(path, sizeof(path),
		"/urls/%lld/events?start=2999-05-01T12:10:00Z&end=2999-05-03T01:00:00Z",
		(long long)link);
	cr_assert_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 2, "%s", api_body());
	cr_expect_str_eq(api_text("timestamp"), "2999-05-03T00:59:59.000Z");
}

Test(api_events, filters_give_exactly_what_they_say)
{
	char path[256];
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	snprintf(path, sizeof(path), "/events?short_code=%s", api_text("short_code"));
	post("shared", link, "");
	click(link, "2999-02-01 00:00:01Z");
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 3);
	cr_expect_eq(
		api_call(HTTP_GET, path_of("/events?url_id=#&event_type=shared", link), NULL), 200);
	cr_expect_eq(api_number("total_items"), 1);
	cr_expect_eq(
		api_call(HTTP_GET, path_of("/events?url_id=#&event_type=redirect", link), NULL),
		200);
	cr_expect_eq(api_number("total_items"), 1);
	cr_expect_eq(api_call(HTTP_GET,
			     path_of("/events?url_id=#&start=2999-01-01T00:00:00Z&end=2999-02-"
				     "01T00:00:01Z",
				     link),
			     NULL),
		200);
	cr_expect_eq(api_number("total_items"), 0, "the end is not part of it");
	cr_expect_eq(api_call(HTTP_GET, "/events?short_code=nobody_has_it", NULL), 200);
	cr_expect_eq(api_number("total_items"), 0);
	cr_expect_eq(api_call(HTTP_GET, "/events?start=yesterday&url_id=x", NULL), 400);
	cr_expect(api_says("\"field\":\"start\"") && api_says("\"field\":\"url_id\""));
}

Test(api_events, of_an_own_link_are_the_same_by_its_code_and_by_its_id)
{
	char path[256];
	int64_t user = api_user();
	api_as(api_key(user, "*"));
	int64_t link = api_link("");
	snprintf(path, sizeof(path), "/events?short_code=%s", api_text("short_code"));
	api_as(api_key(0, "*"));
	cr_assert_eq(post("shared", link, ""), 201);
	api_as(api_key(user, "*"));
	cr_expect_eq(api_call(HTTP_GET, path_of("/events?url_id=#", link), NULL), 200);
	cr_expect_eq(api_number("total_items"), 2, "%s", api_body());
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 2, "%s", api_body());
	api_as(api_key(api_user(), "*"));
	cr_expect_eq(api_call(HTTP_GET, path, NULL), 200);
	cr_expect_eq(api_number("total_items"), 0, "%s", api_body());
}

Test(api_events, take_the_clicks_of_an_hour_that_begins_in_the_range)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	click(link, "2999-04-01 10:40:00Z");
	cr_assert_eq(
		api_call(HTTP_GET,
			path_of("/events/stats?url_id=#&start=2999-04-01T10:30:00Z", link), NULL),
		200);
	cr_expect_eq(api_number("total"), 0, "%s", api_body());
	api_call(HTTP_GET,
		path_of("/events/stats?url_id=#&start=2999-04-01T10:00:00Z&end=2999-04-01T10:30:"
			"00Z",
			link),
		NULL);
	cr_expect_eq(api_number("total"), 1, "%s", api_body());
}

Test(api_events, are_counted_by_type)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	post("shared", link, "");
	post("shared", link, "");
	click(link, "2999-03-01 00:00:01Z");
	cr_assert_eq(api_call(HTTP_GET, path_of("/events/stats?url_id=#", link), NULL), 200, "%s",
		api_body());
	cr_expect_eq(api_number("total"), 4);
	cr_expect_eq(api_number("shared"), 2);
	cr_expect_eq(api_number("redirect"), 1);
	cr_expect_eq(api_number("created"), 1);
}

Test(api_events, are_all_in_the_total_however_many_types_there_are)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	api_sql("INSERT INTO events (type, link) SELECT 'type-' || i, %lld "
		"FROM generate_series(1, 150) AS i",
		(long long)link);
	cr_assert_eq(api_call(HTTP_GET, path_of("/events/stats?url_id=#", link), NULL), 200);
	cr_expect_eq(api_number("total"), 151, "%s", api_body());
}

Test(api_events, of_others_are_as_if_they_were_not)
{
	api_as(api_key(0, "*"));
	int64_t link = api_link("");
	post("shared", link, "");
	int64_t id = api_number("id");
	api_as(api_key(api_user(), "*"));
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/#", id), NULL), 404);
	cr_expect_eq(api_call(HTTP_DELETE, path_of("/events/#", id), NULL), 404);
	cr_expect_eq(post("shared", link, ""), 404);
	cr_expect_eq(api_call(HTTP_GET, "/events", NULL), 200);
	cr_expect_eq(api_number("total_items"), 0);
	cr_expect_eq(api_call(HTTP_GET, path_of("/events?url_id=#", link), NULL), 200);
	cr_expect_eq(api_number("total_items"), 0);
	cr_expect_eq(api_call(HTTP_GET, path_of("/events/stats?url_id=#", link), NULL), 200);
	cr_expect_eq(api_number("total"), 0);
}
