/*
 * follow - keeps this node's replica like PostgreSQL: loads it, follows changes, compares, and
 * refuses to copy a loss. The work of the program replicate; the file itself is replica_writer.h's.
 *
 * Changes come by hints from creators of this node at once, by notifications of other nodes, and
 * without either every FOLLOW_EVERY_MS in the order of (updated_at, code). A transaction may become
 * visible later than others that began after it; so what has changed is read again after a quarter
 * of a second, two seconds and 30 s. No transaction that writes links may last longer than that.
 * Only a version that is not older replaces a record, and no record is ever removed: a link that
 * PostgreSQL lacks was lost there.
 *
 * A database that is another one, that lacks the newest links known here or more than one of a
 * hundred of all is not copied (state REFUSING) until it is the right one again or an operator says
 * which side is right: by a file "accept" in the directory of the replica, which holds a word,
 * "follow" (the links are there again: compare and go on) or "rebuild" (forget what it lacks), the
 * time in seconds since 1970 (it is good for five minutes) and the identity of the database.
 *
 * Each look judges the database, and so does what comes before and after a build. What it must have
 * outlives the replica. Another link under a known code is a loss, too, unless it is newer.
 */
#ifndef DOMAIN_FOLLOW_H
#define DOMAIN_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"
#include "db/db.h"

enum {
	FOLLOW_EVERY_MS = 500,
	FOLLOW_LATEST_S = 30 /* what a transaction that writes links may last */
};

struct follow;

/* directory: of the replica, copied; max_bytes: of its file; node: of this machine. NULL: no memory. */
struct follow *follow_new(const char *directory, int64_t max_bytes, int64_t node);
void follow_free(struct follow *follow);

/*
 * That the copy follows is the word of a process before, and this one has not looked yet: until it has,
 * the database is asked for what the copy lacks. Call it before this process counts as alive.
 */
void follow_prepare(void);

/*
 * Does what is due, within about a second, and waits for hints where nothing is. Returns the
 * milliseconds to wait before the next call. db: borrowed, always the same. slot (may be NULL) and
 * thread: whose progress it reports.
 */
unsigned follow_turn(
	struct follow *follow, struct db *db, struct worker_slot *slot, unsigned thread);

/* Other nodes may have changed links: read them now. From any thread. */
void follow_wake(struct follow *follow);

/*
 * For an operator's terminal: all links of a replica in the text format of COPY, its columns being
 * FOLLOW_COLUMNS; and what replicate last noted about it. False: nothing could be read or written.
 */
#define FOLLOW_COLUMNS                                                                             \
	"code, id, target, title, owner, state, redirect_status, forward_query, valid_since, "     \
	"valid_until, max_visits, visits, tags, created_at, updated_at, version"
bool follow_dump(const char *directory);
bool follow_show_status(const char *directory);

#endif
