#include "domain/click_store.h"

#include <stddef.h>

#include "base/text.h"
#include "db/db_array.h"

enum { PARAMETER_MAX = 256 << 20, COLUMNS_MAX = 5 };

/* Parameters that are arrays, a column each, growing row by row; the last one is a number. */
struct columns {
	struct text texts[COLUMNS_MAX];
	unsigned count;
	char node[DB_NUMBER];
};

static void begin_columns(struct columns *columns, unsigned count)
{
	columns->count = count;
	for (unsigned i = 0; i < count; i++)
		columns->texts[i] = text_growing(PARAMETER_MAX);
}

static void add_number(struct columns *columns, unsigned column, int64_t number)
{
	db_array_number(&columns->texts[column], number);
}

static void add_word(struct columns *columns, unsigned column, const char *word)
{
	db_array_text(&columns->texts[column], word);
}

/* Ends the arrays and gives all parameters; false: no memory. */
static bool end_columns(
	struct columns *columns, int64_t node, const char *parameters[COLUMNS_MAX + 1])
{
	bool whole = true;

	for (unsigned i = 0; i < columns->count; i++) {
		parameters[i] = db_array_end(&columns->texts[i]);
		whole = whole && !columns->texts[i].cut;
	}
	parameters[columns->count] = db_number_text(columns->node, node);
	return whole;
}

static void free_columns(struct columns *columns)
{
	for (unsigned i = 0; i < columns->count; i++)
		text_free(&columns->texts[i]);
}

static enum store_result result_from(struct db *db, enum db_result result)
{
	if (result == DB_OK || result == DB_NOT_FOUND)
		return STORE_OK;
	return db_unfit(db) ? STORE_REFUSED : STORE_FAILED;
}

static enum store_result run_columns(
	struct db *db, enum db_statement statement, struct columns *columns, int64_t node)
{
	const char *parameters[COLUMNS_MAX + 1];
	enum store_result result = STORE_FAILED;

	if (end_columns(columns, node, parameters))
		result =
			result_from(db, db_run(db, statement, parameters, (int)columns->count + 1));
	free_columns(columns);
	return result;
}

static enum store_result move_offsets(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_move *moves;
	unsigned count = click_batch_moves(batch, &moves);
	const char *parameters[COLUMNS_MAX + 1];
	enum store_result result = STORE_FAILED;
	struct columns columns;
	struct db_rows *rows = NULL;

	begin_columns(&columns, 4);
	for (unsigned i = 0; i < count; i++) {
		add_number(&columns, 0, moves[i].segment);
		add_number(&columns, 1, moves[i].from);
		add_number(&columns, 2, moves[i].to);
		add_number(&columns, 3, moves[i].records);
	}
	if (end_columns(&columns, node, parameters))
		result = result_from(db, db_query(db, STATEMENT_spool_move, parameters, 5, &rows));
	if (result == STORE_OK && db_number(rows, 0, 0) != count)
		result = STORE_CONFLICT;
	db_rows_free(rows);
	free_columns(&columns);
	return result;
}

static enum store_result add_rows(struct db *db, const struct click_batch *batch, int64_t node)
{
	size_t len;
	const char *rows = click_batch_rows(batch, &len);

	(void)node; /* a row is nobody's: its segment tells */
	return result_from(db, db_copy(db, STATEMENT_clicks_add, rows, len));
}

static enum store_result add_visits(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_visit *visits;
	unsigned count = click_batch_visits(batch, &visits);
	struct columns columns;

	if (count == 0)
		return STORE_OK;
	begin_columns(&columns, 3);
	for (unsigned i = 0; i < count; i++) {
		add_number(&columns, 0, visits[i].link);
		add_number(&columns, 1, visits[i].day);
		add_number(&columns, 2, visits[i].visitor);
	}
	return run_columns(db, STATEMENT_clicks_visit, &columns, node);
}

static enum store_result add_stats(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_stat *stats;
	unsigned count = click_batch_stats(batch, &stats);
	struct columns columns;

	begin_columns(&columns, 5);
	for (unsigned i = 0; i < count; i++) {
		add_number(&columns, 0, stats[i].link);
		add_number(&columns, 1, stats[i].day);
		add_number(&columns, 2, click_batch_dimension(&stats[i]));
		add_word(&columns, 3, click_batch_value(batch, &stats[i]));
		add_number(&columns, 4, stats[i].n);
	}
	return run_columns(db, STATEMENT_clicks_describe, &columns, node);
}

static enum store_result add_counts(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_count *counts;
	unsigned count = click_batch_counts(batch, &counts);
	struct columns columns;

	begin_columns(&columns, 4);
	for (unsigned i = 0; i < count; i++) {
		add_number(&columns, 0, counts[i].link);
		add_number(&columns, 1, counts[i].hour);
		add_number(&columns, 2, counts[i].n);
		add_number(&columns, 3, counts[i].bots);
	}
	return run_columns(db, STATEMENT_clicks_count, &columns, node);
}

static enum store_result add_runs(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_move *moves;
	unsigned count = click_batch_moves(batch, &moves);
	struct columns columns;

	begin_columns(&columns, 2);
	for (unsigned i = 0; i < count; i++) {
		add_number(&columns, 0, (int64_t)moves[i].run);
		add_number(&columns, 1, moves[i].records);
	}
	return run_columns(db, STATEMENT_spool_run_add, &columns, node);
}

/* Of all links: they come in the order of links, and mostly of the same hour. */
static enum store_result add_totals(struct db *db, const struct click_batch *batch, int64_t node)
{
	const struct click_count *counts;
	unsigned count = click_batch_counts(batch, &counts);
	struct columns columns;
	int64_t n = 0;

	begin_columns(&columns, 2);
	for (unsigned i = 0; i < count; i++) {
		n += counts[i].n;
		if (i + 1 < count && counts[i + 1].hour == counts[i].hour)
			continue;
		add_number(&columns, 0, counts[i].hour);
		add_number(&columns, 1, n);
		n = 0;
	}
	return run_columns(db, STATEMENT_clicks_total, &columns, node);
}

static void get_on(struct db *db, const struct store_pace *pace)
{
	workers_busy(pace->slot, pace->thread);
	db_set_deadline(db, pace->statement_ms);
}

/* All but the end of the transaction. */
static enum store_result fill(
	struct db *db, const struct click_batch *batch, int64_t node, const struct store_pace *pace)
{
	/* Totals last: who packs holds a link's counts while it waits for them. */
	static enum store_result (*const steps[])(
		struct db * db, const struct click_batch *batch, int64_t node) = { add_rows,
		add_visits, add_stats, add_counts, add_runs, add_totals };
	/* First, so that a second ingest, or an old view, has done nothing yet. */
	enum store_result result = move_offsets(db, batch, node);

	if (click_batch_count(batch) == 0)
		return result;
	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps) && result == STORE_OK; i++) {
		get_on(db, pace);
		result = steps[i](db, batch, node);
	}
	return result;
}

enum store_result store_commit(
	struct db *db, const struct click_batch *batch, int64_t node, const struct store_pace *pace)
{
	enum store_result result;

	get_on(db, pace);
	if (db_begin(db) != DB_OK)
		return STORE_FAILED;
	result = fill(db, batch, node, pace);
	if (result != STORE_OK) {
		db_rollback(db);
		return result;
	}
	get_on(db, pace);
	switch (db_commit(db)) {
	case DB_OK: return STORE_OK;
	case DB_DOWN: return STORE_UNKNOWN;
	case DB_CONFLICT:
	case DB_NOT_FOUND:
	case DB_BUSY: break;
	}
	return STORE_FAILED;
}

static void add_segments(struct text *array, const struct store_offset *offsets, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		db_array_number(array, offsets[i].segment);
	(void)db_array_end(array);
}

static void fill_in(struct store_offset *offsets, unsigned count, int64_t segment, int64_t bytes)
{
	unsigned low = 0, high = count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (offsets[middle].segment < segment)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && offsets[low].segment == segment)
		offsets[low].bytes = bytes;
}

enum store_result store_offsets(struct db *db, struct store_offset *offsets, unsigned count)
{
	struct text segments = text_growing(PARAMETER_MAX);
	enum store_result result = STORE_FAILED;
	struct db_rows *rows = NULL;

	add_segments(&segments, offsets, count);
	if (!segments.cut) {
		const char *const parameters[] = { segments.data };

		result = result_from(
			db, db_query(db, STATEMENT_spool_offsets, parameters, 1, &rows));
	}
	if (result == STORE_OK) {
		for (unsigned i = 0; i < count; i++)
			offsets[i].bytes = 0;
		for (int row = 0; rows && row < db_rows_count(rows); row++)
			fill_in(offsets, count, db_number(rows, row, 0), db_number(rows, row, 1));
	}
	db_rows_free(rows);
	text_free(&segments);
	return result;
}

/* The number that a statement answers with; absent where there is no row. */
static enum store_result ask_number(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, int64_t absent, int64_t *number)
{
	struct db_rows *rows;
	enum store_result result =
		result_from(db, db_query(db, statement, parameters, count, &rows));

	if (result == STORE_OK)
		*number = rows ? db_number(rows, 0, 0) : absent;
	db_rows_free(rows);
	return result;
}

enum store_result store_run(struct db *db, uint64_t run, int64_t *records)
{
	char number[DB_NUMBER];
	const char *const parameters[] = { db_number_text(number, (int64_t)run) };

	return ask_number(db, STATEMENT_spool_run, parameters, 1, 0, records);
}

enum store_result store_make_days(struct db *db, int32_t first, int32_t last)
{
	char from[DB_NUMBER], to[DB_NUMBER];
	const char *const parameters[] = { db_number_text(from, first), db_number_text(to, last) };

	return result_from(db, db_run(db, STATEMENT_clicks_make_partitions, parameters, 2));
}

enum store_result store_drop_days(struct db *db, int32_t today, int64_t days)
{
	char day[DB_NUMBER], stay[DB_NUMBER];
	const char *const parameters[] = { db_number_text(day, today), db_number_text(stay, days) };

	return result_from(db, db_run(db, STATEMENT_clicks_drop_partitions, parameters, 2));
}

enum store_result store_find_unindexed(struct db *db, int32_t before, int64_t *day)
{
	char end[DB_NUMBER];
	const char *const parameters[] = { db_number_text(end, before) };

	return ask_number(db, STATEMENT_clicks_without_index, parameters, 1, STORE_ANY_DAY, day);
}

enum store_result store_index_day(struct db *db, int64_t day)
{
	char number[DB_NUMBER];
	const char *const parameters[] = { db_number_text(number, day) };

	return result_from(db, db_run(db, STATEMENT_clicks_index_partition, parameters, 1));
}

enum store_result store_clock(struct db *db, int64_t *seconds)
{
	return ask_number(db, STATEMENT_server_clock, NULL, 0, 0, seconds);
}

enum store_result store_pack(struct db *db, int32_t before, int32_t *day, int64_t *link)
{
	char from[DB_NUMBER], after[DB_NUMBER], end[DB_NUMBER];
	const char *const parameters[] = { db_number_text(from, *day), db_number_text(after, *link),
		db_number_text(end, before) };
	struct db_rows *rows;
	enum store_result result =
		result_from(db, db_query(db, STATEMENT_clicks_pack, parameters, 3, &rows));

	if (result == STORE_OK) {
		*day = rows ? (int32_t)db_number(rows, 0, 0) : STORE_ANY_DAY;
		*link = rows ? db_number(rows, 0, 1) : INT64_MIN;
	}
	db_rows_free(rows);
	return result;
}

enum store_result store_forget(struct db *db, int64_t node, int64_t seconds,
	const struct store_offset *present, unsigned count)
{
	struct text segments = text_growing(PARAMETER_MAX);
	char machine[DB_NUMBER], age[DB_NUMBER];
	enum store_result result = STORE_FAILED;

	add_segments(&segments, present, count);
	if (!segments.cut) {
		const char *const parameters[] = { db_number_text(machine, node),
			db_number_text(age, seconds), segments.data };

		result = result_from(db, db_run(db, STATEMENT_spool_forget, parameters, 3));
	}
	text_free(&segments);
	return result;
}
