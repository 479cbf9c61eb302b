/*
 * What replica_writer.c, replica_store.c, replica_count.c and replica_memory.c share; for them and
 * their tests alone.
 */
#ifndef DOMAIN_REPLICA_PRIVATE_H
#define DOMAIN_REPLICA_PRIVATE_H

#include <stdint.h>

#include "base/config.h"
#include "domain/replica_env.h"
#include "domain/replica_ids.h"
#include "domain/replica_tally.h"

/* What is known of the links as a whole, as it is stored. */
struct replica_kept {
	uint32_t checksum;
	struct replica_meta meta;
};

/* What a transaction does to the totals. */
struct replica_changes {
	struct replica_tally all, walked; /* of all codes; of those that a count has walked past */
	bool any;                         /* it changes something in the file */
	bool unclear;                     /* what was there before could not be read */
};

/* A new count of all links, piece by piece beside other changes. */
struct replica_counting {
	bool running;
	uint64_t number; /* 0: none of it is in the file */
	char walked[CODE_MAX + 1];
	struct replica_tally found; /* up to there; of owners those that are not in the file */
};

struct replica_writer {
	char directory[CONFIG_TEXT_MAX];
	int64_t max_bytes;
	int lock;
	struct replica_env *env; /* NULL: none is open, or it is damaged */
	struct MDB_txn *txn;
	bool building, damaged;
	bool counted;               /* this process, among those that tried the current file */
	bool proven;                /* the current file: nobody dies of it */
	bool distrusted;            /* it is not to be opened again */
	uint64_t opened;            /* clock_monotonic() */
	struct replica_kept memory; /* as this process wrote it last */
	struct replica_changes changes;
	struct replica_counting counting;
	/* While building: */
	struct replica_ids ids;
	size_t ids_before; /* this transaction */
	char last_code[CODE_MAX + 1];
};

/* What is done under the guard, and what it came to: 0 or an error of LMDB or the system. */
struct replica_step {
	struct replica_writer *writer;
	int (*work)(struct replica_step *step);
	struct MDB_txn *txn; /* the one that is open, or one of its own for reading */
	int error;
	const char *why; /* damaged, if it is not for the error */
	const char *code;
	const struct replica_record *record;
	struct replica_record *found;
	struct replica_meta *meta;
	struct replica_total *total;
	bool *changed;
	uint64_t count;
};

/*
 * Runs a step on the open file; a fault or an error is logged, and what is damaged is closed. The
 * second is for a step that only reads: within the transaction, or in one of its own.
 */
__attribute__((warn_unused_result)) enum replica_result replica_step_run(struct replica_step step);
__attribute__((warn_unused_result)) enum replica_result replica_step_read(
	struct replica_step *step);

/* The end of a call, by an error of LMDB or the system: what the caller gets to know, and the log. */
__attribute__((warn_unused_result)) enum replica_result replica_step_conclude(
	struct replica_writer *writer, int error);

/*
 * A record that is put: before is NULL for a new one. Where what was there cannot be read, set
 * changes.unclear instead. False: no memory.
 */
__attribute__((warn_unused_result)) bool replica_count_change(
	struct replica_writer *writer, const struct link *before, const struct link *now);

/* The last of a transaction: what it does to the totals. An error of LMDB. */
__attribute__((warn_unused_result)) int replica_count_write(struct replica_step *step);

/* A transaction is over. */
void replica_count_end(struct replica_writer *writer, bool committed);

/* No count is running any more. */
void replica_count_stop(struct replica_writer *writer);

void replica_meta_pack(const struct replica_meta *meta, struct replica_kept *kept);
/* False: the bytes are no such thing. */
__attribute__((warn_unused_result)) bool replica_meta_unpack(
	const void *bytes, size_t len, struct replica_meta *meta);

#endif
