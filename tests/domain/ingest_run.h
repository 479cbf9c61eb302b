/*
 * ingest_run - an ingest on a spool and a database of the test's own, turned by hand.
 */
#ifndef DOMAIN_INGEST_RUN_H
#define DOMAIN_INGEST_RUN_H

#include <stdint.h>

#include "domain/ingest.h"

/* May be changed between ingest_stop() and ingest_start(). */
extern struct ingest_settings ingest_settings;

/* Empty tables, an empty spool, and one that works on them. */
void ingest_begin(void);
void ingest_end(void);

/* As if the process ended, and another one took its place. */
void ingest_stop(void);
void ingest_start(void);

/* One turn; the milliseconds that it wants to wait. */
unsigned ingest_once(void);

/* Turns until there is nothing left to do, as far as it can see. */
void ingest_until_idle(void);

/* What a query answers with. */
void ingest_expect(const char *sql, int64_t number);

/* That so many clicks were counted, by all books. */
void ingest_expect_counted(int64_t clicks);

/* PostgreSQL refuses clicks of a link with that SQLSTATE, until ingest_accept(). */
void ingest_refuse_link(int link, const char *sqlstate);
void ingest_accept(void);

/* Turns until a query answers with 1. */
void ingest_until(const char *sql);

#endif
