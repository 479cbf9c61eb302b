/*
 * batch - rows of one statement that stores many at once: a column is an array.
 *
 * The statement of a batch gets the columns, each with a value for each row, and then further
 * parameters. It answers with a row for each one that it did not store: its place in the batch, from
 * 0, and why, in a word; no row means that all are stored. It is one transaction.
 */
#ifndef DOMAIN_BATCH_H
#define DOMAIN_BATCH_H

#include "db/db.h"
#include "db/db_array.h"

enum { BATCH_ROWS = 2000, BATCH_COLUMNS = 16 };

/* The greatest id that may be given: the next ones are beyond it, and must fit into JSON as well. */
#define BATCH_ID_MAX (INT64_C(1) << 52)

struct batch {
	unsigned count; /* of rows */
	unsigned columns;
	int64_t greatest; /* of the ids that were given, 0 for none */
	struct text arrays[BATCH_COLUMNS];
};

/* NULL: no memory. */
struct batch *batch_new(unsigned columns);
void batch_free(struct batch *batch);
void batch_clear(struct batch *batch);

/* Adds an id that was given, 0 for one to be made, to the first column. */
void batch_add_id(struct batch *batch, int64_t id);

/*
 * Runs it: DB_NOT_FOUND when all are stored, DB_OK with the rows that are not; else none is. more:
 * further parameters. The batch is then to be cleared. pass_id: the statement after which new ids are
 * beyond one that was given.
 */
__attribute__((warn_unused_result)) enum db_result batch_store(struct db *db,
	enum db_statement statement, enum db_statement pass_id, struct batch *batch,
	const char *const *more, int count, struct db_rows **refused);

#endif
