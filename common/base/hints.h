/*
 * hints - short texts from any process to one reader, through the shared segment.
 *
 * A hint may be lost: when the reader is HINT_CELLS behind, or when its writer is killed in the
 * middle. It only makes fast what happens without it, too. Adding never blocks and takes no lock.
 */
#ifndef BASE_HINTS_H
#define BASE_HINTS_H

#include <stdbool.h>

#include "base/segment.h"

enum { HINT_MAX = HINT_WORDS * 8 /* bytes of one; without a terminating zero if it is full */ };

/* Its number; it grows by one with each hint. */
uint64_t hints_add(const char *text);

/* Whether what the hint of that number asked for has been done. */
bool hints_heeded(uint64_t number);

/* The reader has done what all those that it took asked for. */
void hints_heed(void);

/*
 * Takes what was added since the last time, oldest first, at most room; how many it took. Sets
 * *lost when others were lost since then, and leaves it alone else. One reader at a time.
 */
unsigned hints_take(char (*texts)[HINT_MAX + 1], unsigned room, bool *lost);

#endif
