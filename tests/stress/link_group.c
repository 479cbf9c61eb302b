/*
 * Threads that create links at once, by a store that only counts: each link is stored once and its
 * creator gets it, also while many lose patience. ThreadSanitizer may find nothing.
 */
#include "domain/link_group.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { THREADS = 24, ROUNDS = 2000, HASTY_ROUNDS = 100, LONG_MS = 60000, SHORT_MS = 2 };

static pthread_barrier_t start;
static atomic_uint stored, created, settled, groups, at_once, too_many, in_store;
static atomic_uint acknowledged, unknown, wrong;
static int pause_ms;
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

/* Whoever has "taken" as title gets that answer. */
static void store(
	struct db *db, struct link *const links[], enum link_result results[], unsigned count)
{
	(void)db;
	too_many += ++in_store > 2 || count > LINK_GROUP_MAX || count == 0;
	for (unsigned i = 0; i < count; i++) {
		results[i] = *links[i]->title ? LINK_TAKEN : LINK_OK;
		links[i]->id = links[i]->owner * 10 + 1;
		stored++;
		created += results[i] == LINK_OK;
	}
	groups++;
	at_once += count > 1;
	if (pause_ms > 0)
		poll(NULL, 0, pause_ms);
	in_store--;
}

/* Each stored link is settled once, before its creator goes on in time. */
static void settle(const char *const codes[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		settled += codes[i] != NULL;
}

static void create(struct db *db, int64_t number)
{
	struct link link = { .owner = number };
	bool taken = number % 3 == 0;
	if (taken)
		(void)text_copy(link.title, sizeof(link.title), "taken");
	switch (link_group_create(db, &link, store, settle)) {
	case LINK_OK:
		wrong += taken || link.id != number * 10 + 1;
		acknowledged++;
		break;
	case LINK_TAKEN:
	case LINK_NOBODY:
	case LINK_CHANGED:
		wrong += !taken || link.id != 0;
		acknowledged++;
		break;
	case LINK_UNKNOWN:
	case LINK_GONE: wrong++; break;
	case LINK_DOWN: unknown++; break;
	}
}

static void *run(void *argument)
{
	unsigned thread = *(unsigned *)argument;
	struct db *db = db_new("host=/nonexistent", "shorten");
	int rounds = pause_ms > 0 ? HASTY_ROUNDS : ROUNDS;
	pthread_barrier_wait(&start);
	for (int i = 0; i < rounds; i++) {
		db_set_deadline(db, pause_ms > 0 && thread % 2 == 1 ? SHORT_MS : LONG_MS);
		create(db, (int64_t)thread * ROUNDS + i);
	}
	db_free(db);
	return NULL;
}

static void run_all(int pause)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];
	pause_ms = pause;
	stored = groups = at_once = acknowledged = unknown = 0;
	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, run, &numbers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

int main(void)
{
	run_all(0);
	say("each link is stored once", stored == THREADS * ROUNDS);
	say("each creator is answered", acknowledged == THREADS * ROUNDS && unknown == 0);
	say("each is settled once", settled == created && created > 0);
	say("links are gathered", at_once > 0 && groups < THREADS * ROUNDS);
	run_all(1);
	say("some lose patience", unknown > 0);
	say("who has time is answered", acknowledged >= THREADS / 2 * HASTY_ROUNDS);
	say("nobody is left behind", acknowledged + unknown == THREADS * HASTY_ROUNDS);
	say("what was acknowledged was stored", stored >= acknowledged);
	say("answers reach those whom they are for", wrong == 0);
	say("two store at once, a group each", too_many == 0);
	return failed;
}
