/*
 * What replica_writer.c, replica_store.c and replica_memory.c share; for them and their tests alone.
 */
#ifndef DOMAIN_REPLICA_PRIVATE_H
#define DOMAIN_REPLICA_PRIVATE_H

#include <stdint.h>

#include "base/config.h"
#include "domain/replica_env.h"
#include "domain/replica_ids.h"

/* What is known of the links as a whole, as it is stored. */
struct replica_kept {
	uint32_t checksum;
	struct replica_meta meta;
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

void replica_meta_pack(const struct replica_meta *meta, struct replica_kept *kept);
/* False: the bytes are no such thing. */
__attribute__((warn_unused_result)) bool replica_meta_unpack(
	const void *bytes, size_t len, struct replica_meta *meta);

#endif
