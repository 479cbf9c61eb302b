/*
 * db - a thread's way to PostgreSQL, that never blocks past its deadline.
 *
 * A struct db belongs to one thread. The connections belong to the process: all threads that give
 * the same URL share a pool of at most db_pool_limit() of them. One is leased for a statement, or
 * from db_begin() to the end of the transaction; who finds none free waits, but never past its
 * deadline (DB_BUSY then).
 *
 * libpq runs in non-blocking mode under poll(2): a server that hangs or was stopped with SIGSTOP
 * ignores every timeout that libpq itself has. A request sets its budget once with
 * db_set_deadline(); connecting, sending and waiting all draw on it. What is not finished then is
 * DB_DOWN and the connection is dropped, the outcome of a write unknown.
 *
 * Connections are opened on first use and again after a failure, with exponential back-off and
 * jitter, in which the process is one: until the next try is due every call fails at once, and when
 * it is, one thread tries while the others go on failing at once. A connection that the server
 * closed while nobody used it is replaced at once, within the deadline, and a statement that
 * certainly had no effect yet is sent again, once: a restart of PostgreSQL costs as few errors as
 * possible. In a transaction nothing is sent again.
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
#include <stddef.h>
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
	DB_NUMBER = 21,        /* bytes of a parameter that is a number: the decimals and a zero */
	DB_SCHEMA_VERSION = 11 /* of the newest file of db/migrations */
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
 * are copied. A thread that wants sessions of its own puts a word behind the name: who gives "ingest"
 * and who gives "ingest index" share no pool. Does not connect yet. NULL: no memory, or url is no
 * connection string.
 */
struct db *db_new(const char *url, const char *program);
void db_free(struct db *db);

/*
 * How many connections the threads of this process share, for each URL; 32 unless this is called.
 * A program whose threads outnumber its connections calls it once, before its first db_new().
 */
void db_pool_limit(unsigned connections);

/*
 * From now on all calls together may take ms milliseconds; also resets what db_spent_us() says.
 * Before the first call of it nothing is sent: all is DB_DOWN. The server's own timeouts for
 * statements and locks end a little before, however late a statement begins; those of a transaction
 * are made at its beginning. Within a transaction it gives more time, unless the time is over: then
 * the transaction is, too.
 */
void db_set_deadline(struct db *db, int64_t ms);

/*
 * Runs a statement with text parameters (NULL is SQL NULL), as many as it has placeholders.
 * DB_OK with *rows set when it returned at least one row; DB_NOT_FOUND when it returned none.
 */
__attribute__((warn_unused_result)) enum db_result db_query(struct db *db,
	enum db_statement statement, const char *const *parameters, int count,
	struct db_rows **rows);

/*
 * The same, planned for these very values rather than prepared: for lists, whose conditions may be
 * wanted or not. Costs the server some tenths of a millisecond more.
 */
__attribute__((warn_unused_result)) enum db_result db_query_anew(struct db *db,
	enum db_statement statement, const char *const *parameters, int count,
	struct db_rows **rows);

/*
 * The same, planned once for all values: where to look for a plan takes longer than to follow it, as with
 * the many partitions of clicks. Costs a question of its own each time that the session changes to this
 * way or back. Not within a transaction.
 */
__attribute__((warn_unused_result)) enum db_result db_query_kept(struct db *db,
	enum db_statement statement, const char *const *parameters, int count,
	struct db_rows **rows);

/* The same for a statement without parameters that answers with one number; it is set with DB_OK alone. */
__attribute__((warn_unused_result)) enum db_result db_query_number(
	struct db *db, enum db_statement statement, int64_t *value);

/* The same for a statement whose rows do not matter: DB_NOT_FOUND when it changed no row. */
__attribute__((warn_unused_result)) enum db_result db_run(
	struct db *db, enum db_statement statement, const char *const *parameters, int count);

/*
 * A transaction: what runs between db_begin() and db_commit() happens whole or not at all. Once a
 * statement in it failed, or its deadline passed, all others fail unsent until db_rollback(). A
 * transaction within a transaction is DB_DOWN. DB_NOT_FOUND for want of rows is no failure.
 *
 * db_commit() ends it whatever it answers. DB_DOWN: the outcome is unknown. Any other failure, and
 * DB_BUSY where a statement before had failed: certainly nothing happened.
 * db_rollback() never fails: in the worst case it drops the connection, and the server rolls back
 * by itself. Outside of a transaction it does nothing.
 */
__attribute__((warn_unused_result)) enum db_result db_begin(struct db *db);
__attribute__((warn_unused_result)) enum db_result db_commit(struct db *db);
void db_rollback(struct db *db);

bool db_in_transaction(const struct db *db);

/*
 * Runs a COPY … FROM STDIN with these rows in its text format, each ended by a newline: all of them
 * or none. Results as those of db_run(). It is never sent again.
 */
__attribute__((warn_unused_result)) enum db_result db_copy(
	struct db *db, enum db_statement statement, const char *rows, size_t len);

/*
 * Waits at most ms for a notification on the channel of STATEMENT_listen, which is listened to from
 * the first call on; ms takes the place of the deadline. DB_OK: one came, and its payload is copied
 * ("" when it is longer than room allows); or some may have been missed because the connection is
 * new: payload is "". DB_NOT_FOUND: none came. DB_DOWN or DB_BUSY: it could not be listened, perhaps
 * at once; wait a little and call again. Keeps one connection of the pool for itself, so use a
 * struct db for this and nothing else.
 */
__attribute__((warn_unused_result)) enum db_result db_wait_notification(
	struct db *db, int64_t ms, char *payload, size_t room);

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

/*
 * Whether the server refused the last statement for a value in it (SQLSTATE class 22 or 23). It had
 * no effect then, and without that value it may work.
 */
bool db_refused(const struct db *db);

/* The same, and the value is to blame for itself (class 22 or 23505), not for what the schema asks. */
bool db_unfit(const struct db *db);

/* The deadline by clock_monotonic(). */
uint64_t db_deadline(const struct db *db);

/* Whether two of them lead to the same database in the same way. */
bool db_same(const struct db *db, const struct db *other);

/*
 * Microseconds spent in the database since db_set_deadline(), waiting for a connection included,
 * and the process id of the session last used, 0 when it was dropped.
 */
int64_t db_spent_us(const struct db *db);
int db_session_pid(const struct db *db);

/* Another thread did work for this one that took so long, by that session. */
void db_charge(struct db *db, uint64_t nanoseconds, int session_pid);

#endif
