/*
 * random - numbers from the kernel's generator (getrandom), fit for secrets.
 * They cannot fail on any kernel that we support; if the impossible happens the process aborts,
 * because going on with guessable codes or ids would be worse.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *to, size_t len);

/* Uniform over 0 … bound-1 (by rejection); bound is at least 1. */
uint32_t random_below(uint32_t bound);

/* len letters, each drawn uniformly from alphabet, which has at most 256, and a zero. */
void random_letters(char *to, size_t len, const char *alphabet);

/* len bytes as 2*len lower-case hex digits and a zero: to holds 2*len+1. */
void random_hex(char *to, size_t len);

#endif
