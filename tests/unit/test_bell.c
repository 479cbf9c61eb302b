#include "base/bell.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#include "base/segment.h"
#include "unit/scratch.h"

enum { PATIENCE_MS = 10000 };

static void prepare(void)
{
	scratch_make();
	cr_assert(segment_open(scratch_path("segment")));
}

static void cleanup(void)
{
	segment_close();
	scratch_remove();
}

TestSuite(bell, .init = prepare, .fini = cleanup);

static void ring(void)
{
	if (segment_open(scratch_path("segment")))
		bell_ring(BELL_LINKS_APPLIED);
}

/* Rings once somebody waits. */
static void *ring_when_awaited(void *unused)
{
	(void)unused;
	while (atomic_load(&segment_get()->bells[BELL_LINKS_WANTED].waiting) == 0)
		usleep(100);
	bell_ring(BELL_LINKS_WANTED);
	return NULL;
}

Test(bell, that_rang_before_the_wait_is_not_missed)
{
	uint32_t before = bell_count(BELL_LINKS_APPLIED);
	bell_ring(BELL_LINKS_APPLIED);
	cr_expect(bell_wait(BELL_LINKS_APPLIED, before, PATIENCE_MS));
	cr_expect_not(bell_wait(BELL_LINKS_APPLIED, bell_count(BELL_LINKS_APPLIED), 1));
}

Test(bell, wakes_who_waits)
{
	pthread_t ringer;
	uint32_t before = bell_count(BELL_LINKS_WANTED);
	cr_assert_eq(pthread_create(&ringer, NULL, ring_when_awaited, NULL), 0);
	cr_expect(bell_wait(BELL_LINKS_WANTED, before, PATIENCE_MS));
	pthread_join(ringer, NULL);
	cr_expect_eq(segment_get()->bells[BELL_LINKS_WANTED].waiting, 0);
}

Test(bell, is_heard_in_other_processes)
{
	uint32_t before = bell_count(BELL_LINKS_APPLIED);
	pid_t child = scratch_fork(ring);
	cr_expect(bell_wait(BELL_LINKS_APPLIED, before, PATIENCE_MS));
	scratch_kill(child);
}

Test(bell, is_not_another_one)
{
	uint32_t before = bell_count(BELL_LINKS_APPLIED);
	bell_ring(BELL_LINKS_WANTED);
	bell_ring(BELL_CLICKS_COMMITTED);
	cr_expect_eq(bell_count(BELL_LINKS_APPLIED), before);
}
