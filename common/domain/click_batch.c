#include "domain/click_batch.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"

enum {
	ROW_MAX = 640,           /* bytes of a row, at most */
	VALUES_BYTES = 64 << 20, /* limit of all values together */
	VALUE_BITS = 28,
	KNOWN = 1 << 16, /* visitors remembered */
	STATS_A_CLICK = 3
};

/* Seconds from 1970 to 2000, where PostgreSQL's time begins. */
#define EPOCH_MS INT64_C(946684800000)

static const char rows_begin[19] = "PGCOPY\n\377\r\n";
static const char rows_end[2] = { '\377', '\377' };

struct click_batch {
	unsigned room, count;
	char *rows;
	size_t rows_len, rows_room;
	int64_t *times;
	struct click_count *counts;
	struct click_stat *stats;
	struct click_visit *visits;
	unsigned counts_count, stats_count, visits_count;
	int32_t days[CLICK_BATCH_DAYS];
	unsigned days_count;
	struct click_move *moves;
	unsigned moves_count, moves_room;
	/* Each value once: its bytes, where it begins, and a hash table of 1 + its number. */
	struct text values;
	uint32_t *value_at, *value_cells;
	unsigned values_count, values_room;
	struct click_visit *known; /* KNOWN cells, by hash */
};

struct click_batch *click_batch_new(void)
{
	struct click_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		batch->known = calloc(KNOWN, sizeof(*batch->known));
	if (!batch || !batch->known) {
		free(batch);
		return NULL;
	}
	batch->values = text_growing(VALUES_BYTES);
	return batch;
}

static void release(struct click_batch *batch)
{
	free(batch->rows);
	free(batch->times);
	free(batch->counts);
	free(batch->stats);
	free(batch->visits);
	free(batch->value_at);
	free(batch->value_cells);
	text_free(&batch->values);
	batch->rows = NULL;
	batch->rows_room = 0;
	batch->times = NULL;
	batch->counts = NULL;
	batch->stats = NULL;
	batch->visits = NULL;
	batch->value_at = batch->value_cells = NULL;
	batch->values = text_growing(VALUES_BYTES);
	batch->room = 0;
}

void click_batch_free(struct click_batch *batch)
{
	if (!batch)
		return;
	release(batch);
	text_free(&batch->values);
	free(batch->moves);
	free(batch->known);
	free(batch);
}

/* A power of two, so that a hash is cut to a cell by a mask; at most half of the cells are used. */
static unsigned cells_for(unsigned values)
{
	unsigned cells = 64;

	while (cells < 2 * values)
		cells *= 2;
	return cells;
}

static bool allocate(struct click_batch *batch, unsigned room)
{
	release(batch);
	batch->values_room = STATS_A_CLICK * room;
	batch->times = calloc(room, sizeof(*batch->times));
	batch->counts = calloc(room, sizeof(*batch->counts));
	batch->stats = calloc((size_t)STATS_A_CLICK * room, sizeof(*batch->stats));
	batch->visits = calloc(room, sizeof(*batch->visits));
	batch->value_at = calloc(batch->values_room, sizeof(*batch->value_at));
	batch->value_cells = calloc(cells_for(batch->values_room), sizeof(*batch->value_cells));
	if (!batch->times || !batch->counts || !batch->stats || !batch->visits ||
		!batch->value_at || !batch->value_cells) {
		release(batch);
		return false;
	}
	batch->room = room;
	return true;
}

static bool make_room_for_row(struct click_batch *batch)
{
	size_t room = batch->rows_room ? batch->rows_room * 2 : (size_t)64 << 10;
	char *rows;

	if (batch->rows_room - batch->rows_len >= ROW_MAX)
		return true;
	rows = realloc(batch->rows, room);
	if (!rows)
		return false;
	batch->rows = rows;
	batch->rows_room = room;
	return true;
}

bool click_batch_clear(struct click_batch *batch, unsigned room)
{
	if (batch->room != room && !allocate(batch, room))
		return false;
	batch->count = batch->counts_count = batch->stats_count = batch->visits_count = 0;
	batch->moves_count = batch->days_count = 0;
	text_clear(&batch->values);
	if (batch->values_count > 0)
		memset(batch->value_cells, 0,
			cells_for(batch->values_room) * sizeof(*batch->value_cells));
	batch->values_count = 0;
	batch->rows_len = 0;
	if (!make_room_for_row(batch))
		return false;
	memcpy(batch->rows, rows_begin, sizeof(rows_begin));
	batch->rows_len = sizeof(rows_begin);
	return true;
}

/* Where the value's number is, or the free cell for it. */
static uint32_t *cell_of(const struct click_batch *batch, const char *value, size_t len)
{
	unsigned mask = cells_for(batch->values_room) - 1;
	unsigned at = crc32c(value, len) & mask;

	while (batch->value_cells[at] != 0 &&
		strcmp(batch->values.data + batch->value_at[batch->value_cells[at] - 1], value) !=
			0)
		at = (at + 1) & mask;
	return &batch->value_cells[at];
}

/* The value's number; false without memory. */
static bool intern(struct click_batch *batch, const char *value, uint32_t *number)
{
	size_t len = strlen(value);
	uint32_t *cell = cell_of(batch, value, len);

	if (*cell == 0) {
		batch->value_at[batch->values_count] = (uint32_t)batch->values.len;
		text_add_bytes(&batch->values, value, len + 1);
		if (batch->values.cut)
			return false;
		*cell = ++batch->values_count;
	}
	*number = *cell - 1;
	return true;
}

/* --- Rows: a count of columns, then of each its length and its bytes, all big-endian. --- */

static char *put(char *to, const void *bytes, size_t len)
{
	uint32_t size = htobe32((uint32_t)len);

	memcpy(to, &size, sizeof(size));
	memcpy(to + sizeof(size), bytes, len);
	return to + sizeof(size) + len;
}

static char *put_number(char *to, int64_t number)
{
	uint64_t value = htobe64((uint64_t)number);

	return put(to, &value, sizeof(value));
}

static char *put_null(char *to)
{
	memset(to, 0xff, sizeof(uint32_t));
	return to + sizeof(uint32_t);
}

static char *put_text(char *to, const char *text)
{
	return text ? put(to, text, strlen(text)) : put_null(to);
}

static char *put_boolean(char *to, bool value)
{
	return put(to, value ? "\1" : "\0", 1);
}

static char *put_network(char *to, const struct spool_record *record)
{
	/* Family as PostgreSQL numbers it, bits of the mask, that it is a cidr, bytes. */
	unsigned char value[4 + 16] = { record->network_bytes == 4 ? 2 : 3,
		(unsigned char)record->network_bits, 1, (unsigned char)record->network_bytes };

	if (record->network_bytes == 0)
		return put_null(to);
	memcpy(value + 4, record->network, record->network_bytes);
	return put(to, value, 4 + record->network_bytes);
}

static void add_row(struct click_batch *batch, const struct spool_record *record, int64_t segment,
	int64_t position)
{
	uint16_t columns = htobe16(12), status = htobe16((uint16_t)record->status);
	char *to = batch->rows + batch->rows_len;

	memcpy(to, &columns, sizeof(columns));
	to = put_number(to + sizeof(columns), (record->time - EPOCH_MS) * 1000);
	to = put_number(to, segment);
	to = put_number(to, position);
	to = put_number(to, record->link);
	to = put(to, &status, sizeof(status));
	to = put_text(to, record->referrer);
	to = put_text(to, record->browser);
	to = put_text(to, record->os);
	to = put_boolean(to, record->bot);
	to = put_boolean(to, record->prefetch);
	to = put_network(to, record);
	to = put_number(to, record->visitor);
	batch->rows_len = (size_t)(to - batch->rows);
}

/* --- What is counted of them --- */

static void add_stat(struct click_batch *batch, int64_t link, int32_t day,
	enum click_dimension dimension, uint32_t value)
{
	batch->stats[batch->stats_count++] = (struct click_stat){
		.link = link, .day = day, .key = (uint32_t)dimension << VALUE_BITS | value, .n = 1
	};
}

static struct click_visit *known_cell(
	const struct click_batch *batch, const struct click_visit *visit)
{
	uint64_t mixed = (uint64_t)visit->visitor ^ (uint64_t)visit->link * 0x9e3779b97f4a7c15u;

	return &batch->known[(mixed ^ mixed >> 32) & (KNOWN - 1)];
}

static bool same_visit(const struct click_visit *a, const struct click_visit *b)
{
	return a->visitor == b->visitor && a->link == b->link && a->day == b->day;
}

static void add_visit(struct click_batch *batch, int64_t link, int32_t day, int64_t visitor)
{
	struct click_visit visit = { .link = link, .visitor = visitor, .day = day };

	if (!same_visit(known_cell(batch, &visit), &visit))
		batch->visits[batch->visits_count++] = visit;
}

static void add_day(struct click_batch *batch, int32_t day)
{
	for (unsigned i = 0; i < batch->days_count; i++)
		if (batch->days[i] == day)
			return;
	if (batch->days_count < CLICK_BATCH_DAYS)
		batch->days[batch->days_count++] = day;
}

bool click_batch_add(struct click_batch *batch, const struct spool_record *record, int64_t segment,
	int64_t position)
{
	int32_t day = (int32_t)(record->time / CLICK_DAY_MS);
	uint32_t referrer, browser, os;

	if (batch->count == batch->room || !make_room_for_row(batch) ||
		!intern(batch, record->referrer ? record->referrer : "", &referrer) ||
		!intern(batch, record->browser, &browser) || !intern(batch, record->os, &os))
		return false;
	add_row(batch, record, segment, position);
	batch->times[batch->count++] = record->time;
	batch->counts[batch->counts_count++] = (struct click_count){ .link = record->link,
		.hour = (int32_t)(record->time / CLICK_HOUR_MS),
		.n = 1,
		.bots = record->bot };
	add_day(batch, day);
	if (record->bot) {
		add_stat(batch, record->link, day, CLICK_BOT, browser);
		return true;
	}
	add_stat(batch, record->link, day, CLICK_REFERRER, referrer);
	add_stat(batch, record->link, day, CLICK_BROWSER, browser);
	add_stat(batch, record->link, day, CLICK_OS, os);
	add_visit(batch, record->link, day, record->visitor);
	return true;
}

bool click_batch_move(struct click_batch *batch, const struct click_move *move)
{
	unsigned room = batch->moves_room ? batch->moves_room * 2 : 16;
	struct click_move *moves = batch->moves;

	if (batch->moves_count == batch->moves_room) {
		moves = realloc(moves, room * sizeof(*moves));
		if (!moves)
			return false;
		batch->moves = moves;
		batch->moves_room = room;
	}
	moves[batch->moves_count++] = *move;
	return true;
}

/* --- In the order of the tables' keys: neighbours of a page meet, sessions wait and don't lock. --- */

#define COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare_counts(const void *one, const void *other)
{
	const struct click_count *a = one, *b = other;

	return a->link != b->link ? COMPARE(a->link, b->link) : COMPARE(a->hour, b->hour);
}

static int compare_stats(const void *one, const void *other)
{
	const struct click_stat *a = one, *b = other;

	if (a->day != b->day)
		return COMPARE(a->day, b->day);
	return a->link != b->link ? COMPARE(a->link, b->link) : COMPARE(a->key, b->key);
}

static int compare_visits(const void *one, const void *other)
{
	const struct click_visit *a = one, *b = other;

	if (a->day != b->day)
		return COMPARE(a->day, b->day);
	return a->link != b->link ? COMPARE(a->link, b->link) : COMPARE(a->visitor, b->visitor);
}

static void merge_counts(struct click_batch *batch)
{
	struct click_count *counts = batch->counts;
	unsigned kept = 0;

	qsort(counts, batch->counts_count, sizeof(*counts), compare_counts);
	for (unsigned i = 1; i < batch->counts_count; i++) {
		if (compare_counts(&counts[kept], &counts[i]) != 0) {
			counts[++kept] = counts[i];
			continue;
		}
		counts[kept].n += counts[i].n;
		counts[kept].bots += counts[i].bots;
	}
	if (batch->counts_count > 0)
		batch->counts_count = kept + 1;
}

static void merge_stats(struct click_batch *batch)
{
	struct click_stat *stats = batch->stats;
	unsigned kept = 0;

	qsort(stats, batch->stats_count, sizeof(*stats), compare_stats);
	for (unsigned i = 1; i < batch->stats_count; i++) {
		if (compare_stats(&stats[kept], &stats[i]) != 0)
			stats[++kept] = stats[i];
		else
			stats[kept].n += stats[i].n;
	}
	if (batch->stats_count > 0)
		batch->stats_count = kept + 1;
}

static void merge_visits(struct click_batch *batch)
{
	struct click_visit *visits = batch->visits;
	unsigned kept = 0;

	qsort(visits, batch->visits_count, sizeof(*visits), compare_visits);
	for (unsigned i = 1; i < batch->visits_count; i++)
		if (compare_visits(&visits[kept], &visits[i]) != 0)
			visits[++kept] = visits[i];
	if (batch->visits_count > 0)
		batch->visits_count = kept + 1;
}

void click_batch_seal(struct click_batch *batch)
{
	memcpy(batch->rows + batch->rows_len, rows_end, sizeof(rows_end));
	batch->rows_len += sizeof(rows_end);
	merge_counts(batch);
	merge_stats(batch);
	merge_visits(batch);
}

void click_batch_remember(struct click_batch *batch)
{
	for (unsigned i = 0; i < batch->visits_count; i++)
		*known_cell(batch, &batch->visits[i]) = batch->visits[i];
}

void click_batch_forget(struct click_batch *batch)
{
	memset(batch->known, 0, KNOWN * sizeof(*batch->known));
}

/* --- Reading it --- */

unsigned click_batch_count(const struct click_batch *batch)
{
	return batch->count;
}

unsigned click_batch_moves(const struct click_batch *batch, const struct click_move **moves)
{
	*moves = batch->moves;
	return batch->moves_count;
}

unsigned click_batch_counts(const struct click_batch *batch, const struct click_count **counts)
{
	*counts = batch->counts;
	return batch->counts_count;
}

unsigned click_batch_stats(const struct click_batch *batch, const struct click_stat **stats)
{
	*stats = batch->stats;
	return batch->stats_count;
}

unsigned click_batch_visits(const struct click_batch *batch, const struct click_visit **visits)
{
	*visits = batch->visits;
	return batch->visits_count;
}

unsigned click_batch_days(const struct click_batch *batch, const int32_t **days)
{
	*days = batch->days;
	return batch->days_count;
}

const int64_t *click_batch_times(const struct click_batch *batch)
{
	return batch->times;
}

const char *click_batch_rows(const struct click_batch *batch, size_t *len)
{
	*len = batch->rows_len;
	return batch->rows;
}

enum click_dimension click_batch_dimension(const struct click_stat *stat)
{
	return (enum click_dimension)(stat->key >> VALUE_BITS);
}

const char *click_batch_value(const struct click_batch *batch, const struct click_stat *stat)
{
	return batch->values.data + batch->value_at[stat->key & ((1u << VALUE_BITS) - 1)];
}
