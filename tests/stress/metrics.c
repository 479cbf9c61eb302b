/*
 * Threads that count, observe, render and ask for rates at once, in the segment that processes
 * share. Nothing may be lost, and ThreadSanitizer may find nothing.
 */
#include "base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/segment.h"
#include "base/workers.h"
#include "domain/rate.h"

enum { THREADS = 8, ROUNDS = 20000, PAGES = 20, LIMIT = 2000 };

static pthread_barrier_t start;
static _Atomic unsigned passed; /* rates that were not refused */
static _Atomic unsigned torn;   /* pages that contradict themselves */
static int failed;

static void say(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

static void render(unsigned thread)
{
	struct text page = text_growing(1 << 20);
	for (int i = 0; i < PAGES; i++) {
		text_clear(&page);
		metrics_render(&page, NULL);
		if (page.cut || page.data[page.len - 1] != '\n')
			torn++;
		workers_publish();
	}
	text_free(&page);
	metrics_set(METRIC_workers_alive, LABEL_program_OTHER, 0, thread);
}

static void *run(void *argument)
{
	unsigned thread = *(unsigned *)argument;
	struct worker_slot *slot = &segment_get()->workers[0];
	pthread_barrier_wait(&start);
	for (unsigned i = 0; i < ROUNDS; i++) {
		workers_busy(slot, thread);
		metrics_add(METRIC_links_created, 0, 0, 1);
		metrics_add(METRIC_requests, i % LABEL_handler_COUNT, LABEL_code_200, thread);
		metrics_observe(METRIC_request_duration, LABEL_handler_SHORTEN, i * 1000);
		passed += rate_take(RATE_CREATE, "192.0.2.1") == 0;
		rate_charge(RATE_API, i % 2 == 0 ? "192.0.2.2" : "192.0.2.3", 2);
		workers_idle(slot, thread);
		if (i % (ROUNDS / 2) == 0)
			render(thread);
	}
	return NULL;
}

static void run_all(void)
{
	pthread_t threads[THREADS];
	unsigned numbers[THREADS];
	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, run, &numbers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void check(uint64_t nanoseconds)
{
	uint64_t by_handler = 0;
	for (unsigned handler = 0; handler < LABEL_handler_COUNT; handler++)
		by_handler += metrics_value(METRIC_requests, handler, LABEL_code_200);
	say("counter is exact", metrics_value(METRIC_links_created, 0, 0) == THREADS * ROUNDS);
	say("labelled counter is exact", by_handler == ROUNDS * (THREADS * (THREADS - 1) / 2));
	say("histogram is exact", metrics_observations(METRIC_request_duration,
					  LABEL_handler_SHORTEN) == THREADS * ROUNDS);
	say("histogram's sum is exact",
		metrics_value(
			METRIC_request_duration, LABEL_handler_SHORTEN, METRICS_BUCKET_COUNT + 1) ==
			UINT64_C(1000) * THREADS * ROUNDS * (ROUNDS - 1) / 2);
	say("pages are whole", torn == 0);
	/* A burst, and what became free meanwhile; one more because the clock is read before. */
	uint64_t most = LIMIT / 4 + nanoseconds / (60 * CLOCK_S / LIMIT) + 1;
	say("rate lets a burst through", passed >= LIMIT / 4);
	say("rate lets no more through than it may", passed <= most);
}

int main(void)
{
	char path[64], memory[1024];
	struct text error = text_fixed(memory, sizeof memory);
	snprintf(path, sizeof path, "/dev/shm/linkshrink-stress.%d", (int)getpid());
	setenv("LINKSHRINK_RATE_CREATE", "2000", 1);
	say("settings are good", config_load(&error));
	say("segment is shared", segment_open(path));
	uint64_t begin = clock_monotonic();
	run_all();
	check(clock_monotonic() - begin);
	unlink(segment_path());
	return failed;
}
