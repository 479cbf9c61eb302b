/*
 * event - what happened to links: their life, what clients report, and clicks, as one feed.
 *
 * Clicks are rows of their own, written by ingest alone; here they look like events of the type
 * redirect. They are counted, so they cannot be deleted.
 */
#ifndef DOMAIN_EVENT_H
#define DOMAIN_EVENT_H

#include "domain/filter.h"

enum { EVENT_TYPE_MAX = 64, EVENT_DETAILS_MAX = 4096 };

enum event_result {
	EVENT_OK,
	EVENT_UNKNOWN,
	EVENT_NOBODY, /* there is no such user */
	EVENT_CLICK,  /* it is a click */
	EVENT_DOWN
};

struct event {
	int64_t id;
	int64_t link;    /* links.id */
	int64_t owner;   /* users.id, 0 for nobody */
	int64_t time_us; /* microseconds since 1970 */
	char type[EVENT_TYPE_MAX + 1];
	char details[2 *
		     EVENT_DETAILS_MAX]; /* an object as JSON, as PostgreSQL spells it; "" for none */
};

/* Newest first: page.after and page.ascending are not looked at, after_us and after_id are. */
struct event_filter {
	struct page page;
	int64_t link, owner;
	const char *type;
	int64_t start, end;         /* milliseconds since 1970; end is no more of it */
	int64_t after_us, after_id; /* the last one that was shown before */
};

/* Whether a text can be a type. */
bool event_type_is_valid(const char *type);

/* Whether it is one that only the system writes. */
bool event_type_is_ours(const char *type);

/* Stores type, link, owner and details, and fills in the rest. The link is there. */
__attribute__((warn_unused_result)) enum event_result event_create(
	struct db *db, struct event *event);

/* One that concerns the owner or a link of the owner's, 0: any. */
__attribute__((warn_unused_result)) enum event_result event_find(
	struct db *db, int64_t id, int64_t owner, struct event *found);

/*
 * Deletes this very event: after an import others may have its id, at another time. EVENT_CLICK: it
 * stays, as its count does.
 */
__attribute__((warn_unused_result)) enum event_result event_delete(
	struct db *db, const struct event *event);

/* See filter_list() and filter_total(). */
__attribute__((warn_unused_result)) enum db_result event_list(
	struct db *db, const struct event_filter *filter, struct db_rows **rows);
__attribute__((warn_unused_result)) enum db_result event_list_total(
	struct db *db, const struct event_filter *filter, struct total *total);

/* Without the details where they are too long, as no row is that came in by this program: one that
   cannot be shown would end every list before it. */
void event_from_row(const struct db_rows *rows, int row, struct event *event);

/*
 * How many there are of each of the 100 most frequent types, and of all, clicks aside, imported ones
 * too: DB_OK with rows of a type and a number, or DB_NOT_FOUND. And the clicks of the same filter,
 * imported ones among them, by whole hours. page and type do not matter.
 */
__attribute__((warn_unused_result)) enum db_result event_count_types(
	struct db *db, const struct event_filter *filter, struct db_rows **rows, int64_t *total);
__attribute__((warn_unused_result)) enum db_result event_count_clicks(
	struct db *db, const struct event_filter *filter, int64_t *clicks);

/*
 * Moves what changed into the sums by type and day, EVENT_CHANGES at most, and says how many; until then
 * every count of all links reads each change. At any time, by any number of nodes. DB_OK, or the failure.
 */
enum { EVENT_CHANGES = 10000 };
__attribute__((warn_unused_result)) enum db_result event_sum_up(struct db *db, int64_t *changes);

#endif
