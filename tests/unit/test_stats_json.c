#include "service/stats_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "http/json_check.h"

static char memory[256 << 10];
static struct text text;
static struct link_stats stats;

static void setup(void)
{
	text = text_fixed(memory, sizeof(memory));
	stats = (struct link_stats){ .range = { 1795392000000, 1795564800000, STATS_DAY },
		.points = 2,
		.types_count = 1,
		.types = { { .name = "redirect" } } };
}

TestSuite(stats_json, .init = setup);

static const char *written(void)
{
	struct json_writer json = json_writer(&text);

	json_open(&json, NULL, '{');
	json_number(&json, "id", 7);
	stats_json(&json, &stats);
	json_close(&json, '}');
	cr_assert_not(text.cut);
	cr_assert(json_check(memory, text.len), "%s", memory);
	return memory;
}

static void set_top(enum click_dimension dimension, const char *value, int64_t clicks)
{
	struct stats_top *top = &stats.tops[dimension];

	cr_assert(text_copy(top->list[top->count].value, STATS_VALUE_MAX + 1, value));
	top->list[top->count++].clicks = clicks;
}

Test(stats_json, shows_every_member_in_order)
{
	stats.as_of = 1795471199123;
	stats.bot_count = 3;
	stats.total_events = 15;
	stats.types_count = 2;
	stats.types[0].events = 13;
	stats.types[1] = (struct stats_type){ "signup", 2 };
	stats.series[1] = (struct stats_point){ .clicks = 5, .bots = 1 };
	set_top(CLICK_REFERRER, "news.example", 3);
	set_top(CLICK_REFERRER, "", 1);
	set_top(CLICK_BROWSER, "firefox", 4);
	set_top(CLICK_OS, "linux", 4);
	set_top(CLICK_BOT, "other", 1);
	stats.unique_visitors = 2;
	cr_expect_str_eq(written(),
		"{\"id\":7,\"bot_count\":3,\"total_events\":15,"
		"\"event_breakdown\":{\"redirect\":13,\"signup\":2},\"interval\":\"day\","
		"\"from\":\"2026-11-23T00:00:00.000Z\",\"to\":\"2026-11-25T00:00:00.000Z\","
		"\"series\":[{\"time\":\"2026-11-23T00:00:00.000Z\",\"clicks\":0,\"bots\":0},"
		"{\"time\":\"2026-11-24T00:00:00.000Z\",\"clicks\":5,\"bots\":1}],"
		"\"referrers\":[{\"value\":\"news.example\",\"clicks\":3},"
		"{\"value\":\"\",\"clicks\":1}],"
		"\"browsers\":[{\"value\":\"firefox\",\"clicks\":4}],"
		"\"operating_systems\":[{\"value\":\"linux\",\"clicks\":4}],"
		"\"bot_classes\":[{\"value\":\"other\",\"clicks\":1}],"
		"\"unique_visitors\":2,\"as_of\":\"2026-11-23T21:59:59.123Z\"}");
}

Test(stats_json, shows_a_link_that_nobody_followed)
{
	stats.range.interval = STATS_HOUR;
	stats.range.to = stats.range.from + 3600000;
	stats.points = 1;
	cr_expect_str_eq(written(),
		"{\"id\":7,\"bot_count\":0,\"total_events\":0,"
		"\"event_breakdown\":{\"redirect\":0},\"interval\":\"hour\","
		"\"from\":\"2026-11-23T00:00:00.000Z\",\"to\":\"2026-11-23T01:00:00.000Z\","
		"\"series\":[{\"time\":\"2026-11-23T00:00:00.000Z\",\"clicks\":0,\"bots\":0}],"
		"\"referrers\":[],\"browsers\":[],\"operating_systems\":[],\"bot_classes\":[],"
		"\"unique_visitors\":0,\"as_of\":null}");
}

Test(stats_json, stays_valid_whatever_a_value_holds)
{
	char hostile[STATS_VALUE_MAX + 1];

	for (int i = 0; i < STATS_VALUE_MAX; i++)
		hostile[i] = (char)(i + 1);
	hostile[STATS_VALUE_MAX] = '\0';
	set_top(CLICK_REFERRER, hostile, 1);
	cr_expect(strstr(written(), "\\u0001\\u0002"));
}

/* The largest that there can be: it must fit into a response, with the link before it. */
Test(stats_json, fits_into_a_response)
{
	const int64_t many = INT64_C(1000000000000000);
	char value[STATS_VALUE_MAX + 1];

	memset(value, 'v', STATS_VALUE_MAX);
	value[STATS_VALUE_MAX] = '\0';
	stats.points = STATS_POINTS;
	for (unsigned i = 0; i < STATS_POINTS; i++)
		stats.series[i] = (struct stats_point){ many, many };
	for (unsigned i = 0; i < CLICK_DIMENSION_COUNT * STATS_TOP; i++)
		set_top((enum click_dimension)(i / STATS_TOP), value, many);
	for (stats.types_count = 0; stats.types_count < STATS_TYPES; stats.types_count++)
		snprintf(stats.types[stats.types_count].name, STATS_TYPE_MAX + 1, "%064u",
			stats.types_count);
	(void)written();
	cr_expect_lt(text.len, HTTP_RESPONSE_LIMIT / 2);
	cr_expect_lt(text.len, 120000);
}
