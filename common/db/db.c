#include "db/db_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

_Static_assert((int)DB_OK == LABEL_result_OK && (int)DB_CONFLICT == LABEL_result_CONFLICT &&
		       (int)DB_NOT_FOUND == LABEL_result_NOT_FOUND &&
		       (int)DB_BUSY == LABEL_result_BUSY && (int)DB_DOWN == LABEL_result_DOWN,
	"a result is a label as it is");

static const struct {
	const char *name, *sql;
} statements[] = {
#define STATEMENT(id, sql) { #id, sql },
#include "db/statements.def"
};

static enum label_program label_of(const char *program)
{
	char name[DB_NAME_MAX];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(program, " "), program);
	return metrics_program(name);
}

struct db *db_new(const char *url, const char *program)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->program = label_of(program);
	db->pool = db_pool_join(url, program);
	if (db->pool)
		return db;
	free(db);
	return NULL;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	db_drop(db);
	db_pool_leave(db->pool);
	free(db);
}

static bool is_over(const struct db *db)
{
	return clock_monotonic() >= db->deadline;
}

/* Nothing of a transaction happens whose connection is gone. */
static void abandon(struct db *db)
{
	db_drop(db);
	db->transaction = DB_BROKEN;
}

void db_set_deadline(struct db *db, int64_t ms)
{
	if (db->transaction != DB_NONE && is_over(db))
		abandon(db);
	db->budget_ms = ms;
	db->deadline = clock_monotonic() + (uint64_t)ms * CLOCK_MS;
	db->spent = 0;
}

/* The connection is gone unless the answer arrived on one that goes on. */
static enum db_wait settle(
	struct db *db, enum db_statement statement, const PGresult *answer, enum db_wait end)
{
	if (end != DB_ARRIVED)
		db_count_error(answer ? PQresultErrorField(answer, PG_DIAG_SQLSTATE) : NULL);
	if (end == DB_LOST) {
		db_log_failure(db, statement, answer, end);
		db_drop(db);
	} else if (end == DB_LATE) {
		db_log_down("", "no answer in time");
		db_late(db);
	}
	return end;
}

static enum db_wait prepare(struct db *db, const struct db_call *call, PGresult **answer)
{
	struct db_connection *connection = db->connection;
	const char *name = statements[call->statement].name;
	enum db_wait end;

	if (call->plain || call->anew || connection->prepared[call->statement])
		return DB_ARRIVED;
	PQsendPrepare(connection->session, name, statements[call->statement].sql, 0, NULL);
	end = settle(db, call->statement, *answer, db_await(db, answer));
	if (end == DB_ARRIVED && PQresultStatus(*answer) == PGRES_COMMAND_OK) {
		connection->prepared[call->statement] = true;
		PQclear(*answer);
		*answer = NULL;
	}
	return end;
}

static enum db_wait execute(struct db *db, const struct db_call *call, PGresult **answer)
{
	PGconn *session = db->connection->session;
	enum db_wait end = DB_ARRIVED;

	if (call->plain)
		PQsendQuery(session, statements[call->statement].sql);
	else if (call->anew)
		PQsendQueryParams(session, statements[call->statement].sql, call->count, NULL,
			call->parameters, NULL, NULL, 0);
	else
		PQsendQueryPrepared(session, statements[call->statement].name, call->count,
			call->parameters, NULL, NULL, 0);
	if (call->rows)
		end = db_send_rows(db, call->rows, call->rows_len, answer);
	if (end == DB_ARRIVED)
		end = db_await(db, answer);
	return settle(db, call->statement, *answer, end);
}

/*
 * The budget, or, where a part of it is over, as many eighths as are left: its timeouts have to come before
 * the deadline. A transaction may go on after this one.
 */
static int64_t budget_left(const struct db *db, const struct db_call *call)
{
	const int64_t part = db->budget_ms / 8 + 1;
	const int64_t left = (int64_t)(db->deadline - clock_monotonic()) / (int64_t)CLOCK_MS;

	if (call->statement == STATEMENT_begin || left > db->budget_ms - part / 2)
		return db->budget_ms;
	return left > part ? left / part * part : part;
}

static enum db_wait set_session(struct db *db, int64_t budget_ms, bool keep)
{
	const struct db_timeouts timeouts = db_timeouts_for(budget_ms);
	const char *const parameters[] = { timeouts.statement, timeouts.lock, timeouts.idle,
		keep ? "force_generic_plan" : "auto" };
	const struct db_call call = {
		.statement = STATEMENT_set_session, .parameters = parameters, .count = 4
	};
	PGresult *answer = NULL;
	enum db_wait end = prepare(db, &call, &answer);

	if (end == DB_ARRIVED && !answer)
		end = execute(db, &call, &answer);
	if (end == DB_ARRIVED && PQresultStatus(answer) == PGRES_TUPLES_OK) {
		db->connection->budget_ms = budget_ms;
		db->connection->keeps = keep;
	}
	PQclear(answer);
	return end;
}

/*
 * The server's timeouts follow what is left of the budget, and whether plans are kept the call: connections
 * go from hand to hand.
 */
static enum db_wait adjust_session(struct db *db, const struct db_call *call)
{
	const struct db_connection *connection = db->connection;
	const int64_t budget_ms = budget_left(db, call);

	if (db->transaction != DB_NONE ||
		(connection->budget_ms == budget_ms && connection->keeps == call->keep))
		return DB_ARRIVED;
	return set_session(db, budget_ms, call->keep);
}

static bool is_harmless(enum db_statement statement)
{
	const char *sql = statements[statement].sql;

	return text_starts_with(sql, "SELECT") || text_starts_with(sql, "BEGIN") ||
	       text_starts_with(sql, "LISTEN");
}

static enum db_result judge(struct db *db, const struct db_call *call, const PGresult *answer)
{
	const char *sqlstate = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
	enum db_result result;

	switch (PQresultStatus(answer)) {
	case PGRES_TUPLES_OK: return PQntuples(answer) > 0 ? DB_OK : DB_NOT_FOUND;
	case PGRES_COMMAND_OK:
		return strcmp(PQcmdTuples((PGresult *)answer), "0") == 0 ? DB_NOT_FOUND : DB_OK;
	default: break;
	}
	if (db->transaction == DB_OPEN)
		db->transaction = DB_BROKEN;
	db_count_error(sqlstate);
	if (!sqlstate)
		sqlstate = "";
	db->refused = text_starts_with(sqlstate, "22") || text_starts_with(sqlstate, "23");
	db->unfit = text_starts_with(sqlstate, "22") || text_starts_with(sqlstate, "23505");
	result = db_result_from(sqlstate);
	if (result == DB_BUSY || result == DB_DOWN)
		db_log_failure(db, call->statement, answer, DB_ARRIVED);
	return result;
}

/* *again: it certainly had no effect, or has none at all, and the connection is gone. */
static enum db_result attempt(
	struct db *db, const struct db_call *call, PGresult **answer, bool *again)
{
	enum db_result result = db_connect(db);
	enum db_wait end;

	*again = false;
	if (result != DB_OK)
		return result;
	db->session_pid = PQbackendPID(db->connection->session);
	end = adjust_session(db, call);
	if (end == DB_ARRIVED)
		end = prepare(db, call, answer);
	*again = end == DB_LOST;
	if (end == DB_ARRIVED && !*answer) {
		end = execute(db, call, answer);
		*again = end == DB_LOST && is_harmless(call->statement);
	}
	if (end != DB_ARRIVED)
		return DB_DOWN;
	db_heard(db);
	db_log_up();
	return judge(db, call, *answer);
}

static enum db_result attempt_twice(struct db *db, const struct db_call *call, PGresult **answer)
{
	bool again;
	enum db_result result = attempt(db, call, answer, &again);

	if (db->transaction != DB_NONE && !db->connection)
		db->transaction = DB_BROKEN;
	if (!again || db->transaction != DB_NONE)
		return result;
	PQclear(*answer);
	*answer = NULL;
	result = db_lease(db);
	return result == DB_OK ? attempt(db, call, answer, &again) : result;
}

/* DB_OK: there is a connection to run the call on, and time. */
static enum db_result begin_call(struct db *db)
{
	if (is_over(db)) {
		if (db->transaction != DB_NONE)
			abandon(db);
		return DB_DOWN;
	}
	if (db->transaction == DB_BROKEN)
		return DB_DOWN;
	return db_lease(db);
}

enum db_result db_call(struct db *db, const struct db_call *call, PGresult **answer)
{
	uint64_t begin = clock_monotonic();
	enum db_result result = begin_call(db);

	*answer = NULL;
	db->refused = db->unfit = false;
	if (result == DB_OK) {
		db->begun = clock_monotonic();
		result = attempt_twice(db, call, answer);
		metrics_observe(METRIC_db_query_duration, db->program, clock_monotonic() - begin);
	}
	if (db->connection && !db->pinned)
		db_return(db);
	db->spent += clock_monotonic() - begin;
	metrics_add(METRIC_db_queries, db->program, result, 1);
	return result;
}

static enum db_result query(struct db *db, const struct db_call *call, struct db_rows **rows)
{
	PGresult *answer;
	enum db_result result = db_call(db, call, &answer);

	*rows = NULL;
	if (result == DB_OK)
		*rows = (struct db_rows *)answer;
	else
		PQclear(answer);
	return result;
}

enum db_result db_query(struct db *db, enum db_statement statement, const char *const *parameters,
	int count, struct db_rows **rows)
{
	const struct db_call call = {
		.statement = statement, .parameters = parameters, .count = count
	};

	return query(db, &call, rows);
}

enum db_result db_query_anew(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, struct db_rows **rows)
{
	const struct db_call call = {
		.statement = statement, .parameters = parameters, .count = count, .anew = true
	};

	return query(db, &call, rows);
}

enum db_result db_query_kept(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, struct db_rows **rows)
{
	const struct db_call call = {
		.statement = statement, .parameters = parameters, .count = count, .keep = true
	};

	return query(db, &call, rows);
}

enum db_result db_call_only(struct db *db, const struct db_call *call)
{
	PGresult *answer;
	enum db_result result = db_call(db, call, &answer);

	PQclear(answer);
	return result;
}

enum db_result db_run(
	struct db *db, enum db_statement statement, const char *const *parameters, int count)
{
	const struct db_call call = {
		.statement = statement, .parameters = parameters, .count = count
	};

	return db_call_only(db, &call);
}

enum db_result db_query_number(struct db *db, enum db_statement statement, int64_t *value)
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
	if (db_query_number(db, STATEMENT_schema_exists, &exists) != DB_OK)
		return DB_SCHEMA_UNKNOWN;
	if (!exists)
		return DB_SCHEMA_OLDER;
	if (db_query_number(db, STATEMENT_schema_version, &version) != DB_OK)
		return DB_SCHEMA_UNKNOWN;
	return version >= DB_SCHEMA_VERSION ? DB_SCHEMA_CURRENT : DB_SCHEMA_OLDER;
}

int64_t db_spent_us(const struct db *db)
{
	return (int64_t)(db->spent / 1000);
}

int db_session_pid(const struct db *db)
{
	return db->session_pid;
}

bool db_refused(const struct db *db)
{
	return db->refused;
}

bool db_unfit(const struct db *db)
{
	return db->unfit;
}

uint64_t db_deadline(const struct db *db)
{
	return db->deadline;
}

bool db_same(const struct db *db, const struct db *other)
{
	return db->pool == other->pool;
}

void db_charge(struct db *db, uint64_t nanoseconds, int session_pid)
{
	db->spent += nanoseconds;
	db->session_pid = session_pid;
}
