/*
 * replica_ids - ids with their codes, collected while a file of the replica is built. Its records
 * come in the order of their codes; the index by id is written fast only in the order of the ids.
 */
#ifndef DOMAIN_REPLICA_IDS_H
#define DOMAIN_REPLICA_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLICA_IDS_MANY = 1 << 20 /* then write them out: some 30 MB */ };

struct replica_id {
	int64_t id;
	size_t at; /* where in codes its code begins; the later of two has the greater one */
};

struct replica_ids {
	struct replica_id *entries;
	size_t count, room;
	char *codes; /* each with its zero */
	size_t codes_len, codes_room;
};

/* False: no memory. */
__attribute__((warn_unused_result)) bool replica_ids_add(
	struct replica_ids *ids, int64_t id, const char *code);

/* Forgets what was added after there were count of them; before they were sorted. */
void replica_ids_cut(struct replica_ids *ids, size_t count);

/* By id; of one that was added twice the later comes last. */
void replica_ids_sort(struct replica_ids *ids);

/* Forgets all and gives the memory back. */
void replica_ids_clear(struct replica_ids *ids);

#endif
