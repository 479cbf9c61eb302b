/*
 * replica - finds the link behind a code in this node's copy of all links, for redirects.
 *
 * A lookup takes a microsecond or two, whatever PostgreSQL does, and takes no lock. Each thread has
 * a struct replica; the threads of a process share the open file and its map. A file that is
 * missing, foreign, cut short or full of rubbish gives LINK_DOWN, never a crash and never a wrong
 * link: records have checksums, and replica_rescue() is to be called by the handler of SIGBUS and
 * SIGSEGV. What the file is and who writes it: replica_writer.h. After a fork() it is not to be
 * used by the child.
 */
#ifndef DOMAIN_REPLICA_H
#define DOMAIN_REPLICA_H

#include "base/metrics.h"
#include "domain/link.h"
#include "domain/replica_record.h"

struct replica;

/* How many links there are. */
struct replica_total {
	int64_t active, disabled, deleted;
};

/* directory is copied; nothing is opened yet. NULL: no memory. */
struct replica *replica_new(const char *directory);
void replica_free(struct replica *replica);

/*
 * LINK_OK: follow it. LINK_UNKNOWN: there is none, or it is disabled or not valid yet. LINK_GONE:
 * deleted or expired. LINK_DOWN: it cannot be said now; unknown is not absent, so answer 503.
 * While there is no replica or it is being built, or lacks a link that somebody was told of, what it
 * does not have is asked of PostgreSQL, by db. Not so while its writer is merely silent.
 */
__attribute__((warn_unused_result)) enum link_result replica_find(
	struct replica *replica, struct db *db, const char *code, struct link *found);

/* The same by links.id. */
__attribute__((warn_unused_result)) enum link_result replica_find_id(
	struct replica *replica, struct db *db, int64_t id, struct link *found);

/*
 * The first record whose code is greater than `after`, "" for the first of all: LINK_OK;
 * LINK_UNKNOWN: there is none; LINK_DOWN: it cannot be said. For tools.
 */
__attribute__((warn_unused_result)) enum link_result replica_next(
	struct replica *replica, const char *after, struct replica_record *record);

/*
 * Until this node's replica has this link, in that version or a newer one, at most ms milliseconds:
 * false then, and at once while the replica does not follow PostgreSQL. After false no miss counts as
 * absent until the replica has caught up. Call it before the link's creator is answered.
 */
bool replica_wait(struct replica *replica, const struct link *link, unsigned ms);

/*
 * Somebody is about to be told of links that this node's replica may lack: until it has caught up, no
 * miss counts as absent. Waits for nothing; for as many as replica_wait() would wait for too long.
 */
void replica_lags(void);

/*
 * Asks for the new links of these codes and waits until replicate has looked at them, at most
 * 100 ms; a link_settle. It promises nothing: replica_wait() tells.
 */
void replica_settle(const char *const codes[], unsigned count);

/*
 * The links of an owner (users.id, 0: of nobody), or with -1 all of them. True: that is how many
 * there were when PostgreSQL was last heard of, and whoever waited for a link by replica_wait() is
 * among them. False: it cannot be said now, while the replica does not follow PostgreSQL, is damaged
 * or has yet to be counted. As fast as a lookup.
 */
__attribute__((warn_unused_result)) bool replica_total(
	struct replica *replica, int64_t owner, struct replica_total *total);

/* Whether there is a record of this code, whatever its state. */
bool replica_holds(struct replica *replica, const char *code);

/* What the replica is doing; ABSENT when its writer was not heard of for 5 s (REFUSING stays). */
enum label_state replica_state(void);

/*
 * For the handlers of SIGBUS and SIGSEGV: does not return when this thread was reading or writing a
 * replica, whose call then says that the file is damaged. A fault in the shared segment is none of
 * its business.
 */
void replica_rescue(const void *address);

#endif
