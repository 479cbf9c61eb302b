#include "service/turns.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/workers.h"

struct turner {
	service_turn turn;
	struct worker worker;
	pthread_t id;
};

static struct turner turners[SERVICE_TURNS];
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

bool turns_start(const struct service *service, struct worker_slot *slot)
{
	for (unsigned i = 0; i < SERVICE_TURNS && service->turns[i] != NULL; i++) {
		struct turner *turner = &turners[i];
		turner->turn = service->turns[i];
		turner->worker = (struct worker){ .slot = slot, .thread = service->threads + i };
		if (!service_equip(service, &turner->worker) ||
			pthread_create(&turner->id, NULL, take_turns, turner) != 0)
			return false;
		running++;
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
