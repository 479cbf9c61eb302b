#include "domain/batch.h"

#include <stdlib.h>

enum { COLUMN_MAX = 16 << 20, PARAMETERS = BATCH_COLUMNS + 4 };

struct batch *batch_new(unsigned columns)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->columns = columns;
	for (unsigned i = 0; i < columns; i++)
		batch->arrays[i] = text_growing(COLUMN_MAX);
	return batch;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	for (unsigned i = 0; i < batch->columns; i++)
		text_free(&batch->arrays[i]);
	free(batch);
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->greatest = 0;
	for (unsigned i = 0; i < batch->columns; i++)
		text_clear(&batch->arrays[i]);
}

void batch_add_id(struct batch *batch, int64_t id)
{
	db_array_number(&batch->arrays[0], id);
	if (id > batch->greatest)
		batch->greatest = id;
}

/* Before the rows are stored: what fails afterwards would leave ids that are given out again. */
static enum db_result pass(struct db *db, enum db_statement pass_id, int64_t greatest)
{
	char id[DB_NUMBER];
	const char *parameter = db_number_text(id, greatest);
	enum db_result result = greatest > 0 ? db_run(db, pass_id, &parameter, 1) : DB_OK;

	return result == DB_NOT_FOUND ? DB_OK : result;
}

/*
 * A user who goes away while the rows are stored costs all of them the statement: sent once more, it
 * names the rows of that user. A second refusal must not look like DB_NOT_FOUND, "all are stored".
 */
static enum db_result store(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, struct db_rows **refused)
{
	enum db_result result = db_query(db, statement, parameters, count, refused);

	if (result == DB_NOT_FOUND && db_refused(db))
		result = db_query(db, statement, parameters, count, refused);
	return result == DB_NOT_FOUND && db_refused(db) ? DB_DOWN : result;
}

enum db_result batch_store(struct db *db, enum db_statement statement, enum db_statement pass_id,
	struct batch *batch, const char *const *more, int count, struct db_rows **refused)
{
	const char *parameters[PARAMETERS];
	enum db_result passed = pass(db, pass_id, batch->greatest);
	int next = 0;

	*refused = NULL;
	if (passed != DB_OK)
		return passed;
	for (unsigned i = 0; i < batch->columns; i++) {
		parameters[next++] = db_array_end(&batch->arrays[i]);
		if (batch->arrays[i].cut)
			return DB_DOWN;
	}
	for (int i = 0; i < count; i++)
		parameters[next++] = more[i];
	return store(db, statement, parameters, next, refused);
}
