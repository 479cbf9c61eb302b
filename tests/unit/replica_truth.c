#include "unit/replica_truth.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/replica_scratch.h"
#include "unit/scratch.h"

enum { FILE_MAX = 1 << 24 };

static void count(struct replica_total *total, enum link_state state)
{
	switch (state) {
	case LINK_ACTIVE: total->active++; break;
	case LINK_DISABLED: total->disabled++; break;
	case LINK_DELETED: total->deleted++; break;
	}
}

/* totals[0]: of all, and then those of each owner. */
static void walk(
	struct replica_writer *writer, struct replica_total totals[REPLICA_TRUTH_OWNERS + 1])
{
	static struct replica_record record;
	char after[CODE_MAX + 1] = "";
	while (replica_writer_next(writer, after, &record) == REPLICA_OK) {
		cr_assert_lt(record.link.owner, REPLICA_TRUTH_OWNERS);
		count(&totals[0], record.link.state);
		count(&totals[record.link.owner + 1], record.link.state);
		memcpy(after, record.link.code, sizeof(after));
	}
}

bool replica_truth_is_told(struct replica_writer *writer, int64_t owners)
{
	struct replica_total truth[REPLICA_TRUTH_OWNERS + 1] = { 0 }, told;
	bool good = true;
	walk(writer, truth);
	for (int64_t owner = -1; owner < owners && good; owner++)
		good = replica_writer_total(writer, owner, &told) == REPLICA_OK &&
		       memcmp(&told, &truth[owner + 1], sizeof(told)) == 0;
	return good;
}

bool replica_truth_is_unknown(struct replica_writer *writer, int64_t owners)
{
	struct replica_total told;
	bool unknown = true;
	for (int64_t owner = -1; owner < owners && unknown; owner++)
		unknown = replica_writer_total(writer, owner, &told) == REPLICA_MISSING;
	return unknown;
}

void replica_truth_remove(struct replica_writer *writer)
{
	MDB_cursor *cursor;
	MDB_val value;
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(mdb_cursor_open(writer->txn, writer->env->meta, &cursor), 0);
	for (;;) {
		MDB_val key = { 5, (char[]){ "total" } };
		if (mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE) != 0 || key.mv_size < 5 ||
			memcmp(key.mv_data, "total", 5) != 0)
			break;
		cr_assert_eq(mdb_cursor_del(cursor, 0), 0);
	}
	mdb_cursor_close(cursor);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
}

void replica_truth_damage(int64_t owner, size_t at)
{
	unsigned char key[13] = "total";
	const size_t len = owner == -1 ? 5 : sizeof(key);
	char *bytes = malloc(FILE_MAX);
	size_t size = scratch_read(strrchr(replica_scratch_file(), '/') + 1, bytes, FILE_MAX);
	int file = open(replica_scratch_file(), O_WRONLY);
	for (unsigned i = 0; i < 8; i++)
		key[5 + i] = (unsigned char)((uint64_t)owner >> (56 - 8 * i));
	for (char *found = bytes;
		(found = memmem(found, size - (size_t)(found - bytes), key, len)) != NULL;
		found++) {
		/* Those of all have no owner behind the name, but a checksum. */
		if (owner == -1 && memcmp(found + len, "\0\0\0\0", 4) == 0)
			continue;
		const char byte = (char)(found[at] ^ 0x10);
		cr_assert_eq(pwrite(file, &byte, 1, found - bytes + (off_t)at), 1);
	}
	close(file);
	free(bytes);
}
