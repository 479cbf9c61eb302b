#include "domain/visitor.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/segment.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, HASH_MAX = 32 };

struct visitor_hasher {
	EVP_MD *digest; /* fetched once: finding it takes longer than using it */
	EVP_MD_CTX *context;
};

/* What is hashed before address and user agent. */
struct salt {
	uint64_t key[2];
	int64_t day;
};

struct visitor_hasher *visitor_hasher_new(void)
{
	struct visitor_hasher *hasher = calloc(1, sizeof(*hasher));
	if (hasher == NULL)
		return NULL;
	hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher->context = EVP_MD_CTX_new();
	if (hasher->digest != NULL && hasher->context != NULL &&
		EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) == 1)
		return hasher;
	visitor_hasher_free(hasher);
	return NULL;
}

void visitor_hasher_free(struct visitor_hasher *hasher)
{
	if (hasher == NULL)
		return;
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_free(hasher->digest);
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
	unsigned char hash[HASH_MAX];
	int64_t number = 0;
	struct salt salt = { .day = day_of(at) };
	for (unsigned i = 0; i < 2; i++)
		salt.key[i] = half_of_key(&key_of(salt.day)->half[i]);
	/* With its zero, the address ends where it ends: nothing moves from one into the other. */
	if (EVP_DigestInit_ex2(hasher->context, NULL, NULL) == 1 &&
		EVP_DigestUpdate(hasher->context, &salt, sizeof(salt)) == 1 &&
		EVP_DigestUpdate(hasher->context, client, strlen(client) + 1) == 1 &&
		EVP_DigestUpdate(hasher->context, user_agent, strlen(user_agent)) == 1 &&
		EVP_DigestFinal_ex(hasher->context, hash, NULL) == 1)
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
