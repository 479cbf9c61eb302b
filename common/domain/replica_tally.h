/*
 * replica_tally - counts links in memory, by owner and state: what a transaction changes, or what a
 * walk through all records has found. A count may be negative: what a change takes away.
 *
 * { 0 } is an empty one. 32 bytes an owner, up to three times that while it grows.
 */
#ifndef DOMAIN_REPLICA_TALLY_H
#define DOMAIN_REPLICA_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/replica.h"

enum { REPLICA_TALLY_MANY = 3 << 18 /* owners, then write them out: 32 MB */ };

struct replica_owner {
	int64_t owner; /* 0: nobody; -1: this place is free */
	struct replica_total total;
};

struct replica_tally {
	struct replica_owner *owners;
	size_t count, room;       /* room is a power of two */
	struct replica_total all; /* of every owner, also of those that can be none */
};

/* Counts n links of this owner and state. False: no memory; what is counted then means nothing. */
__attribute__((warn_unused_result)) bool replica_tally_add(
	struct replica_tally *tally, int64_t owner, enum link_state state, int64_t n);

/* The same with all of another one, which was not sorted. */
__attribute__((warn_unused_result)) bool replica_tally_join(
	struct replica_tally *tally, const struct replica_tally *other);

/* owners[0 … count-1] in their order. From now on it is only to be read, and cleared. */
void replica_tally_sort(struct replica_tally *tally);

/* Forgets all and gives the memory back. */
void replica_tally_clear(struct replica_tally *tally);

void replica_total_add(struct replica_total *total, const struct replica_total *more);

#endif
