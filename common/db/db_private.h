/*
 * What the files of db share: the connection, how it waits, and what a failure means.
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

enum {
	DB_SQLSTATE = 5, /* characters of one */
	DB_NAME_MAX = 64 /* PostgreSQL cuts an application_name there */
};

struct db {
	char *url;
	char *options;          /* those of the url, "" for none */
	char name[DB_NAME_MAX]; /* application_name */
	enum label_program program;
	PGconn *connection; /* NULL when there is none */
	bool prepared[STATEMENT_COUNT];
	uint64_t deadline; /* clock_monotonic() */
	int64_t budget_ms; /* what db_set_deadline() was given */
	uint64_t spent;    /* nanoseconds */
	uint64_t retry_at; /* clock_monotonic(): do not connect before */
	unsigned failures; /* in a row; makes the back-off longer */
};

/* DB_OK with a connection that was usable a moment ago; logs and backs off when there is none. */
enum db_result db_connect(struct db *db);

/* Whether the next try to connect is not due yet. */
bool db_backs_off(const struct db *db);

/* Drops a connection that ended while nobody used it. */
void db_drop_if_ended(struct db *db);

/* Drops the connection, without a word to the server if it does not listen. */
void db_drop(struct db *db);

/* Drops the connection and puts off the next try. */
void db_back_off(struct db *db);

/* The whole answer to what was sent, NULL or the server's last words when it was lost; owned by the
 * caller. */
enum db_wait db_await(struct db *db, PGresult **answer);

/* What an SQLSTATE, or "" for none, means to the caller. */
enum db_result db_result_from(const char *sqlstate);

/* One line for a statement that failed. answer may be NULL. */
void db_log_failure(
	const struct db *db, enum db_statement statement, const PGresult *answer, enum db_wait end);

/* The database went or came back, as this process sees it: one line at each turn. */
void db_log_down(const char *sqlstate, const char *error);
void db_log_up(void);

#endif
