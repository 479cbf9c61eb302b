#include "domain/rate.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/segment.h"

enum { PROBES = 8, BURST_LEAST = 5 };

static const uint64_t minute = 60 * CLOCK_S;

/* Calls a minute; 0: no limit. */
static uint64_t limit_of(enum rate_class class)
{
	const struct config *config = config_get();
	switch (class) {
	case RATE_REDIRECT: return (uint64_t)config->rate_redirect;
	case RATE_CREATE: return (uint64_t)config->rate_create;
	case RATE_API: return (uint64_t)config->rate_api;
	case RATE_AUTH_FAIL: return (uint64_t)config->rate_auth_fail;
	case RATE_NONE:
	case RATE_COUNT: break;
	}
	return 0;
}

/*
 * How many calls may come at once: a quarter of a minute's, so that a page full of links or a short
 * script goes through and the limit still shows within seconds; at least five, because people
 * click twice; never more than a minute's, so that nobody waits longer than that.
 */
static uint64_t burst_of(uint64_t limit)
{
	uint64_t burst = limit / 4 < BURST_LEAST ? BURST_LEAST : limit / 4;
	return burst < limit ? burst : limit;
}

/* FNV-1a with the finish of splitmix64, for the lower bits to depend on all bytes. */
static uint64_t hash(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ seed;
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ byte[i]) * UINT64_C(0x100000001b3);
	sum = (sum ^ (sum >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	sum = (sum ^ (sum >> 27)) * UINT64_C(0x94d049bb133111eb);
	return sum ^ (sum >> 31);
}

/* Never 0, which marks a free cell. A household or a server has a whole /64 of IPv6 to itself. */
static uint64_t identify(enum rate_class class, const char *client)
{
	struct in6_addr address;
	uint64_t seed = (uint64_t)segment_get()->header.created_ms * RATE_COUNT + (uint64_t) class;
	uint64_t identity = 0;
	if (inet_pton(AF_INET6, client, &address) != 1)
		identity = hash(seed, client, strlen(client));
	else if (IN6_IS_ADDR_V4MAPPED(&address))
		identity = hash(seed, &address, sizeof(address));
	else
		identity = hash(seed, &address, sizeof(address) / 2);
	return identity != 0 ? identity : 1;
}

static uint64_t load(_Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/*
 * The client's cell, or the one of its window whose arrival lies furthest back: a free one, one
 * that means nothing any more, or, in a crowd, one that is taken over with what it holds. The
 * latter costs the newcomer less than a minute.
 */
static struct rate_cell *find_cell(uint64_t identity)
{
	struct rate_cell *oldest = NULL;
	for (unsigned i = 0; i < PROBES; i++) {
		struct rate_cell *cell = &segment_get()->rates[(identity + i) % RATE_CELLS];
		if (load(&cell->client) == identity)
			return cell;
		if (oldest == NULL || load(&cell->arrival) < load(&oldest->arrival))
			oldest = cell;
	}
	/* Who loses this race shares the cell; that is better than going on to look. */
	uint64_t former = load(&oldest->client);
	atomic_compare_exchange_strong_explicit(
		&oldest->client, &former, identity, memory_order_relaxed, memory_order_relaxed);
	return oldest;
}

/* The later of now and the arrival. What lies beyond a minute was written by a faulty clock. */
static uint64_t begin_of(uint64_t arrival, uint64_t now)
{
	return arrival > now && arrival <= now + minute ? arrival : now;
}

static bool move(struct rate_cell *cell, uint64_t *arrival, uint64_t to)
{
	return atomic_compare_exchange_weak_explicit(
		&cell->arrival, arrival, to, memory_order_relaxed, memory_order_relaxed);
}

/* GCRA: the arrival moves on by an interval a call and may be ahead of now by a burst of them. */
unsigned rate_take(enum rate_class class, const char *client)
{
	uint64_t limit = limit_of(class);
	if (limit == 0)
		return 0;
	const uint64_t interval = minute / limit, room = interval * burst_of(limit);
	struct rate_cell *cell = find_cell(identify(class, client));
	uint64_t now = clock_monotonic();
	uint64_t arrival = load(&cell->arrival), next;
	do {
		next = begin_of(arrival, now) + interval;
		if (next - now > room)
			return (unsigned)((next - now - room + CLOCK_S - 1) / CLOCK_S);
	} while (!move(cell, &arrival, next));
	return 0;
}

struct rate_left rate_look(enum rate_class class, const char *client)
{
	uint64_t limit = limit_of(class);
	if (limit == 0)
		return (struct rate_left){ 0 };
	const uint64_t interval = minute / limit, room = interval * burst_of(limit);
	uint64_t now = clock_monotonic();
	uint64_t ahead = begin_of(load(&find_cell(identify(class, client))->arrival), now) - now;
	return (struct rate_left){ .limit = limit,
		.calls = ahead < room ? (room - ahead) / interval : 0,
		.reset = (ahead + CLOCK_S - 1) / CLOCK_S };
}

void rate_charge(enum rate_class class, const char *client, unsigned calls)
{
	uint64_t limit = limit_of(class);
	if (limit == 0)
		return;
	struct rate_cell *cell = find_cell(identify(class, client));
	uint64_t now = clock_monotonic();
	uint64_t arrival = load(&cell->arrival), next;
	do {
		next = begin_of(arrival, now) + minute / limit * calls;
		if (next > now + minute)
			next = now + minute;
	} while (!move(cell, &arrival, next));
}
