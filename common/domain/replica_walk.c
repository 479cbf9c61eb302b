#include "domain/replica_walk.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>

/* Takes a key as a code; false if it can be none. */
static bool take_code(const MDB_val *key, char code[CODE_MAX + 1])
{
	if (key->mv_size == 0 || key->mv_size > CODE_MAX)
		return false;
	memcpy(code, key->mv_data, key->mv_size);
	code[key->mv_size] = '\0';
	return strlen(code) == key->mv_size;
}

static int next_record(MDB_cursor *cursor, const char *after, struct replica_record *record)
{
	char code[CODE_MAX + 1];
	MDB_val key = { strlen(after), (void *)(uintptr_t)after }, value;
	int error =
		mdb_cursor_get(cursor, &key, &value, *after == '\0' ? MDB_FIRST : MDB_SET_RANGE);
	if (error == 0 && key.mv_size == strlen(after) &&
		memcmp(key.mv_data, after, key.mv_size) == 0)
		error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	if (error != 0)
		return error;
	/* In another order no walk would ever end. */
	if (!take_code(&key, code) || strcmp(code, after) <= 0 ||
		!replica_record_read(code, value.mv_data, value.mv_size, record))
		return MDB_CORRUPTED;
	return 0;
}

int replica_walk_next(
	struct replica_env *env, MDB_txn *txn, const char *after, struct replica_record *record)
{
	MDB_cursor *cursor;
	if (strlen(after) > CODE_MAX)
		return MDB_NOTFOUND;
	int error = replica_env_cursor(txn, env->links, &cursor);
	if (error != 0)
		return error;
	error = next_record(cursor, after, record);
	replica_env_cursor_close();
	return error;
}

/* Whether what the cursor stands on is sound and on this side (-1, 1) of a code. */
static int look_at_neighbour(
	MDB_cursor *cursor, MDB_cursor_op op, const char *code, int side, struct link *scratch)
{
	char neighbour[CODE_MAX + 1];
	MDB_val key = { strlen(code), (void *)(uintptr_t)code }, value;
	int error = mdb_cursor_get(cursor, &key, &value, op);
	if (error != 0)
		return error;
	return take_code(&key, neighbour) && strcmp(neighbour, code) * side > 0 &&
			       replica_record_read_link(
				       neighbour, value.mv_data, value.mv_size, scratch)
		       ? 0
		       : MDB_CORRUPTED;
}

int replica_walk_absence(
	struct replica_env *env, MDB_txn *txn, const char *code, struct link *scratch)
{
	MDB_cursor *cursor;
	int error = replica_env_cursor(txn, env->links, &cursor);
	if (error != 0)
		return error;
	error = look_at_neighbour(cursor, MDB_SET_RANGE, code, 1, scratch);
	if (error == 0)
		error = look_at_neighbour(cursor, MDB_PREV, code, -1, scratch);
	else if (error == MDB_NOTFOUND)
		error = look_at_neighbour(cursor, MDB_LAST, code, -1, scratch);
	replica_env_cursor_close();
	return error == 0 ? MDB_NOTFOUND : error;
}

static int count_record(const MDB_val *key, const MDB_val *value, char walked[CODE_MAX + 1],
	struct replica_tally *tally)
{
	struct link link;
	char code[CODE_MAX + 1];
	/* In another order no walk would ever end. */
	if (!take_code(key, code) || strcmp(code, walked) <= 0 ||
		!replica_record_read_link(code, value->mv_data, value->mv_size, &link))
		return MDB_CORRUPTED;
	memcpy(walked, code, sizeof(code));
	return replica_tally_add(tally, link.owner, link.state, 1) ? 0 : ENOMEM;
}

int replica_walk_count(struct replica_env *env, MDB_txn *txn, char walked[CODE_MAX + 1],
	unsigned most, struct replica_tally *tally)
{
	MDB_cursor *cursor;
	/* With its zero: no code lies between. */
	MDB_val key = { strlen(walked) + 1, walked }, value;
	int error = replica_env_cursor(txn, env->links, &cursor);
	if (error != 0)
		return error;
	error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (error == 0 && most-- > 0) {
		error = count_record(&key, &value, walked, tally);
		if (error == 0)
			error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	replica_env_cursor_close();
	return error;
}
