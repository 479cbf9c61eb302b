/*
 * replica_writer - the one writer of this node's replica; for the program replicate alone.
 *
 * The directory holds links-<16 hex digits>.mdb, an LMDB file, and the symbolic link "current" that
 * names the one to read. That number is the file's generation, which the writer says in the shared
 * segment. A file is never repaired: a new one is built beside it and published in its place, and
 * readers go over to it at their next lookup. Who writes holds a lock on writer.lock.
 *
 * Nothing here aborts or crashes over a damaged file: the result is REPLICA_DAMAGED, logged once,
 * and so is every further call until replica_writer_build(); the next process finds it so, too. And
 * so does one after five in a row that died before the file was proved: so a file that kills us is
 * replaced.
 *
 * The file also says how many links there are by owner and state: replica_totals.h.
 *
 * After any other result than REPLICA_OK or REPLICA_MISSING of a call within a transaction, abort
 * it. REPLICA_ERROR and REPLICA_FULL may pass: abort, open again and go on later.
 *
 * A commit is on the disk but for the last one, which a power cut may take back whole; while a file
 * is being built nothing is until it is published. A transaction keeps what it changes in memory:
 * put some thousand records in one. One thread uses a writer; it must not be carried over a fork().
 */
#ifndef DOMAIN_REPLICA_WRITER_H
#define DOMAIN_REPLICA_WRITER_H

#include "domain/replica.h"

enum replica_result {
	REPLICA_OK,
	REPLICA_MISSING, /* no such file, or no such link */
	REPLICA_DAMAGED, /* build another one */
	REPLICA_BUSY,    /* another process, or a reader of this one, has it */
	REPLICA_FULL,    /* the disk, or LINKSHRINK_REPLICA_MAX_BYTES */
	REPLICA_ERROR    /* anything else; the log says what */
};

enum { REPLICA_KNOWN = 16 };

/* A link that the database must have: this very one, or a newer version. */
struct replica_known {
	char code[CODE_MAX + 1];
	int64_t id, version, created_us, updated_us;
};

/* What is known about the contents as a whole. */
struct replica_meta {
	char identity[128]; /* of the database that they came from */
	bool complete;      /* every link was there once; if not, it is no copy of anything */
	int64_t cursor_us;  /* updated_at, in microseconds since 1970, and code: changes from */
	char cursor_code[CODE_MAX + 1];            /* here on may be missing */
	struct replica_known known[REPLICA_KNOWN]; /* some of the newest; "" for none */
};

struct replica_writer;

/* Opens nothing yet; directory is copied. max_bytes: how large a file may become. NULL: no memory. */
struct replica_writer *replica_writer_new(const char *directory, int64_t max_bytes);

/* An open transaction is aborted, a file that was not published is removed. NULL is fine. */
void replica_writer_free(struct replica_writer *writer);

/*
 * Takes the lock (makes the directory if need be) and opens the current file for changes; what was
 * open before is closed. OK, MISSING, DAMAGED: the lock is held now, so that one may be built.
 * BUSY, ERROR: it is not.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_open(
	struct replica_writer *writer);

/*
 * Begins a new, empty file, which from now on all calls are about; the lock must be held. What is
 * current stays so. Fast for records in the order of their codes (bytes); others work as well. Ids
 * can be found once it is published.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_build(
	struct replica_writer *writer);

/* Makes what was built current, on the disk and in the segment; goes on with it as if opened. */
__attribute__((warn_unused_result)) enum replica_result replica_writer_publish(
	struct replica_writer *writer);

__attribute__((warn_unused_result)) enum replica_result replica_writer_begin(
	struct replica_writer *writer);
__attribute__((warn_unused_result)) enum replica_result replica_writer_commit(
	struct replica_writer *writer);
/* Also right where nothing was begun. */
void replica_writer_abort(struct replica_writer *writer);

/*
 * Stores a record in place of the one of this code; within a transaction. *changed (may be NULL):
 * it is not what was there already. While building the same record counts as changed.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_put(
	struct replica_writer *writer, const struct replica_record *record, bool *changed);

/* MISSING: nothing was ever put. Putting is within a transaction. */
__attribute__((warn_unused_result)) enum replica_result replica_writer_get_meta(
	struct replica_writer *writer, struct replica_meta *meta);
__attribute__((warn_unused_result)) enum replica_result replica_writer_put_meta(
	struct replica_writer *writer, const struct replica_meta *meta);

/*
 * What must be in a database before it is copied, beside the file and outliving it: identity and
 * known of *meta; the rest is nothing when it is read. The lock must be held. Read it before
 * anything is built. OK; MISSING: nothing was ever kept; DAMAGED, ERROR: it cannot be said, so
 * nothing is to be copied. Once put it is on the disk (OK, FULL, ERROR); what is there already costs
 * nothing, anything else as much as a commit. Not of a transaction, and no concern of the file's.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_get_memory(
	struct replica_writer *writer, struct replica_meta *meta);
__attribute__((warn_unused_result)) enum replica_result replica_writer_put_memory(
	struct replica_writer *writer, const struct replica_meta *meta);

/*
 * Nobody dies of the file: call it when a comparison has come to its end and when the database was
 * judged wrong. The writer itself says so when the file was open for a minute, by
 * replica_writer_check(), and at its orderly end.
 */
void replica_writer_prove(struct replica_writer *writer);

/*
 * The record of a code, and the first one whose code is greater than `after` ("" for the first of
 * all): OK or MISSING. Within a transaction they see what it has put. A record that makes no sense
 * is DAMAGED: then the rest is not to be trusted either.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_find(
	struct replica_writer *writer, const char *code, struct replica_record *record);
__attribute__((warn_unused_result)) enum replica_result replica_writer_next(
	struct replica_writer *writer, const char *after, struct replica_record *record);

/* How many links there are, deleted ones included; 0 also when it cannot be said. */
uint64_t replica_writer_count(struct replica_writer *writer);

/*
 * The links of an owner, -1: all, as of the last commit; not within a transaction. MISSING where they
 * have yet to be counted, or were spoilt.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_total(
	struct replica_writer *writer, int64_t owner, struct replica_total *total);

/*
 * Counts all links anew, a piece a call and other changes in between; *more until the totals are
 * those of this count. Any other result than OK ends it. Not within a transaction: ERROR then, as
 * without memory. A file that was built is counted when it is published.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_recount(
	struct replica_writer *writer, bool *more);

/*
 * A look about once a second: clears the places of readers that died, and finds the file DAMAGED
 * when it was removed, replaced or cut short.
 */
__attribute__((warn_unused_result)) enum replica_result replica_writer_check(
	struct replica_writer *writer);

/* The generation of the file that is open, 0 for none. */
uint64_t replica_writer_generation(const struct replica_writer *writer);

#endif
