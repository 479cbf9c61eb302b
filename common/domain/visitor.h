/*
 * visitor - a number for each visitor of a day, to count people rather than clicks.
 *
 * It is a hash (SipHash-2-4) of the whole address and the user agent under a random key of 128
 * bits. The key is made by whoever needs it first, lies in the shared segment, in memory, and is
 * never written to a disk; it changes every day (UTC), and visitor_forget() wipes yesterday's. So
 * who has the number, and all else that is stored, cannot tell the address, once the day is over
 * not even by trying all addresses; and nobody can tell that the visitors of two days are one. Two
 * visitors of a link may have the same number by chance: one pair in 2^64.
 *
 * A segment whose programs are all stopped keeps its keys until one of them runs again or the
 * machine ends.
 */
#ifndef DOMAIN_VISITOR_H
#define DOMAIN_VISITOR_H

#include <stdint.h>

/* What one thread needs for it. NULL: no memory. */
struct visitor_hasher;
struct visitor_hasher *visitor_hasher_new(void);
void visitor_hasher_free(struct visitor_hasher *hasher);

/* at: milliseconds since 1970. client: the address as text. */
int64_t visitor_number(
	struct visitor_hasher *hasher, int64_t at, const char *client, const char *user_agent);

/* Wipes the keys of yesterday and the day before; now: milliseconds since 1970. */
void visitor_forget(int64_t now);

#endif
