#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "domain/blocklist.h"
#include "domain/blocklist_private.h"

enum { FIRST_ROOM = 1024 /* hosts */ };

/*
 * The bytes of a name, from the last to the first, are the coefficients of a polynomial of the
 * secret key, modulo this prime. So the hashes of all names that a host lies below come on the way
 * to its own.
 */
static const uint64_t prime = (UINT64_C(1) << 61) - 1;

static uint64_t reduce(uint64_t sum)
{
	return sum >= prime ? sum - prime : sum;
}

static uint64_t prepend(char byte, uint64_t hash, uint64_t key)
{
	unsigned __int128 product =
		(unsigned __int128)reduce(hash + (unsigned char)byte) * (unsigned __int128)key;
	/* 2^61 is 1 here: both halves count alike. */
	return reduce((uint64_t)(product & prime) + (uint64_t)(product >> 61));
}

static uint64_t hash_of(const char *name, uint64_t key)
{
	uint64_t hash = 0;
	for (size_t at = strlen(name); at > 0; at--)
		hash = prepend(name[at - 1], hash, key);
	return hash;
}

/* One for all spellings of an address. */
static const char *spelling(const struct target_host *host, char ipv4[INET_ADDRSTRLEN])
{
	if (!host->has_ipv4)
		return host->text;
	return inet_ntop(AF_INET, host->ipv4, ipv4, INET_ADDRSTRLEN);
}

struct blocklist *blocklist_new(void)
{
	struct blocklist *list = calloc(1, sizeof(*list));
	if (list == NULL)
		return NULL;
	random_bytes(&list->key, sizeof(list->key));
	list->key = list->key % (prime - 1) + 1;
	return list;
}

void blocklist_free(struct blocklist *list)
{
	if (list != NULL)
		free(list->hashes);
	free(list);
}

static const char *make_room(struct blocklist *list)
{
	if (list->count < list->room)
		return NULL;
	if (list->count >= BLOCKLIST_MAX)
		return "it has more than 10,000,000 hosts";
	size_t room = list->room == 0 ? FIRST_ROOM : 2 * list->room;
	if (room > BLOCKLIST_MAX)
		room = BLOCKLIST_MAX;
	uint64_t *hashes = realloc(list->hashes, room * sizeof(*hashes));
	if (hashes == NULL)
		return "no memory";
	list->hashes = hashes;
	list->room = room;
	return NULL;
}

const char *blocklist_add(struct blocklist *list, const struct target_host *host)
{
	char ipv4[INET_ADDRSTRLEN];
	const char *fault = make_room(list);
	if (fault == NULL)
		list->hashes[list->count++] = hash_of(spelling(host, ipv4), list->key);
	return fault;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

void blocklist_complete(struct blocklist *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->hashes, list->count, sizeof(*list->hashes), compare);
	for (size_t i = 1; i < list->count; i++)
		if (list->hashes[i] != list->hashes[kept])
			list->hashes[++kept] = list->hashes[i];
	list->count = kept + 1;
	/* What it grew by and does not need goes back. */
	uint64_t *hashes = realloc(list->hashes, list->count * sizeof(*hashes));
	if (hashes != NULL)
		list->hashes = hashes;
}

static bool is_listed(const struct blocklist *list, uint64_t hash)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->hashes[low] == hash;
}

bool blocklist_covers(const struct blocklist *list, const struct target_host *host)
{
	char ipv4[INET_ADDRSTRLEN];
	const char *name = spelling(host, ipv4);
	uint64_t hash = 0;
	for (size_t at = strlen(name); at > 0; at--) {
		hash = prepend(name[at - 1], hash, list->key);
		/* A part of an address is never listed: it is no host. */
		if ((at == 1 || name[at - 2] == '.') && is_listed(list, hash))
			return true;
	}
	return false;
}
