/*
 * db - one connection to PostgreSQL, owned by one thread, that never blocks past its deadline.
 *
 * libpq runs in non-blocking mode under poll(2): a server that hangs or was stopped with SIGSTOP
 * ignores every timeout that libpq itself has. A request sets its budget once with
 * db_set_deadline(); connecting, sending and waiting all draw on it. What is not finished then is
 * DB_DOWN and the connection is dropped, the outcome of a write unknown.
 *
 * The connection is opened on first use and again after a failure, with exponential back-off and
 * jitter; until the next try is due every call fails at once. A connection that the server closed
 * while nobody used it is replaced at once, within the deadline, and a statement that certainly had
 * no effect yet is sent again, once: a restart of PostgreSQL costs as few errors as possible.
 * Statements are those of statements.def and nothing else, prepared on their first use per
 * connection.
 *
 * Every failure is one of five results, from one table of SQLSTATE prefixes in db_errors.c. db logs
 * what the server said, once; its text never reaches a client.
 *
 * One thing is not ours to bound: libpq looks up a host name in the blocking way. Give a socket
 * directory or an address where that matters.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

enum db_result {
	DB_OK,
	DB_CONFLICT,  /* a unique or exclusion constraint: somebody else has it */
	DB_NOT_FOUND, /* no row, or a foreign key leads nowhere */
	DB_BUSY, /* lock or statement timeout, serialization, too many connections: try again */
	DB_DOWN  /* no connection, or not in time, or the server refuses this statement */
};

enum db_statement {
#define STATEMENT(id, sql) STATEMENT_##id,
#include "db/statements.def"
	STATEMENT_COUNT
};

enum {
	DB_NUMBER = 21,       /* bytes of a parameter that is a number: the decimals and a zero */
	DB_SCHEMA_VERSION = 2 /* the newest of db/migrations: what the statements are written for */
};

enum db_schema {
	DB_SCHEMA_CURRENT, /* this version or a newer one: migrations only add */
	DB_SCHEMA_OLDER,   /* db/migrate.sh has not been run: do not serve */
	DB_SCHEMA_UNKNOWN  /* the database cannot say now */
};

struct db;
struct db_rows; /* the rows of an answer; owned by the caller from db_query() to db_rows_free() */

/*
 * url: a libpq connection string; program: its name, for metrics and for the server's lists. Both
 * are copied. Does not connect yet. NULL: no memory, or url is no connection string.
 */
struct db *db_new(const char *url, const char *program);
void db_free(struct db *db);

/*
 * From now on all calls together may take ms milliseconds; also resets what db_spent_us() says.
 * Before the first call of it nothing is sent: all is DB_DOWN. The server's own timeouts for
 * statements and locks are a little shorter than the deadline that held when it was connected.
 */
void db_set_deadline(struct db *db, int64_t ms);

/*
 * Runs a statement with text parameters (NULL is SQL NULL), as many as it has placeholders.
 * DB_OK with *rows set when it returned at least one row; DB_NOT_FOUND when it returned none.
 */
__attribute__((warn_unused_result)) enum db_result db_query(struct db *db,
	enum db_statement statement, const char *const *parameters, int count,
	struct db_rows **rows);

/* The same for a statement whose rows do not matter: DB_NOT_FOUND when it changed no row. */
__attribute__((warn_unused_result)) enum db_result db_run(
	struct db *db, enum db_statement statement, const char *const *parameters, int count);

/* Writes a number as a parameter and returns memory. */
const char *db_number_text(char memory[DB_NUMBER], int64_t number);

int db_rows_count(const struct db_rows *rows);
/* Text of a value, "" for NULL; borrowed until db_rows_free(). */
const char *db_text(const struct db_rows *rows, int row, int column);
bool db_is_null(const struct db_rows *rows, int row, int column);
int64_t db_number(const struct db_rows *rows, int row, int column);
bool db_boolean(const struct db_rows *rows, int row, int column);
void db_rows_free(struct db_rows *rows);

/* Whether the schema is the one that this build needs. */
__attribute__((warn_unused_result)) enum db_schema db_schema(struct db *db);

/* Microseconds spent in the database since db_set_deadline(), and the process id of the session. */
int64_t db_spent_us(const struct db *db);
int db_session_pid(const struct db *db);

#endif
