/*
 * What the files of db share: connections and their pool, how they wait, what a failure means.
 * Nobody outside common/db includes this.
 */
#ifndef DB_DB_PRIVATE_H
#define DB_DB_PRIVATE_H

#include <libpq-fe.h>

#include "base/metrics.h"
#include "db/db.h"

enum db_wait {
	DB_ARRIVED,
	DB_LOST, /* the connection ended */
	DB_LATE  /* the deadline passed */
};

enum db_transaction {
	DB_NONE,
	DB_OPEN,
	DB_BROKEN /* it can only be rolled back; perhaps its connection is gone */
};

enum {
	DB_SQLSTATE = 5, /* characters of one */
	DB_NAME_MAX = 64 /* PostgreSQL cuts an application_name there */
};

struct db_pool;

/* One session, either in its pool or leased to one struct db, which alone may touch it then. */
struct db_connection {
	PGconn *session; /* NULL: to be opened */
	bool prepared[STATEMENT_COUNT];
	int64_t budget_ms;          /* what the server's timeouts are made for */
	bool keeps;                 /* plans are made once for a statement, whatever its values */
	struct db_connection *next; /* in the pool */
};

struct db {
	struct db_pool *pool;
	struct db_connection *connection; /* leased; NULL when there is none */
	bool pinned;                      /* it stays leased after a statement */
	bool kept;                        /* likewise, until it is dropped */
	bool trying; /* while the database is away: this thread is the one that tries */
	enum db_transaction transaction;
	bool refused; /* the last statement, for a value in it */
	bool unfit;   /* likewise, and the value fits nowhere */
	enum label_program program;
	int session_pid;
	uint64_t deadline; /* clock_monotonic(), as is begun */
	uint64_t begun;    /* when this call had a connection */
	int64_t budget_ms; /* what db_set_deadline() was given */
	uint64_t spent;    /* nanoseconds */
};

/* A statement to run. */
struct db_call {
	enum db_statement statement;
	const char *const *parameters;
	int count;
	bool plain;       /* sent as it is, not prepared and without parameters */
	bool anew;        /* not prepared, but planned for its parameters */
	bool keep;        /* planned once, without a look at its parameters */
	const char *rows; /* for COPY, else NULL */
	size_t rows_len;
};

/* Runs it, within a transaction or not. The answer is the caller's to clear, whatever the result. */
enum db_result db_call(struct db *db, const struct db_call *call, PGresult **answer);
enum db_result db_call_only(struct db *db, const struct db_call *call);

/* The pool of this URL, made if it is new; NULL: no memory, or url is no connection string. */
struct db_pool *db_pool_join(const char *url, const char *program);
void db_pool_leave(struct db_pool *pool);
const char *db_pool_url(const struct db_pool *pool);
const char *db_pool_options(const struct db_pool *pool); /* those of the url, "" for none */
const char *db_pool_name(const struct db_pool *pool);    /* application_name */

/*
 * Leases a connection, unless there is one: one that was usable a moment ago, or one to be opened.
 * DB_BUSY when none became free in time, DB_DOWN at once while the database is known to be away.
 */
enum db_result db_lease(struct db *db);

/* Gives it back. */
void db_return(struct db *db);

/* The server answered: it is not away. */
void db_heard(struct db *db);

/* Drops the connection, without a word to the server if it does not listen. */
void db_drop(struct db *db);

/* Drops the connection, and the process puts off the next try. */
void db_back_off(struct db *db);

/* The deadline passed: the same, if the server had a fair part of the budget; else db_drop(). */
void db_late(struct db *db);

/*
 * Opens the leased connection unless it is open. When that fails and no thread of the process has
 * another, logs and backs off; else leases one of those instead, or is as db_lease() when none
 * becomes free.
 */
enum db_result db_connect(struct db *db);

/* Whether no other connection of the pool may come back to it: a listener keeps its own. */
bool db_is_alone(const struct db *db);

/* Keeps the connection until it is dropped. */
void db_keep(struct db *db);

/* Drops the connection, keeps the process from asking for more, and does as db_connect(). */
enum db_result db_wait_for_others(struct db *db);

/* Whether the server ended a session while nobody used it. */
bool db_has_ended(PGconn *session);

/* The server's timeouts that belong to a budget, the first parameters of STATEMENT_set_session. */
struct db_timeouts {
	char statement[DB_NUMBER], lock[DB_NUMBER], idle[DB_NUMBER];
};
struct db_timeouts db_timeouts_for(int64_t budget_ms);

/* DB_ARRIVED when the socket is ready for one of the events of poll(2). */
enum db_wait db_wait_for(const struct db *db, short events);

/*
 * The whole answer to what was sent, added to *answer, NULL unless something came before. The
 * server's last words or NULL when it was lost. Owned by the caller.
 */
enum db_wait db_await(struct db *db, PGresult **answer);

/*
 * Sends rows after a COPY was sent. DB_ARRIVED: db_await() has the answer, or *answer the refusal
 * already.
 */
enum db_wait db_send_rows(struct db *db, const char *rows, size_t len, PGresult **answer);

/* What an SQLSTATE, or "" for none, means to the caller. */
enum db_result db_result_from(const char *sqlstate);

/* An error of the server by its SQLSTATE; NULL or "": it said none. */
void db_count_error(const char *sqlstate);

/* One line for a statement that failed. answer may be NULL. */
void db_log_failure(
	const struct db *db, enum db_statement statement, const PGresult *answer, enum db_wait end);

/* The database went or came back, as this process sees it: one line at each turn. */
void db_log_down(const char *sqlstate, const char *error);
void db_log_up(void);

#endif
