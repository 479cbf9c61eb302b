/*
 * database - what the domain tests do to the cluster that with-cluster.sh made for them.
 * A test that cannot be set up fails; nothing here returns an error.
 */
#ifndef DOMAIN_DATABASE_H
#define DOMAIN_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

enum database_role { WEB, INGEST, OWNER, ADMIN };

enum { DEADLINE_MS = 2000, THREADS = 16 };

const char *database_url(enum database_role role);

/* A connection of the code under test, with a deadline of DEADLINE_MS. */
struct db *database_open(void);

/* Stores a link, with a code of its own: a statement that writes. */
enum db_result database_store(struct db *db, const char *target);

/* A session of libpq's own, for setting up and looking. */
PGconn *database_session(enum database_role role);
void database_in(PGconn *session, const char *sql);

/* Runs SQL in a session of its own. */
void database_do(enum database_role role, const char *sql);
int64_t database_number(const char *sql);

/* The SQLSTATE that it ends with, "" when it works; borrowed until the next call. */
const char *database_refusal(enum database_role role, const char *sql);

/* pg_ctl with these arguments. */
void database_control(const char *arguments);

/* The process id of the server. */
int database_postmaster(void);

/* Waits until this query answers with 1. */
void database_wait_until(const char *sql);

/* Runs work in THREADS threads at once, each with a connection of its own and its number. */
void database_crowd(void (*work)(struct db *db, unsigned number));

uint64_t database_ms_since(uint64_t begin);

#endif
