#include "domain/stats.h"

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/metrics.h"

static int64_t moment(const char *text)
{
	int64_t wall_ms;

	cr_assert(clock_parse(text, &wall_ms), "%s", text);
	return wall_ms;
}

Test(stats, knows_intervals_by_their_names)
{
	static const char *const unknown[] = { "", "Day", "days", "week", "hour " };
	enum stats_interval interval = STATS_HOUR;

	cr_expect(stats_interval_read("day", &interval));
	cr_expect_eq(interval, STATS_DAY);
	cr_expect(stats_interval_read("hour", &interval));
	cr_expect_eq(interval, STATS_HOUR);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		cr_expect_not(stats_interval_read(unknown[i], &interval), "%s", unknown[i]);
	cr_expect_str_eq(stats_interval_name(STATS_DAY), "day");
	cr_expect_eq(stats_interval_ms(STATS_HOUR), 3600000);
}

/* What was given ("" for nothing) at 2026-11-28 18:30, and what it becomes. */
static const struct {
	const char *from, *to, *settled_from, *settled_to;
} settled[] = {
	{ "", "", "2026-10-30T00:00:00Z", "2026-11-28T18:30:00.001Z" },
	{ "2026-11-01T09:00:00Z", "", "2026-11-01T09:00:00Z", "2026-11-28T18:30:00.001Z" },
	{ "", "2026-01-31T12:00:00Z", "2026-01-02T00:00:00Z", "2026-01-31T12:00:00Z" },
	{ "", "2026-02-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-02-01T00:00:00Z" },
	{ "", "1970-01-03T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-03T00:00:00Z" },
	{ "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z",
		"2020-01-02T00:00:00Z" },
};

Test(stats, covers_thirty_days_to_now_unless_told_otherwise)
{
	for (size_t i = 0; i < sizeof(settled) / sizeof(*settled); i++) {
		struct stats_range range = {
			.from = *settled[i].from ? moment(settled[i].from) : 0,
			.to = *settled[i].to ? moment(settled[i].to) : 0,
			.interval = STATS_DAY,
		};

		stats_range_settle(&range, moment("2026-11-28T18:30:00Z"));
		cr_expect_eq(range.from, moment(settled[i].settled_from), "row %zu", i);
		cr_expect_eq(range.to, moment(settled[i].settled_to), "row %zu", i);
		cr_expect_null(stats_range_refusal(&range), "row %zu", i);
	}
}

static const struct {
	const char *from, *to;
	enum stats_interval interval;
	bool refused;
} ranges[] = {
	{ "2026-11-28T18:00:00Z", "2026-11-28T18:00:00.001Z", STATS_HOUR, false },
	{ "2026-11-28T18:00:00Z", "2026-11-28T18:00:00Z", STATS_HOUR, true },
	{ "2026-11-28T18:30:00Z", "2026-11-28T18:20:00Z", STATS_DAY, true },
	{ "2026-11-28T18:00:00Z", "2020-11-28T18:00:00Z", STATS_HOUR, true },
	/* A thousand hours, whole ones; the smallest part of another is one more. */
	{ "2026-01-01T00:00:00Z", "2026-02-11T16:00:00Z", STATS_HOUR, false },
	{ "2026-01-01T00:59:59Z", "2026-02-11T16:00:00Z", STATS_HOUR, false },
	{ "2026-01-01T00:00:00Z", "2026-02-11T16:00:00.001Z", STATS_HOUR, true },
	{ "2025-12-31T23:59:59.999Z", "2026-02-11T16:00:00Z", STATS_HOUR, true },
	{ "2026-01-01T00:00:00Z", "2026-02-11T16:00:00.001Z", STATS_DAY, false },
	{ "2026-01-01T00:00:00Z", "2028-09-27T00:00:00Z", STATS_DAY, false },
	{ "2026-01-01T00:00:00Z", "2028-09-28T00:00:00Z", STATS_DAY, true },
	{ "1970-01-01T00:00:00.001Z", "9999-12-31T23:59:59.999Z", STATS_HOUR, true },
};

Test(stats, refuses_ranges_without_an_end_or_of_too_many_points)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct stats_range range = { moment(ranges[i].from), moment(ranges[i].to),
			ranges[i].interval };

		cr_expect_eq(stats_range_refusal(&range) != NULL, ranges[i].refused, "row %zu", i);
	}
}

Test(stats, are_as_of_the_moment_that_ingest_published)
{
	cr_expect_eq(stats_as_of(), 0);
	metrics_set(METRIC_clicks_committed_until, 0, 0, INT64_C(1795392000123) * 1000000);
	cr_expect_eq(stats_as_of(), 1795392000123);
}
