/*
 * ingest - carries clicks from the spool to PostgreSQL, each exactly once.
 *
 * A round finds out how far all segments reach at a moment, reads them up to there and commits what
 * it read in as many transactions as that takes; then all clicks answered before that moment are in
 * PostgreSQL, which it publishes in the shared segment. What a segment's offset in PostgreSQL says
 * was counted, nothing else was: after a lost connection, or any doubt, the offsets are read again.
 *
 * One at a time may work on a directory; a second one does nothing.
 */
#ifndef DOMAIN_INGEST_H
#define DOMAIN_INGEST_H

#include <stdint.h>

#include "base/workers.h"
#include "db/db.h"

struct ingest_settings {
	const char *directory; /* borrowed for ever */
	int64_t node;
	int64_t max_bytes, reserve_bytes; /* see config.def for these */
	int64_t retention_s;
	int64_t click_retention_days;
	struct worker_slot *slot; /* of the process, for the watch over it; may be NULL */
	unsigned thread;
};

struct ingest;

/* NULL: no memory, or a directory whose name is too long. */
struct ingest *ingest_new(const struct ingest_settings *settings);
void ingest_free(struct ingest *ingest);

/*
 * One transaction's worth of work, or of looking after the rest. No statement takes longer than two
 * seconds, whatever PostgreSQL does, and a turn that gets on says so between them. The milliseconds
 * to wait before the next turn.
 */
unsigned ingest_turn(struct ingest *ingest, struct db *db);

/*
 * Gives one day that is over the index by which the clicks of a link are found; not before it has been
 * over for an hour, in which most late clicks come. May take a minute, beside the turns of whoever
 * counts: for a thread and a session of its own. below, at first INT32_MAX, is where it goes on: after
 * a day that failed, as one that is too large for a minute, with those before. The milliseconds to wait
 * before the next call.
 */
unsigned ingest_index_turn(struct db *db, int32_t *below);

#endif
