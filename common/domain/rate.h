/*
 * rate - how often a client may call, shared by every process (GCRA: one time stamp a client).
 *
 * rate_take() never blocks and never fails. The table has a fixed size; when it is crowded, an
 * unlucky client may be forgotten or share a place, never refused without cause for longer than a
 * minute. Source: the generic cell rate algorithm, ITU-T I.371.
 */
#ifndef DOMAIN_RATE_H
#define DOMAIN_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum rate_class { RATE_NONE, RATE_REDIRECT, RATE_CREATE, RATE_API, RATE_AUTH_FAIL, RATE_COUNT };

/*
 * Takes one call of a class for a client: 0 when it may go on, else the seconds to wait (at least
 * 1). client: an address as text, of which IPv6 counts by /64, or any other name of a caller.
 */
unsigned rate_take(enum rate_class class, const char *client);

/* What a caller may be told about its rate. */
struct rate_left {
	uint64_t limit; /* calls a minute; 0: none, and the rest means nothing */
	uint64_t calls; /* that may come at once now */
	uint64_t reset; /* seconds until a whole burst may come again */
};

struct rate_left rate_look(enum rate_class class, const char *client);

/* Charges calls that were already answered; who has none left pays by waiting, up to a minute. */
void rate_charge(enum rate_class class, const char *client, unsigned calls);

#endif
