/*
 * bell - wakes processes that wait for something, through the shared segment (futex).
 *
 * A bell only says "look again": who waits checks what it wants, then waits for the next ring.
 * Read bell_count() before looking, so that a ring in between is not missed. Ringing costs one
 * atomic add while nobody waits. With a private segment it wakes the threads of this process only.
 */
#ifndef BASE_BELL_H
#define BASE_BELL_H

#include <stdbool.h>
#include <stdint.h>

enum bell {
	BELL_LINKS_WANTED,    /* somebody waits for the replica to have a link; wakes replicate */
	BELL_LINKS_APPLIED,   /* the replica has changed; wakes those who wait for their link */
	BELL_CLICKS_COMMITTED /* wakes those who wait to read their own click */
};

uint32_t bell_count(enum bell bell);
void bell_ring(enum bell bell);

/* Until it has rung since bell_count() was `since`; false when ms milliseconds passed without. */
bool bell_wait(enum bell bell, uint32_t since, unsigned ms);

#endif
