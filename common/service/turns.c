#include "service/turns.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/workers.h"
#include "domain/blocklist.h"

struct turner {
	service_turn turn;
	struct worker worker;
	pthread_t id;
};

static struct turner turners[SERVICE_TURNS + 1]; /* one for the blocklist */
static unsigned running;
static bool stopping;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stop_wanted = PTHREAD_COND_INITIALIZER;

static struct timespec moment(uint64_t nanoseconds)
{
	return (struct timespec){ .tv_sec = (time_t)(nanoseconds / CLOCK_S),
		.tv_nsec = (long)(nanoseconds % CLOCK_S) };
}

/* False when it is time to stop, which cuts the pause short. */
static bool pause_for(unsigned ms)
{
	const struct timespec end = moment(clock_monotonic() + ms * CLOCK_MS);
	int result = 0;
	pthread_mutex_lock(&lock);
	while (!stopping && ms > 0 && result == 0)
		result = pthread_cond_clockwait(&stop_wanted, &lock, CLOCK_MONOTONIC, &end);
	bool go_on = !stopping;
	pthread_mutex_unlock(&lock);
	return go_on;
}

static void *take_turns(void *argument)
{
	struct turner *turner = argument;
	struct worker *worker = &turner->worker;
	unsigned pause = 0;
	while (pause_for(pause)) {
		workers_busy(worker->slot, worker->thread);
		pause = turner->turn(worker);
		workers_idle(worker->slot, worker->thread);
	}
	return NULL;
}

/* A long list, or a slow disk, may take longer than a request may; that is no stalled process. */
static unsigned look_at_blocklist(struct worker *worker)
{
	workers_idle(worker->slot, worker->thread);
	blocklist_look(config_get()->blocklist);
	return BLOCKLIST_LOOK_MS;
}

static bool start(service_turn turn, const struct worker *worker)
{
	struct turner *turner = &turners[running];
	turner->turn = turn;
	turner->worker = *worker;
	if (pthread_create(&turner->id, NULL, take_turns, turner) != 0)
		return false;
	running++;
	return true;
}

bool turns_start(const struct service *service, struct worker_slot *slot)
{
	struct worker worker = { .slot = slot, .thread = service->threads };
	if ((service->needs & NEEDS_BLOCKLIST) != 0 && !start(look_at_blocklist, &worker))
		return false;
	for (unsigned i = 0; i < SERVICE_TURNS && service->turns[i] != NULL; i++) {
		worker = (struct worker){ .slot = slot, .thread = service->threads + running };
		if (!service_equip(service, &worker) || !start(service->turns[i], &worker))
			return false;
	}
	return true;
}

bool turns_stop(uint64_t wait_ms)
{
	const struct timespec until = moment(clock_monotonic() + wait_ms * CLOCK_MS);
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&stop_wanted);
	pthread_mutex_unlock(&lock);
	while (running > 0) {
		struct turner *last = &turners[running - 1];
		if (pthread_clockjoin_np(last->id, NULL, CLOCK_MONOTONIC, &until) != 0)
			return false;
		service_strip(&last->worker);
		running--;
	}
	return true;
}
