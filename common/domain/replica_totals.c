#include "domain/replica_totals.h"

#include <endian.h>
#include <errno.h>
#include <lmdb.h>
#include <string.h>

#include "base/crc32c.h"

enum {
	NAME_LEN = 5,
	KEY_MAX = NAME_LEN + sizeof(uint64_t),
	UNSOUND = EBADMSG /* nothing that LMDB would say */
};

/* A value. */
struct kept {
	uint32_t checksum, unused;
	uint64_t number; /* of the count */
	uint64_t txn;    /* that wrote it; those of all owners only */
	struct replica_total total;
};

static MDB_val key_of(int64_t owner, unsigned char bytes[KEY_MAX])
{
	const uint64_t number = htobe64((uint64_t)owner);
	memcpy(bytes, "total", NAME_LEN);
	memcpy(bytes + NAME_LEN, &number, sizeof(number));
	return (MDB_val){ owner == REPLICA_ALL_OWNERS ? NAME_LEN : KEY_MAX, bytes };
}

static uint32_t checksum(const MDB_val *key, const struct kept *kept)
{
	const size_t at = sizeof(kept->checksum);
	return crc32c((const unsigned char *)kept + at, sizeof(*kept) - at) ^
	       crc32c(key->mv_data, key->mv_size);
}

static bool unpack(const MDB_val *key, const MDB_val *value, struct kept *kept)
{
	if (value->mv_size != sizeof(*kept))
		return false;
	memcpy(kept, value->mv_data, sizeof(*kept));
	return kept->checksum == checksum(key, kept);
}

static int put(struct replica_env *env, MDB_txn *txn, int64_t owner, struct kept *kept)
{
	unsigned char bytes[KEY_MAX];
	MDB_val key = key_of(owner, bytes), value = { sizeof(*kept), kept };
	kept->checksum = checksum(&key, kept);
	return mdb_put(txn, env->meta, &key, &value, 0);
}

static int get(struct replica_env *env, MDB_txn *txn, int64_t owner, struct kept *kept)
{
	unsigned char bytes[KEY_MAX];
	MDB_val key = key_of(owner, bytes), value;
	int error = mdb_get(txn, env->meta, &key, &value);
	if (error != 0)
		return error;
	return unpack(&key, &value, kept) ? 0 : UNSOUND;
}

/* Whether what the cursor goes to is sound and on this side (-1, 1) of a key. */
static int look_at_neighbour(MDB_cursor *cursor, MDB_cursor_op op, const MDB_val *key, int side)
{
	struct kept kept;
	MDB_val neighbour = *key, value;
	int error = mdb_cursor_get(cursor, &neighbour, &value, op);
	if (error != 0)
		return error;
	if (!unpack(&neighbour, &value, &kept))
		return UNSOUND;
	/* Sound ones begin with the same name, and the shorter key is the first. */
	size_t len = neighbour.mv_size < key->mv_size ? neighbour.mv_size : key->mv_size;
	int order = memcmp(neighbour.mv_data, key->mv_data, len);
	if (order == 0)
		order = neighbour.mv_size < key->mv_size ? -1 : 1;
	return order * side > 0 ? 0 : UNSOUND;
}

/*
 * What it means that an owner was not found, while there are totals: MDB_NOTFOUND when its
 * neighbours are sound, the left one of which is always there.
 */
static int judge_absence(struct replica_env *env, MDB_txn *txn, int64_t owner)
{
	unsigned char bytes[KEY_MAX];
	const MDB_val key = key_of(owner, bytes);
	MDB_cursor *cursor;
	int error = replica_env_cursor(txn, env->meta, &cursor);
	if (error != 0)
		return error;
	error = look_at_neighbour(cursor, MDB_SET_RANGE, &key, 1);
	if (error == 0)
		error = look_at_neighbour(cursor, MDB_PREV, &key, -1);
	else if (error == MDB_NOTFOUND)
		error = look_at_neighbour(cursor, MDB_LAST, &key, -1);
	replica_env_cursor_close();
	if (error == MDB_NOTFOUND)
		return UNSOUND;
	return error == 0 ? MDB_NOTFOUND : error;
}

/* Those of an owner by the count of this number; nothing where it is not there. */
static int get_owner(
	struct replica_env *env, MDB_txn *txn, uint64_t number, int64_t owner, struct kept *kept)
{
	int error = get(env, txn, owner, kept);
	if (error == MDB_NOTFOUND)
		error = judge_absence(env, txn, owner);
	if (error == MDB_NOTFOUND || (error == 0 && kept->number < number)) {
		*kept = (struct kept){ .number = number };
		error = 0;
	}
	/* Of a later count, which never came to its end. */
	return error == 0 && kept->number > number ? UNSOUND : error;
}

static bool is_possible(const struct replica_total *total)
{
	return total->active >= 0 && total->disabled >= 0 && total->deleted >= 0;
}

/* Those of all owners, as they were after the transaction of this number; else MDB_NOTFOUND. */
static int get_all(struct replica_env *env, MDB_txn *txn, uint64_t after, struct kept *all)
{
	int error = get(env, txn, REPLICA_ALL_OWNERS, all);
	if (error == UNSOUND || (error == 0 && all->txn != after))
		return MDB_NOTFOUND;
	return error;
}

int replica_totals_read(
	struct replica_env *env, MDB_txn *txn, int64_t owner, struct replica_total *total)
{
	struct kept all, one;
	int error = get_all(env, txn, mdb_txn_id(txn), &all);
	if (error == 0 && owner != REPLICA_ALL_OWNERS)
		error = owner < 0 ? UNSOUND : get_owner(env, txn, all.number, owner, &one);
	if (error != 0)
		return error == UNSOUND ? MDB_NOTFOUND : error;
	*total = owner == REPLICA_ALL_OWNERS ? all.total : one.total;
	return is_possible(total) ? 0 : MDB_NOTFOUND;
}

static int change_owner(
	struct replica_env *env, MDB_txn *txn, uint64_t number, const struct replica_owner *change)
{
	struct kept kept;
	int error = get_owner(env, txn, number, change->owner, &kept);
	if (error != 0)
		return error;
	replica_total_add(&kept.total, &change->total);
	return is_possible(&kept.total) ? put(env, txn, change->owner, &kept) : UNSOUND;
}

int replica_totals_change(
	struct replica_env *env, MDB_txn *txn, const struct replica_tally *changes)
{
	struct kept all;
	int error = get_all(env, txn, mdb_txn_id(txn) - 1, &all);
	for (size_t i = 0; i < changes->room && error == 0; i++)
		if (changes->owners[i].owner != -1)
			error = change_owner(env, txn, all.number, &changes->owners[i]);
	if (error == 0) {
		replica_total_add(&all.total, &changes->all);
		all.txn = mdb_txn_id(txn);
		error = is_possible(&all.total) ? put(env, txn, REPLICA_ALL_OWNERS, &all) : UNSOUND;
	}
	/* Those of all still name an earlier transaction then. */
	return error == MDB_NOTFOUND || error == UNSOUND ? 0 : error;
}

int replica_totals_put(struct replica_env *env, MDB_txn *txn, uint64_t number,
	const struct replica_tally *sorted, size_t from, size_t to)
{
	struct kept kept;
	int error = 0;
	for (size_t i = from; i < to && error == 0; i++) {
		const struct replica_owner *owner = &sorted->owners[i];
		error = get(env, txn, owner->owner, &kept);
		if (error != 0 && error != MDB_NOTFOUND && error != UNSOUND)
			return error;
		if (error != 0 || kept.number != number)
			kept = (struct kept){ .number = number };
		replica_total_add(&kept.total, &owner->total);
		error = put(env, txn, owner->owner, &kept);
	}
	return error;
}

int replica_totals_finish(
	struct replica_env *env, MDB_txn *txn, uint64_t number, const struct replica_total *all)
{
	struct kept kept = { .number = number, .txn = mdb_txn_id(txn), .total = *all };
	return put(env, txn, REPLICA_ALL_OWNERS, &kept);
}
