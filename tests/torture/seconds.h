/*
 * seconds - how each second of a load went. A request belongs to the second in which it was due,
 * not to that of its answer: who asks in an outage counts there, however late it is found out.
 *
 * The file `seconds` has a line for each second since the begin, in order and without holes:
 * "<second since 1970> <redirects good> <redirects bad> <creates good> <creates bad>". It is
 * written, by one write, as soon as every request due in it is scored, and at the latest when
 * nobody waits for an answer any more: what is not scored then is bad, and what comes later is not
 * looked at. So each request is in its line once, whatever becomes of it.
 *
 * Threads share it, by one lock.
 */
#ifndef TORTURE_SECONDS_H
#define TORTURE_SECONDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SECONDS_PATIENCE_MAX_MS = 60000 };

/* When which request is due. Request n of the first second is n / rate of a second after the begin,
 * and so on for ever: what became of those before makes no difference. */
struct schedule {
	long rate;    /* requests a second */
	long creates; /* of a hundred requests, so many create; evenly spread, the first one does */
	uint64_t patience; /* ns that a user waits, counted from when his request is due */
	uint64_t begin;    /* clock_monotonic(), at a whole second of the wall clock */
	int64_t second;    /* which one, since 1970; it is counted on, whoever sets the clock */
};

enum seconds_kind { SECONDS_REDIRECT, SECONDS_CREATE, SECONDS_KIND_COUNT };

/* Neither is what cannot be held against anybody: it is left out. */
enum seconds_score { SECONDS_GOOD, SECONDS_BAD, SECONDS_NEITHER };

/* Sets the begin to the next whole second. */
void schedule_begin(struct schedule *schedule);
uint64_t schedule_due(const struct schedule *schedule, long number);
uint64_t schedule_until(const struct schedule *schedule, long number); /* then the user gives up */
enum seconds_kind schedule_kind(const struct schedule *schedule, long number);

/* The file becomes its own; the schedule stays the caller's and must not change any more. */
void seconds_open(FILE *file, const struct schedule *schedule);
bool seconds_close(void);

/* That request, not scored yet, turned out to be of another kind than the schedule says. */
void seconds_change(long number, enum seconds_kind from, enum seconds_kind to);

/* Once for each request, after it was due and as soon as it is answered: after the user gave up
 * every score is bad. */
void seconds_score(long number, enum seconds_kind kind, enum seconds_score score);

/* Writes the lines that are final by now. Returns when to call again at the latest. */
uint64_t seconds_write(void);

/* From that time on nothing is due: that second and later ones get no line. */
void seconds_end(uint64_t when);

/* What was scored and is in no line: seconds_neither, and seconds_unwritten of the last one. */
void seconds_summarize(FILE *summary);

#endif
