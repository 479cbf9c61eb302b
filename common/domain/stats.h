/*
 * stats - the statistics of one link: its clicks and events of all time, its clicks over a range,
 * where they came from and what followed them.
 *
 * They are read from what ingest keeps counted (click_counts, click_stats, and of past days click_days)
 * and never from the clicks themselves: what they cost grows with the days that had clicks, not with
 * the clicks.
 * Browsers, systems, referrers and visitors are those of people; bots have a list of their own. What
 * ingest folded because it was rare is counted as the value "other".
 *
 * Times are milliseconds since 1970; hours and days are those of UTC.
 */
#ifndef DOMAIN_STATS_H
#define DOMAIN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "domain/click_batch.h"

enum {
	STATS_POINTS = 1000,   /* of a series */
	STATS_DAYS = 30,       /* of a range that nobody gave */
	STATS_TOP = 10,        /* values of a list */
	STATS_VALUE_MAX = 255, /* bytes; longer ones are left out, and ingest writes none */
	STATS_TYPES = 100,     /* of events that are told apart, clicks among them */
	STATS_TYPE_MAX = 64    /* bytes, likewise */
};

enum stats_interval { STATS_HOUR, STATS_DAY, STATS_INTERVAL_COUNT };

/* Moments of which from is the first and to the first one after; 0: not given. */
struct stats_range {
	int64_t from, to;
	enum stats_interval interval;
};

struct stats_point {
	int64_t clicks, bots; /* bots are among the clicks */
};

/* The most frequent first. */
struct stats_top {
	unsigned count;
	struct {
		char value[STATS_VALUE_MAX + 1]; /* "" for a referrer: none is known */
		int64_t clicks;
	} list[STATS_TOP];
};

struct stats_type {
	char name[STATS_TYPE_MAX + 1];
	int64_t events;
};

/* 40 KB; nothing in it is owned. */
struct link_stats {
	struct stats_range range;       /* the whole intervals that hold what was asked for */
	int64_t as_of;                  /* as stats_as_of() just before it was read */
	int64_t click_count, bot_count; /* of all time; bots are among the clicks */
	int64_t total_events;           /* clicks, and events of all types */
	unsigned types_count;
	struct stats_type types[STATS_TYPES]; /* first the clicks, as "redirect" */
	unsigned points;
	struct stats_point series[STATS_POINTS]; /* point i begins i intervals after range.from */
	/* Of the days that the range touches. */
	struct stats_top tops[CLICK_DIMENSION_COUNT];
	int64_t unique_visitors; /* the sum of those of each day, who are known by that day only */
};

/* Of "hour" and "day"; false and *interval unchanged for any other name. */
bool stats_interval_read(const char *name, enum stats_interval *interval);
const char *stats_interval_name(enum stats_interval interval);
int64_t stats_interval_ms(enum stats_interval interval);

/* Gives what was not given: to as now, and from so that it is STATS_DAYS days. */
void stats_range_settle(struct stats_range *range, int64_t now);

/* Why a settled range cannot be read, in words for whoever sent it; NULL: it can. */
const char *stats_range_refusal(const struct stats_range *range);

/*
 * The statistics of a link by its id, over a range that is not refused. DB_OK also for a link that
 * nobody followed or that does not exist; else DB_BUSY or DB_DOWN, and *stats means nothing.
 */
__attribute__((warn_unused_result)) enum db_result stats_read(
	struct db *db, int64_t link, const struct stats_range *range, struct link_stats *stats);

/* All clicks on this node up to this moment are counted; 0: unknown. Old while ingest is away. */
int64_t stats_as_of(void);

#endif
