#include "base/text.h"
#include "db/db_private.h"

const char *db_number_text(char memory[DB_NUMBER], int64_t number)
{
	struct text text = text_fixed(memory, DB_NUMBER);

	text_add_number(&text, number);
	return memory;
}

/* struct db_rows is never defined: it is libpq's result under a name that others may know. */
static const PGresult *result_of(const struct db_rows *rows)
{
	return (const PGresult *)rows;
}

int db_rows_count(const struct db_rows *rows)
{
	return PQntuples(result_of(rows));
}

const char *db_text(const struct db_rows *rows, int row, int column)
{
	return PQgetvalue(result_of(rows), row, column);
}

bool db_is_null(const struct db_rows *rows, int row, int column)
{
	return PQgetisnull(result_of(rows), row, column);
}

int64_t db_number(const struct db_rows *rows, int row, int column)
{
	int64_t number = 0;

	(void)text_to_number(db_text(rows, row, column), INT64_MIN, INT64_MAX, &number);
	return number;
}

bool db_boolean(const struct db_rows *rows, int row, int column)
{
	return *db_text(rows, row, column) == 't';
}

void db_rows_free(struct db_rows *rows)
{
	PQclear((PGresult *)rows);
}
