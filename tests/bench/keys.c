/*
 * Whether the time of a refusal tells a key that exists from one that does not: keys CALLS
 *
 * Asks for a known id with a wrong secret and for an unknown id in random order, CALLS times each,
 * and prints the mean of both in microseconds and Welch's t of their difference: beyond ± 4.5 they
 * can be told apart. Run it beside a cluster: tests/domain/with-cluster.sh.
 * Source: B. L. Welch, "The generalization of Student's problem", Biometrika 34 (1947); the bound is
 * that of test vector leakage assessment, ISO/IEC 17825.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "domain/apikey.h"

enum { DEADLINE_MS = 2000, WARM_UP = 1000 };

/* Mean and sum of squared distances from it, as the values come (Welford). */
struct sample {
	double count, mean, squares;
};

static void add(struct sample *sample, double value)
{
	double distance = value - sample->mean;

	sample->count++;
	sample->mean += distance / sample->count;
	sample->squares += distance * (value - sample->mean);
}

static double welch_t(const struct sample *a, const struct sample *b)
{
	double va = a->squares / (a->count - 1) / a->count;
	double vb = b->squares / (b->count - 1) / b->count;

	return (a->mean - b->mean) / sqrt(va + vb);
}

/* A fresh secret each time, so that neither is in any cache more than the other. */
static double refuse(struct db *db, int64_t id)
{
	char secret[65], token[APIKEY_TOKEN];
	struct text text = text_fixed(token, sizeof(token));
	struct apikey key;
	uint64_t begin;

	random_hex(secret, 32);
	text_addf(&text, "ls_%lld_%s", (long long)id, secret);
	db_set_deadline(db, DEADLINE_MS);
	begin = clock_monotonic();
	if (apikey_check(db, token, &key) != APIKEY_REFUSED) {
		fputs("keys: a wrong key was not refused\n", stderr);
		exit(EXIT_FAILURE);
	}
	return (double)(clock_monotonic() - begin) / 1000;
}

/* 1,000 keys, so that there is something to find. */
static int64_t make_keys(struct db *db)
{
	struct apikey_record record = { .key.scopes = SCOPE_LINKS_READ, .name = "bench" };
	char token[APIKEY_TOKEN];

	for (int i = 0; i < 1000; i++) {
		db_set_deadline(db, DEADLINE_MS);
		if (apikey_create(db, &record, token) != DB_OK) {
			fputs("keys: no key could be made\n", stderr);
			exit(EXIT_FAILURE);
		}
	}
	return record.key.id - 500;
}

int main(int argc, char **argv)
{
	int64_t calls, known;
	struct sample samples[2] = { 0 };
	struct db *db = db_new(getenv("LINKSHRINK_DATABASE_URL"), "api");

	if (argc != 2 || !db || !text_to_number(argv[1], 2, 10000000, &calls)) {
		fputs("usage: tests/domain/with-cluster.sh keys CALLS\n", stderr);
		return EXIT_FAILURE;
	}
	known = make_keys(db);
	for (int64_t i = -WARM_UP; i < 2 * calls; i++) {
		unsigned which = random_below(2);
		double us = refuse(db, which ? known : known + 1000000);

		if (i >= 0)
			add(&samples[which], us);
	}
	printf("unknown_us %.2f\nknown_us %.2f\nt %.2f\n", samples[0].mean, samples[1].mean,
		welch_t(&samples[1], &samples[0]));
	db_free(db);
	return EXIT_SUCCESS;
}
