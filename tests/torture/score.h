/*
 * score - what a run of load knows to be true, for the books in the end. Threads share it.
 *
 * Files in its directory: links, a line for each link as soon as it is acknowledged, "<time> <code>
 * <target>"; events, a line for each answer that is neither right nor a plain 503, "<time> <kind>
 * <asked> <code> <status> <detail>"; seconds, see seconds.h; when it is closed: clicks, "<code>
 * <acknowledged> <unknown>" for each link; and summary, "<name> <number>" a line. Times are RFC 3339.
 *
 * In the summary each request is once under what became of it: answered with a status, not sent, with
 * unknown outcome, or not served, when its user gave up before a client was free. All of them, less
 * maker_follows, which no schedule asked for, are in the lines of seconds, but for seconds_neither
 * and seconds_unwritten.
 */
#ifndef TORTURE_SCORE_H
#define TORTURE_SCORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "torture/seconds.h"

enum { SCORE_CODE_MAX = 23, SCORE_TARGET_MAX = 63, SCORE_LINKS = 4 << 20 };

/* A link that was acknowledged. */
struct score_link {
	char code[SCORE_CODE_MAX + 1];
	long number;                   /* what its target is made of */
	uint64_t since;                /* clock_monotonic() when it was acknowledged */
	_Atomic uint32_t acknowledged; /* redirects answered to a GET */
	_Atomic uint32_t unknown;      /* GETs of which nobody knows whether they were redirected */
};

enum score_asked { SCORE_GET, SCORE_HEAD, SCORE_CREATE, SCORE_STRANGER, SCORE_ASKED_COUNT };

/* Who answered: a program, or lighttpd in its place. */
enum score_from { SCORE_PROGRAM, SCORE_EDGE, SCORE_FROM_COUNT };

/* The schedule is for seconds; it stays the caller's. */
bool score_open(const char *directory, const struct schedule *schedule);
bool score_close(void);

void score_target(char to[SCORE_TARGET_MAX + 1], long number);

/* NULL: no room for more, or the record could not be written. */
struct score_link *score_add_link(const char *code, long number);
long score_links(void);
struct score_link *score_link(long index);

/* A request without an answer has the status that client_ask() gave. */
void score_answer(enum score_asked asked, enum score_from from, int status);
void score_not_served(enum score_asked asked);
void score_maker_follow(void); /* one of those answers is to the maker of a link */
void score_good_redirect(void);
void score_event(
	const char *kind, enum score_asked asked, const char *code, int status, const char *detail);

#endif
