/*
 * spool_write - what the writer of clicks leaves behind, made by hand: segments in a directory of
 * the test's own. Whatever cannot be done fails the test.
 */
#ifndef DOMAIN_SPOOL_WRITE_H
#define DOMAIN_SPOOL_WRITE_H

#include <stdbool.h>
#include <stdint.h>

enum { SPOOL_RUN = 77 };

/* A new directory, gone after spool_end(). */
const char *spool_begin(void);
void spool_end(void);

/* A new segment with its first line; its writer holds the lock until spool_finish(). */
void spool_segment(int64_t number);
void spool_finish(int64_t number);

/* Appends count lines of the same click; rest: all fields from the link on. */
void spool_clicks(int64_t number, unsigned count, int64_t time, const char *rest);

/* Its last bytes are gone. */
void spool_cut(int64_t number, int64_t bytes);

/* Appends bytes as they are. */
void spool_bytes(int64_t number, const char *bytes);

/* In place of a segment: a folder, which opens and has a size, but cannot be read. */
void spool_spoil(int64_t number);

/* Whether a file is there, in kept/ or not. */
bool spool_has(int64_t number, bool kept);
int64_t spool_size(int64_t number, bool kept);

/* Makes a kept one so many seconds older. */
void spool_age(int64_t number, int64_t seconds);

/* How many lines the file of refused clicks has. */
unsigned spool_refused(void);

#endif
