/*
 * Threads that want a database which is away, through few connections: all fail, hardly anybody
 * tries to connect, nobody is stuck. ThreadSanitizer may find nothing. (That connections go from
 * hand to hand is tested on a real database: tests/domain/test_db_pool.c.)
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "db/db.h"

enum { THREADS = 16, ROUNDS = 200, LEASES = 2, PAUSE_MS = 1, BACK_OFF_LEAST_MS = 25 };

static pthread_barrier_t start;
static _Atomic unsigned succeeded, calls;
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

static void *run(void *argument)
{
	struct db *db = db_new("host=/nonexistent", "shorten");
	(void)argument;
	pthread_barrier_wait(&start);
	for (int i = 0; i < ROUNDS; i++) {
		db_set_deadline(db, 1000);
		succeeded += db_begin(db) == DB_OK;
		succeeded += db_run(db, STATEMENT_schema_version, NULL, 0) == DB_OK;
		succeeded += db_schema(db) != DB_SCHEMA_UNKNOWN;
		calls += 3;
		poll(NULL, 0, PAUSE_MS);
	}
	db_free(db);
	return NULL;
}

static void run_all(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	char path[64];
	snprintf(path, sizeof(path), "/dev/shm/linkshrink-stress-db.%d", (int)getpid());
	say("segment is shared", segment_open(path));
	db_pool_limit(LEASES);
	uint64_t begin = clock_monotonic();
	run_all();
	uint64_t took = clock_monotonic() - begin;
	uint64_t tries = metrics_value(METRIC_db_connects, LABEL_program_SHORTEN, 0);
	say("all calls fail", succeeded == 0 && calls == THREADS * ROUNDS * 3);
	say("somebody tries", tries > 0);
	/* Those who were there when it was not known to be away, then one at a time. */
	say("hardly anybody tries", tries <= THREADS + took / CLOCK_MS / BACK_OFF_LEAST_MS);
	unlink(segment_path());
	return failed;
}
