/*
 * click_batch - clicks of one transaction, gathered in memory: their rows in the binary form of
 * PostgreSQL's COPY, and what they add to counts and statistics, each key once and in order.
 *
 * One thread owns it. After click_batch_seal() it is only read; click_batch_clear() begins anew.
 */
#ifndef DOMAIN_CLICK_BATCH_H
#define DOMAIN_CLICK_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/spool.h"

enum { CLICK_BATCH_DAYS = 16, CLICK_DAY_MS = 24 * 60 * 60 * 1000, CLICK_HOUR_MS = 60 * 60 * 1000 };

/* How far a segment is read: its offset in PostgreSQL moves with the rows. */
struct click_move {
	int64_t segment;
	int64_t from, to; /* bytes; from 0: PostgreSQL does not know it yet */
	int64_t records;
	uint64_t run;
};

struct click_count {
	int64_t link;
	int32_t hour; /* since 1970 */
	uint32_t n, bots;
};

enum click_dimension { CLICK_REFERRER, CLICK_BROWSER, CLICK_OS, CLICK_BOT, CLICK_DIMENSION_COUNT };

struct click_stat {
	int64_t link;
	int32_t day; /* since 1970 */
	uint32_t key;
	uint32_t n;
};

/* A person, seen on a day. */
struct click_visit {
	int64_t link, visitor;
	int32_t day;
};

struct click_batch;

struct click_batch *click_batch_new(void);
void click_batch_free(struct click_batch *batch);

/* Empty, with room for that many clicks and no memory for many more; false: no memory. */
bool click_batch_clear(struct click_batch *batch, unsigned room);

/* False when it is full or memory is short: seal it, and add the click to the next one. */
bool click_batch_add(struct click_batch *batch, const struct spool_record *record, int64_t segment,
	int64_t position);

/* False: no memory; then none of the clicks of that segment may be committed. */
bool click_batch_move(struct click_batch *batch, const struct click_move *move);

void click_batch_seal(struct click_batch *batch);

unsigned click_batch_count(const struct click_batch *batch);
unsigned click_batch_moves(const struct click_batch *batch, const struct click_move **moves);
unsigned click_batch_counts(const struct click_batch *batch, const struct click_count **counts);
unsigned click_batch_stats(const struct click_batch *batch, const struct click_stat **stats);

/* Those that click_batch_remember() does not know already. */
unsigned click_batch_visits(const struct click_batch *batch, const struct click_visit **visits);

/* The days of its clicks; of more than CLICK_BATCH_DAYS the rest is not told. */
unsigned click_batch_days(const struct click_batch *batch, const int32_t **days);

/* When they happened, in milliseconds since 1970; click_batch_count() of them. */
const int64_t *click_batch_times(const struct click_batch *batch);

/* All rows, for COPY … (FORMAT binary). */
const char *click_batch_rows(const struct click_batch *batch, size_t *len);

enum click_dimension click_batch_dimension(const struct click_stat *stat);
/* Needs no escape within the quotes of an array's text. */
const char *click_batch_value(const struct click_batch *batch, const struct click_stat *stat);

/*
 * What was committed need not be sent again: visitors who return are most of all. Only an
 * optimisation; forget it all when the database may have become another one.
 */
void click_batch_remember(struct click_batch *batch);
void click_batch_forget(struct click_batch *batch);

#endif
