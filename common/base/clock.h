/*
 * clock - the two clocks: monotonic for durations and deadlines, wall for what people read.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLOCK_TEXT = 25 /* "2026-11-23T21:35:55.123Z" and its zero */
};

#define CLOCK_MS UINT64_C(1000000)    /* nanoseconds in a millisecond */
#define CLOCK_S  UINT64_C(1000000000) /* nanoseconds in a second */

/* Nanoseconds since some fixed point; never goes backwards, the same for all processes of a boot. */
uint64_t clock_monotonic(void);

/* Milliseconds since 1970 (UTC). */
int64_t clock_wall_ms(void);

/* RFC 3339 in UTC with milliseconds, years 1970 to 9999. */
void clock_format(int64_t wall_ms, char text[CLOCK_TEXT]);

/* RFC 3339 with any offset and up to nine fractional digits, to milliseconds; false if it is not
 * one. */
bool clock_parse(const char *text, int64_t *wall_ms);

#endif
