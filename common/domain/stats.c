#include "domain/stats.h"

#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"

/* Takes one row of an answer. */
typedef void (*row_taker)(struct link_stats *stats, const struct db_rows *rows, int row);

static const struct {
	const char *name;
	int64_t ms;
} intervals[STATS_INTERVAL_COUNT] = {
	[STATS_HOUR] = { "hour", CLICK_HOUR_MS },
	[STATS_DAY] = { "day", CLICK_DAY_MS },
};

bool stats_interval_read(const char *name, enum stats_interval *interval)
{
	for (unsigned i = 0; i < STATS_INTERVAL_COUNT; i++) {
		if (strcmp(intervals[i].name, name) != 0)
			continue;
		*interval = (enum stats_interval)i;
		return true;
	}
	return false;
}

const char *stats_interval_name(enum stats_interval interval)
{
	return intervals[interval].name;
}

int64_t stats_interval_ms(enum stats_interval interval)
{
	return intervals[interval].ms;
}

/* --- Ranges --- */

static int64_t begin_of(int64_t moment, int64_t ms)
{
	return moment - moment % ms;
}

void stats_range_settle(struct stats_range *range, int64_t now)
{
	const int64_t day = CLICK_DAY_MS;

	if (range->to == 0)
		range->to = now + 1; /* now is in it, too */
	if (range->from == 0)
		range->from = begin_of(range->to - 1, day) - (STATS_DAYS - 1) * day;
	if (range->from < 0)
		range->from = 0;
}

static struct stats_range whole_intervals(const struct stats_range *range)
{
	int64_t ms = stats_interval_ms(range->interval);

	return (struct stats_range){ .from = begin_of(range->from, ms),
		.to = begin_of(range->to - 1, ms) + ms,
		.interval = range->interval };
}

static int64_t points_of(const struct stats_range *whole)
{
	return (whole->to - whole->from) / stats_interval_ms(whole->interval);
}

const char *stats_range_refusal(const struct stats_range *range)
{
	struct stats_range whole;

	if (range->to <= range->from)
		return "to must come after from";
	whole = whole_intervals(range);
	if (points_of(&whole) > STATS_POINTS)
		return "more than 1,000 points: ask for less time, or longer intervals";
	return NULL;
}

/* --- Reading --- */

static enum db_result ask(struct db *db, enum db_statement statement, const char *const *parameters,
	int count, row_taker take, struct link_stats *stats)
{
	struct db_rows *rows;
	enum db_result result = db_query(db, statement, parameters, count, &rows);

	if (result == DB_OK)
		for (int row = 0; row < db_rows_count(rows); row++)
			take(stats, rows, row);
	db_rows_free(rows);
	return result == DB_NOT_FOUND ? DB_OK : result;
}

/* Of a point, or of all that lies outside of the range. */
static void take_clicks(struct link_stats *stats, const struct db_rows *rows, int row)
{
	int64_t point = db_number(rows, row, 0);
	int64_t clicks = db_number(rows, row, 1), bots = db_number(rows, row, 2);

	stats->click_count += clicks;
	stats->bot_count += bots;
	if (point >= 0 && point < stats->points)
		stats->series[point] = (struct stats_point){ .clicks = clicks, .bots = bots };
}

/* Packed days have a sum; their hours are opened only where they are told apart. */
static enum db_result read_clicks(struct db *db, const char *link, struct link_stats *stats)
{
	const struct stats_range *range = &stats->range;
	const bool hourly = range->interval == STATS_HOUR;
	char from[DB_NUMBER], to[DB_NUMBER], step[DB_NUMBER], first[DB_NUMBER], last[DB_NUMBER];
	const char *const parameters[] = { link, db_number_text(from, range->from / 1000),
		db_number_text(to, range->to / 1000),
		db_number_text(step, stats_interval_ms(range->interval) / 1000),
		db_number_text(first, hourly ? range->from / CLICK_DAY_MS : 1),
		db_number_text(last, hourly ? (range->to - 1) / CLICK_DAY_MS : 0) };

	return ask(db, STATEMENT_stats_clicks, parameters, 6, take_clicks, stats);
}

/* The rows come in the order of their rank. */
static void take_top(struct link_stats *stats, const struct db_rows *rows, int row)
{
	int64_t dimension = db_number(rows, row, 0), clicks = db_number(rows, row, 2);
	struct stats_top *top;

	if (dimension == CLICK_DIMENSION_COUNT)
		stats->unique_visitors = clicks;
	if (dimension < 0 || dimension >= CLICK_DIMENSION_COUNT)
		return;
	top = &stats->tops[dimension];
	if (top->count < STATS_TOP &&
		text_copy(top->list[top->count].value, STATS_VALUE_MAX + 1, db_text(rows, row, 1)))
		top->list[top->count++].clicks = clicks;
}

static enum db_result read_tops(struct db *db, const char *link, struct link_stats *stats)
{
	char first[DB_NUMBER], last[DB_NUMBER];
	const char *const parameters[] = { link,
		db_number_text(first, stats->range.from / CLICK_DAY_MS),
		db_number_text(last, (stats->range.to - 1) / CLICK_DAY_MS) };

	return ask(db, STATEMENT_stats_tops, parameters, 3, take_top, stats);
}

static void add_type(struct link_stats *stats, const char *name, int64_t events)
{
	struct stats_type *type = &stats->types[stats->types_count];

	if (stats->types_count == STATS_TYPES || !text_copy(type->name, sizeof(type->name), name))
		return;
	type->events = events;
	stats->types_count++;
}

static void take_type(struct link_stats *stats, const struct db_rows *rows, int row)
{
	add_type(stats, db_text(rows, row, 0), db_number(rows, row, 1));
	stats->total_events = stats->click_count + db_number(rows, row, 2);
}

/* After the clicks, which are events themselves. */
static enum db_result read_events(struct db *db, const char *link, struct link_stats *stats)
{
	add_type(stats, "redirect", stats->click_count);
	stats->total_events = stats->click_count;
	return ask(db, STATEMENT_stats_events, &link, 1, take_type, stats);
}

enum db_result stats_read(
	struct db *db, int64_t link, const struct stats_range *range, struct link_stats *stats)
{
	char number[DB_NUMBER];
	const char *id = db_number_text(number, link);
	enum db_result result;

	memset(stats, 0, sizeof(*stats));
	stats->range = whole_intervals(range);
	stats->points = (unsigned)points_of(&stats->range);
	/* First: what is counted meanwhile is more than it says, never less. */
	stats->as_of = stats_as_of();
	result = read_clicks(db, id, stats);
	if (result == DB_OK)
		result = read_tops(db, id, stats);
	if (result == DB_OK)
		result = read_events(db, id, stats);
	return result;
}

int64_t stats_as_of(void)
{
	return (int64_t)(metrics_value(METRIC_clicks_committed_until, 0, 0) / CLOCK_MS);
}
