/*
 * click_store - clicks and their books in PostgreSQL.
 *
 * What store_commit() does happens in one transaction: the offsets of the segments move from where
 * the caller believes them to where it has read, the rows are inserted, the counts grow. An offset
 * therefore says exactly what was counted, whatever became of an answer on the way.
 */
#ifndef DOMAIN_CLICK_STORE_H
#define DOMAIN_CLICK_STORE_H

#include <stdint.h>

#include "base/workers.h"
#include "db/db.h"
#include "domain/click_batch.h"

enum store_result {
	STORE_OK,
	STORE_CONFLICT, /* an offset is not where the caller believes it: nothing happened */
	STORE_REFUSED,  /* PostgreSQL will not have these data: nothing happened */
	STORE_FAILED,   /* away, busy or not in time: nothing happened */
	STORE_UNKNOWN   /* lost while committing: the offsets tell what happened */
};

/*
 * How long each statement of a transaction may take; before each the thread of that slot tells that
 * it gets on, so that a long transaction does not look like a stalled one.
 */
struct store_pace {
	int64_t statement_ms;
	struct worker_slot *slot; /* may be NULL */
	unsigned thread;
};

__attribute__((warn_unused_result)) enum store_result store_commit(struct db *db,
	const struct click_batch *batch, int64_t node, const struct store_pace *pace);

/* An offset, or 0 with segments that PostgreSQL does not know. */
struct store_offset {
	int64_t segment, bytes;
};

/* Fills in the bytes of count offsets, sorted by segment. STORE_OK or STORE_FAILED. */
__attribute__((warn_unused_result)) enum store_result store_offsets(
	struct db *db, struct store_offset *offsets, unsigned count);

/* Clicks counted of a run, 0 if none. */
__attribute__((warn_unused_result)) enum store_result store_run(
	struct db *db, uint64_t run, int64_t *records);

/* Days are counted from 1970. */
enum { STORE_ANY_DAY = -719162 /* the first of the year 1 */ };
__attribute__((warn_unused_result)) enum store_result store_make_days(
	struct db *db, int32_t first, int32_t last);
__attribute__((warn_unused_result)) enum store_result store_drop_days(
	struct db *db, int32_t today, int64_t days);

/*
 * The newest day before the given one that has no index by link, of those that are over; STORE_ANY_DAY
 * for none. And to give it one, half a second for a million clicks: a commit with a click of that very
 * day waits meanwhile.
 */
__attribute__((warn_unused_result)) enum store_result store_find_unindexed(
	struct db *db, int32_t before, int64_t *day);
__attribute__((warn_unused_result)) enum store_result store_index_day(struct db *db, int64_t day);

/* Seconds since 1970 by the server's clock. */
__attribute__((warn_unused_result)) enum store_result store_clock(struct db *db, int64_t *seconds);

/*
 * Packs what is counted of some links on days that are over, those before the given one, and folds
 * rare values into "other"; again with the *day and *link that it set, from STORE_ANY_DAY and INT64_MIN
 * on, until they are these again. Readers see each click once, before and after. At any time, by any
 * number of nodes at once.
 */
__attribute__((warn_unused_result)) enum store_result store_pack(
	struct db *db, int32_t before, int32_t *day, int64_t *link);

/* Forgets the offsets of a node's segments that are none of these and older than so many seconds. */
__attribute__((warn_unused_result)) enum store_result store_forget(struct db *db, int64_t node,
	int64_t seconds, const struct store_offset *present, unsigned count);

#endif
