#include "service/stats_json.h"

#include "base/clock.h"
#include "service/member.h"

/* Also the first moment of 1970, with which a range may begin. */
static void add_time(struct json_writer *json, const char *key, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];

	clock_format(wall_ms, moment);
	json_text(json, key, moment);
}

static void add_breakdown(struct json_writer *json, const struct link_stats *stats)
{
	json_open(json, "event_breakdown", '{');
	for (unsigned i = 0; i < stats->types_count; i++)
		json_number(json, stats->types[i].name, stats->types[i].events);
	json_close(json, '}');
}

static void add_series(struct json_writer *json, const struct link_stats *stats)
{
	int64_t begin = stats->range.from, step = stats_interval_ms(stats->range.interval);

	json_open(json, "series", '[');
	for (unsigned i = 0; i < stats->points; i++, begin += step) {
		json_open(json, NULL, '{');
		add_time(json, "time", begin);
		json_number(json, "clicks", stats->series[i].clicks);
		json_number(json, "bots", stats->series[i].bots);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void add_top(struct json_writer *json, const char *key, const struct stats_top *top)
{
	json_open(json, key, '[');
	for (unsigned i = 0; i < top->count; i++) {
		json_open(json, NULL, '{');
		json_text(json, "value", top->list[i].value);
		json_number(json, "clicks", top->list[i].clicks);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void stats_json(struct json_writer *json, const struct link_stats *stats)
{
	json_number(json, "bot_count", stats->bot_count);
	json_number(json, "total_events", stats->total_events);
	add_breakdown(json, stats);
	json_text(json, "interval", stats_interval_name(stats->range.interval));
	add_time(json, "from", stats->range.from);
	add_time(json, "to", stats->range.to);
	add_series(json, stats);
	add_top(json, "referrers", &stats->tops[CLICK_REFERRER]);
	add_top(json, "browsers", &stats->tops[CLICK_BROWSER]);
	add_top(json, "operating_systems", &stats->tops[CLICK_OS]);
	add_top(json, "bot_classes", &stats->tops[CLICK_BOT]);
	json_number(json, "unique_visitors", stats->unique_visitors);
	member_time(json, "as_of", stats->as_of);
}
