/*
 * replica_totals - how many links each owner has, as the file of the replica keeps it; for
 * replica.c and replica_count.c alone.
 *
 * They lie in the database "meta" of the file, so a file that was made before there were any simply
 * has none: under "total" those of all links, under "total" and eight bytes those of an owner. Each
 * has a checksum over its key, too. That of all names the transaction that wrote it, and whatever
 * changes the file writes it: so totals that a program without knowledge of them passed over are
 * known to be out of date. Each also has the number of the count that it goes back to; what an
 * older count has left behind means nothing.
 *
 * All are to be called under the guard; the results are errors of LMDB.
 */
#ifndef DOMAIN_REPLICA_TOTALS_H
#define DOMAIN_REPLICA_TOTALS_H

#include "domain/replica_env.h"
#include "domain/replica_tally.h"

enum { REPLICA_ALL_OWNERS = -1 };

/* MDB_NOTFOUND: it cannot be said; never counted, out of date or damaged. */
int replica_totals_read(
	struct replica_env *env, struct MDB_txn *txn, int64_t owner, struct replica_total *total);

/*
 * Adds what a transaction has changed, at its end. Where the totals were not known before they stay
 * so, and where one turns out to be damaged none is known afterwards: that is no error.
 */
int replica_totals_change(
	struct replica_env *env, struct MDB_txn *txn, const struct replica_tally *changes);

/*
 * A new count, of that number, which is greater than that of any before: adds these of its owners to
 * what it has put already.
 */
int replica_totals_put(struct replica_env *env, struct MDB_txn *txn, uint64_t number,
	const struct replica_tally *sorted, size_t from, size_t to);

/* The count is complete: in the transaction of its last owners. */
int replica_totals_finish(struct replica_env *env, struct MDB_txn *txn, uint64_t number,
	const struct replica_total *all);

#endif
