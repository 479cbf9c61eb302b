#include "domain/replica_ids.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 12 };

/* Doubles an array until it has room for `wanted` elements. */
static bool make_room(void **array, size_t *room, size_t wanted, size_t size)
{
	size_t larger = *room == 0 ? FIRST_ROOM : *room;
	while (larger < wanted)
		larger *= 2;
	if (larger == *room)
		return true;
	void *moved = realloc(*array, larger * size);
	if (moved == NULL)
		return false;
	*array = moved;
	*room = larger;
	return true;
}

bool replica_ids_add(struct replica_ids *ids, int64_t id, const char *code)
{
	size_t len = strlen(code) + 1;
	void *entries = ids->entries, *codes = ids->codes;
	bool good = make_room(&entries, &ids->room, ids->count + 1, sizeof(*ids->entries));
	ids->entries = entries;
	good = good && make_room(&codes, &ids->codes_room, ids->codes_len + len, 1);
	ids->codes = codes;
	if (!good)
		return false;
	ids->entries[ids->count++] = (struct replica_id){ id, ids->codes_len };
	memcpy(ids->codes + ids->codes_len, code, len);
	ids->codes_len += len;
	return true;
}

void replica_ids_cut(struct replica_ids *ids, size_t count)
{
	if (count >= ids->count)
		return;
	ids->codes_len = ids->entries[count].at;
	ids->count = count;
}

static int compare(const void *left, const void *right)
{
	const struct replica_id *a = left, *b = right;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

void replica_ids_sort(struct replica_ids *ids)
{
	if (ids->count > 1)
		qsort(ids->entries, ids->count, sizeof(*ids->entries), compare);
}

void replica_ids_clear(struct replica_ids *ids)
{
	free(ids->entries);
	free(ids->codes);
	*ids = (struct replica_ids){ 0 };
}
