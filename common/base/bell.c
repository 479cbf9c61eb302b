#include "base/bell.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/segment.h"

_Static_assert((int)BELL_CLICKS_COMMITTED < (int)BELLS, "the segment has room for every bell");

static struct bell_cell *cell(enum bell bell)
{
	return &segment_get()->bells[bell];
}

uint32_t bell_count(enum bell bell)
{
	/* Acquired: who sees the ring sees what was done before it. */
	return atomic_load_explicit(&cell(bell)->rung, memory_order_acquire);
}

void bell_ring(enum bell bell)
{
	struct bell_cell *rung = cell(bell);
	/* In one order with the waiter's own two steps, so that one of us sees the other. */
	atomic_fetch_add(&rung->rung, 1);
	if (atomic_load(&rung->waiting) != 0)
		syscall(SYS_futex, &rung->rung, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool bell_wait(enum bell bell, uint32_t since, unsigned ms)
{
	struct bell_cell *awaited = cell(bell);
	uint64_t now = clock_monotonic(), end = now + ms * CLOCK_MS;
	/* A waiter that is killed stays counted: from then on each ring costs a system call. */
	atomic_fetch_add(&awaited->waiting, 1);
	while (atomic_load(&awaited->rung) == since && now < end) {
		const struct timespec left = { .tv_sec = (time_t)((end - now) / CLOCK_S),
			.tv_nsec = (long)((end - now) % CLOCK_S) };
		syscall(SYS_futex, &awaited->rung, FUTEX_WAIT, since, &left, NULL, 0);
		now = clock_monotonic();
	}
	atomic_fetch_sub(&awaited->waiting, 1);
	return bell_count(bell) != since;
}
