/*
 * spooling - a spool of its own for one test, a writer of it, and what lies in it, as anybody sees
 * it. Lines are judged by click_line.h.
 */
#ifndef UNIT_SPOOLING_H
#define UNIT_SPOOLING_H

#include "domain/click.h"

#include "base/metrics.h"

enum { SPOOLING_SEGMENTS = 512 };

extern struct click_writer *writer; /* of node 7 */
extern const struct click sample;

/* Of the last look. */
extern struct spooling {
	unsigned segments, locked, records;
	unsigned torn;  /* lines without an end */
	unsigned wrong; /* lines that are neither header nor record */
	char names[SPOOLING_SEGMENTS][64];
} found;

void spooling_begin(void);
void spooling_end(void);

/* LINKSHRINK_SPOOL_RESERVE_BYTES and LINKSHRINK_SPOOL_MAX_BYTES from now on. */
void spooling_settings(const char *reserve, const char *limit);

/* The spool, or a file in it; valid until the next call. */
const char *spooling_path(const char *name);

void look(void);

/* Records the sample, now or at another time. */
enum click_result record(void);
enum click_result record_at(int64_t at);

uint64_t dropped(enum label_reason reason);
uint64_t spooled(void);

#endif
