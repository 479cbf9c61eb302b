#include "db/db_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

_Static_assert((int)DB_OK == LABEL_result_OK && (int)DB_CONFLICT == LABEL_result_CONFLICT &&
		       (int)DB_NOT_FOUND == LABEL_result_NOT_FOUND &&
		       (int)DB_BUSY == LABEL_result_BUSY && (int)DB_DOWN == LABEL_result_DOWN,
	"a result is a label as it is");

struct call {
	enum db_statement statement;
	const char *const *parameters;
	int count;
};

static const struct {
	const char *name, *sql;
} statements[] = {
#define STATEMENT(id, sql) { #id, sql },
#include "db/statements.def"
};

/* The options that the url sets itself; NULL when it cannot be read. Owned by the caller. */
static char *options_of(const char *url)
{
	PQconninfoOption *settings = PQconninfoParse(url, NULL);
	char *options = NULL;

	if (!settings)
		return NULL;
	for (const PQconninfoOption *setting = settings; setting->keyword; setting++)
		if (strcmp(setting->keyword, "options") == 0)
			options = strdup(setting->val ? setting->val : "");
	PQconninfoFree(settings);
	return options;
}

struct db *db_new(const char *url, const char *program)
{
	struct db *db = calloc(1, sizeof(*db));
	struct text name;

	if (!db)
		return NULL;
	name = text_fixed(db->name, sizeof(db->name));
	text_addf(&name, "linkshrink-%s", program);
	db->program = metrics_program(program);
	db->url = strdup(url);
	db->options = options_of(url);
	if (!db->url || !db->options) {
		db_free(db);
		return NULL;
	}
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_drop(db);
	free(db->url);
	free(db->options);
	free(db);
}

void db_set_deadline(struct db *db, int64_t ms)
{
	db->budget_ms = ms;
	db->deadline = clock_monotonic() + (uint64_t)ms * CLOCK_MS;
	db->spent = 0;
}

/* Like db_await(), and the connection is gone unless the answer arrived on one that goes on. */
static enum db_wait finish(struct db *db, const struct call *call, PGresult **answer)
{
	enum db_wait end = db_await(db, answer);

	if (end == DB_LOST) {
		db_log_failure(db, call->statement, *answer, end);
		db_drop(db);
	} else if (end == DB_LATE) {
		db_log_down("", "no answer in time");
		db_back_off(db);
	}
	return end;
}

static enum db_wait prepare(struct db *db, const struct call *call, PGresult **answer)
{
	const char *name = statements[call->statement].name;
	enum db_wait end;

	*answer = NULL;
	if (db->prepared[call->statement])
		return DB_ARRIVED;
	PQsendPrepare(db->connection, name, statements[call->statement].sql, 0, NULL);
	end = finish(db, call, answer);
	if (end == DB_ARRIVED && PQresultStatus(*answer) == PGRES_COMMAND_OK) {
		db->prepared[call->statement] = true;
		PQclear(*answer);
		*answer = NULL;
	}
	return end;
}

static enum db_wait execute(struct db *db, const struct call *call, PGresult **answer)
{
	PQsendQueryPrepared(db->connection, statements[call->statement].name, call->count,
		call->parameters, NULL, NULL, 0);
	return finish(db, call, answer);
}

static enum db_result judge(struct db *db, const struct call *call, const PGresult *answer)
{
	const char *sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
	enum db_result result;

	switch (PQresultStatus(answer)) {
	case PGRES_TUPLES_OK: return PQntuples(answer) > 0 ? DB_OK : DB_NOT_FOUND;
	case PGRES_COMMAND_OK:
		return strcmp(PQcmdTuples((PGresult *)answer), "0") == 0 ? DB_NOT_FOUND : DB_OK;
	default: break;
	}
	result = db_result_from(sqlstate ? sqlstate : "");
	if (result == DB_BUSY || result == DB_DOWN)
		db_log_failure(db, call->statement, answer, DB_ARRIVED);
	return result;
}

/* *again: it certainly had no effect, or has none at all, and the connection is gone. */
static enum db_result attempt(
	struct db *db, const struct call *call, PGresult **answer, bool *again)
{
	enum db_result result = db_connect(db);
	enum db_wait end;

	*answer = NULL;
	*again = false;
	if (result != DB_OK)
		return result;
	end = prepare(db, call, answer);
	*again = end == DB_LOST;
	if (end == DB_ARRIVED && !*answer) {
		end = execute(db, call, answer);
		*again = end == DB_LOST &&
			 text_starts_with(statements[call->statement].sql, "SELECT");
	}
	if (end != DB_ARRIVED)
		return DB_DOWN;
	db->failures = 0;
	db_log_up();
	return judge(db, call, *answer);
}

static enum db_result attempt_twice(struct db *db, const struct call *call, PGresult **answer)
{
	bool again;
	enum db_result result;

	db_drop_if_ended(db);
	result = attempt(db, call, answer, &again);
	if (again) {
		PQclear(*answer);
		result = attempt(db, call, answer, &again);
	}
	return result;
}

/* The answer is the caller's to clear, whatever the result. */
static enum db_result run(struct db *db, const struct call *call, PGresult **answer)
{
	uint64_t begin = clock_monotonic(), took;
	enum db_result result = DB_DOWN;

	*answer = NULL;
	if (begin < db->deadline && !db_backs_off(db)) {
		result = attempt_twice(db, call, answer);
		took = clock_monotonic() - begin;
		db->spent += took;
		metrics_observe(METRIC_db_query_duration, db->program, took);
	}
	metrics_add(METRIC_db_queries, db->program, result, 1);
	return result;
}

enum db_result db_query(struct db *db, enum db_statement statement, const char *const *parameters,
	int count, struct db_rows **rows)
{
	const struct call call = { statement, parameters, count };
	PGresult *answer;
	enum db_result result = run(db, &call, &answer);

	*rows = NULL;
	if (result == DB_OK)
		*rows = (struct db_rows *)answer;
	else
		PQclear(answer);
	return result;
}

enum db_result db_run(
	struct db *db, enum db_statement statement, const char *const *parameters, int count)
{
	const struct call call = { statement, parameters, count };
	PGresult *answer;
	enum db_result result = run(db, &call, &answer);

	PQclear(answer);
	return result;
}

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

/* The number that a statement without parameters answers with. */
static enum db_result ask_number(struct db *db, enum db_statement statement, int64_t *value)
{
	struct db_rows *rows;
	enum db_result result = db_query(db, statement, NULL, 0, &rows);

	if (result == DB_OK)
		*value = db_number(rows, 0, 0);
	db_rows_free(rows);
	return result;
}

enum db_schema db_schema(struct db *db)
{
	int64_t exists = 0, version = 0;

	/* First whether there is one at all: an empty database is old, not away. */
	if (ask_number(db, STATEMENT_schema_exists, &exists) != DB_OK)
		return DB_SCHEMA_UNKNOWN;
	if (!exists)
		return DB_SCHEMA_OLDER;
	if (ask_number(db, STATEMENT_schema_version, &version) != DB_OK)
		return DB_SCHEMA_UNKNOWN;
	return version >= DB_SCHEMA_VERSION ? DB_SCHEMA_CURRENT : DB_SCHEMA_OLDER;
}

int64_t db_spent_us(const struct db *db)
{
	return (int64_t)(db->spent / 1000);
}

int db_session_pid(const struct db *db)
{
	return db->connection ? PQbackendPID(db->connection) : 0;
}
