/*
 * replica_walk - from record to record of the replica's file, in the order of their codes (bytes);
 * for the files of the replica alone. To be called under the guard; the results are errors of LMDB.
 * What makes no sense is MDB_CORRUPTED.
 */
#ifndef DOMAIN_REPLICA_WALK_H
#define DOMAIN_REPLICA_WALK_H

#include "domain/replica_env.h"
#include "domain/replica_tally.h"

/* The first record whose code is greater than `after`, "" for the first of all, or MDB_NOTFOUND. */
int replica_walk_next(struct replica_env *env, struct MDB_txn *txn, const char *after,
	struct replica_record *record);

/*
 * What it means that a code was not found: MDB_NOTFOUND when its neighbours are what they should be,
 * else MDB_CORRUPTED. A damaged key may hide a link, but then it stands where that was searched for,
 * with a record of another code.
 */
int replica_walk_absence(
	struct replica_env *env, struct MDB_txn *txn, const char *code, struct link *scratch);

/*
 * Counts the records after `walked`, at most so many of them, and moves it on. MDB_NOTFOUND: that
 * was the last one. ENOMEM, too: then the tally means nothing.
 */
int replica_walk_count(struct replica_env *env, struct MDB_txn *txn, char walked[CODE_MAX + 1],
	unsigned most, struct replica_tally *tally);

#endif
