#include "domain/visitor.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/segment.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, NUMBER_LEN = 8 };

/* SipHash: made for short texts and a secret key, and its context is used again as it is. */
struct visitor_hasher {
	EVP_MAC *algorithm; /* fetched once: finding it takes longer than using it */
	EVP_MAC_CTX *context;
};

static bool prepare(struct visitor_hasher *hasher)
{
	size_t len = NUMBER_LEN;
	const OSSL_PARAM parameters[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &len),
		OSSL_PARAM_construct_end() };
	hasher->algorithm = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	hasher->context = EVP_MAC_CTX_new(hasher->algorithm);
	return hasher->context != NULL && EVP_MAC_CTX_set_params(hasher->context, parameters) == 1;
}

struct visitor_hasher *visitor_hasher_new(void)
{
	struct visitor_hasher *hasher = calloc(1, sizeof(*hasher));
	if (hasher != NULL && prepare(hasher))
		return hasher;
	visitor_hasher_free(hasher);
	return NULL;
}

void visitor_hasher_free(struct visitor_hasher *hasher)
{
	if (hasher == NULL)
		return;
	EVP_MAC_CTX_free(hasher->context);
	EVP_MAC_free(hasher->algorithm);
	free(hasher);
}

/* Whoever comes first decides; all others, in all processes, take what that one chose. */
static uint64_t half_of_key(_Atomic uint64_t *half)
{
	uint64_t value = atomic_load_explicit(half, memory_order_relaxed), chosen;
	if (value != 0)
		return value;
	do
		random_bytes(&chosen, sizeof(chosen));
	while (chosen == 0);
	if (atomic_compare_exchange_strong_explicit(
		    half, &value, chosen, memory_order_relaxed, memory_order_relaxed))
		return chosen;
	return value;
}

static int64_t day_of(int64_t at)
{
	return at < 0 ? 0 : at / DAY_MS;
}

static struct visitor_key *key_of(int64_t day)
{
	return &segment_get()->visitor_keys[day % VISITOR_KEYS];
}

int64_t visitor_number(
	struct visitor_hasher *hasher, int64_t at, const char *client, const char *user_agent)
{
	unsigned char hash[NUMBER_LEN];
	size_t len;
	int64_t number = 0, day = day_of(at);
	uint64_t key[2];
	for (unsigned i = 0; i < 2; i++)
		key[i] = half_of_key(&key_of(day)->half[i]);
	/* With its zero, the address ends where it ends: nothing moves from one into the other. */
	if (EVP_MAC_init(hasher->context, (const unsigned char *)key, sizeof(key), NULL) == 1 &&
		EVP_MAC_update(hasher->context, (const unsigned char *)&day, sizeof(day)) == 1 &&
		EVP_MAC_update(
			hasher->context, (const unsigned char *)client, strlen(client) + 1) == 1 &&
		EVP_MAC_update(hasher->context, (const unsigned char *)user_agent,
			strlen(user_agent)) == 1 &&
		EVP_MAC_final(hasher->context, hash, &len, sizeof(hash)) == 1 &&
		len == sizeof(number))
		memcpy(&number, hash, sizeof(number));
	return number;
}

/* Tomorrow's slot is left alone: a thread whose clock is ahead may have made its key already. */
void visitor_forget(int64_t now)
{
	int64_t today = day_of(now);
	for (int64_t day = today + 2; day <= today + 3; day++)
		for (unsigned i = 0; i < 2; i++)
			atomic_store_explicit(&key_of(day)->half[i], 0, memory_order_relaxed);
}
