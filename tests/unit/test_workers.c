#include "base/workers.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/scratch.h"

#define STALL CLOCK_S

static void setup(void)
{
	scratch_make();
	cr_assert(segment_open(scratch_path("segment")));
}

static void cleanup(void)
{
	segment_close();
	scratch_remove();
}

TestSuite(workers, .init = setup, .fini = cleanup);

static struct worker_slot *join(void)
{
	/* A description of its own: locks of an inherited one would be the parent's. */
	segment_open(scratch_path("segment"));
	return workers_join(LABEL_program_REDIRECT);
}

static void join_idle(void)
{
	join();
}

static void join_busy(void)
{
	struct worker_slot *slot = join();
	slot->seen = clock_monotonic() + 3600 * CLOCK_S; /* its main thread is well */
	workers_busy(slot, 1);
}

static void join_and_leave(void)
{
	workers_leave(join());
}

static uint64_t exits(enum label_cause cause)
{
	return metrics_value(METRIC_worker_exits, LABEL_program_REDIRECT, cause);
}

static unsigned alive(void)
{
	return workers_alive(LABEL_program_REDIRECT);
}

/*
 * Looks as the main thread does, often enough never to be late, for a time or until the child has
 * gone and was buried: the kernel drops its locks before it can be waited for.
 */
static bool watch(pid_t child, uint64_t ns)
{
	uint64_t end = clock_monotonic() + ns;
	bool gone = false;
	while (clock_monotonic() < end && !gone) {
		workers_watch(NULL, STALL);
		gone = waitpid(child, NULL, WNOHANG) == child;
		if (!gone)
			usleep(20000);
	}
	/* Twice: after a pause of this process itself the first of them judges nobody. */
	workers_watch(NULL, STALL);
	workers_watch(NULL, STALL);
	return gone;
}

Test(workers, are_alive_while_their_process_lives)
{
	pid_t child = scratch_fork(join_idle);
	cr_expect_eq(alive(), 1);
	cr_expect_eq(workers_alive(LABEL_program_SHORTEN), 0);
	cr_expect_eq(metrics_value(METRIC_worker_starts, LABEL_program_REDIRECT, 0), 1);
	scratch_kill(child);
	cr_expect_eq(alive(), 0);
}

Test(workers, lose_their_slot_with_their_process_and_are_buried_once)
{
	scratch_kill(scratch_fork(join_busy));
	for (int i = 0; i < 3; i++)
		workers_watch(NULL, STALL);
	cr_expect_eq(exits(LABEL_cause_DIED), 1);
	cr_expect_eq(exits(LABEL_cause_STALLED), 0);
	workers_publish();
	cr_expect_eq(metrics_value(METRIC_workers_busy, LABEL_program_REDIRECT, 0), 0);
}

Test(workers, take_over_the_slot_of_a_dead_one)
{
	scratch_kill(scratch_fork(join_busy));
	struct worker_slot *slot = workers_join(LABEL_program_SHORTEN);
	cr_expect_eq(slot, &segment_get()->workers[0]);
	cr_expect_eq(slot->threads[1].progress, 0, "what the dead one did is forgotten");
	cr_expect_eq(exits(LABEL_cause_DIED), 1);
	cr_expect_eq(workers_alive(LABEL_program_SHORTEN), 1);
}

Test(workers, leave_in_order_and_are_not_taken_for_dead)
{
	pid_t child = scratch_fork(join_and_leave);
	cr_expect_eq(alive(), 0);
	scratch_kill(child);
	for (int i = 0; i < 3; i++)
		workers_watch(NULL, STALL);
	cr_expect_eq(exits(LABEL_cause_STOPPED), 1);
	cr_expect_eq(exits(LABEL_cause_DIED), 0);
	workers_leave(NULL);
}

Test(workers, get_slots_of_their_own)
{
	pid_t first = scratch_fork(join_idle);
	pid_t second = scratch_fork(join_idle);
	cr_expect_eq(alive(), 2);
	cr_expect_neq(segment_get()->workers[0].pid, segment_get()->workers[1].pid);
	scratch_kill(first);
	cr_expect_eq(alive(), 1);
	scratch_kill(second);
}

Test(workers, are_killed_when_a_request_makes_no_progress)
{
	pid_t child = scratch_fork(join_busy);
	uint64_t begin = clock_monotonic();
	cr_expect(watch(child, 10 * CLOCK_S), "it still lives");
	cr_expect_geq(clock_monotonic() - begin + 50 * CLOCK_MS, STALL, "too early");
	cr_expect_eq(exits(LABEL_cause_STALLED), 1);
	watch(child, 100 * CLOCK_MS);
	cr_expect_eq(exits(LABEL_cause_DIED), 0, "counted twice");
	cr_expect_eq(alive(), 0);
}

Test(workers, are_killed_when_they_were_stopped)
{
	pid_t child = scratch_fork(join_idle);
	kill(child, SIGSTOP);
	cr_expect(watch(child, 10 * CLOCK_S), "it still lives");
	cr_expect_eq(exits(LABEL_cause_STALLED), 1);
}

Test(workers, leave_nothing_behind_that_would_kill_their_successor)
{
	pid_t child = scratch_fork(join_busy);
	cr_expect(watch(child, 10 * CLOCK_S), "it still lives");
	struct worker_slot *slot = workers_join(LABEL_program_SHORTEN);
	cr_expect_eq(slot, &segment_get()->workers[0]);
	cr_expect_eq(slot->threads[1].progress, 0);
	cr_expect_eq(exits(LABEL_cause_STALLED), 1);
}

Test(workers, are_killed_by_the_next_who_looks_when_the_first_died_over_it)
{
	pid_t child = scratch_fork(join_busy);
	/* Marked, but the signal was never sent. */
	segment_get()->workers[0].pid = -segment_get()->workers[0].pid;
	cr_expect(watch(child, 10 * CLOCK_S), "it still lives");
	watch(child, 100 * CLOCK_MS);
	cr_expect_eq(exits(LABEL_cause_STALLED), 1);
	cr_expect_eq(exits(LABEL_cause_DIED), 0);
}

static void join_and_stop(void)
{
	struct worker_slot *slot = join();
	slot->seen = 1; /* long ago */
	workers_stopping(slot);
}

Test(workers, may_take_their_time_to_stop)
{
	pid_t child = scratch_fork(join_and_stop);
	cr_expect_not(watch(child, 2 * STALL), "it was killed");
	scratch_kill(child);
}

static void *go_on(void *slot)
{
	for (;;) {
		((struct worker_slot *)slot)->seen = clock_monotonic();
		workers_busy(slot, 0);
		usleep(10000);
	}
	return NULL;
}

static void join_and_go_on(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, go_on, join());
}

Test(workers, live_on_while_they_make_progress)
{
	pid_t child = scratch_fork(join_and_go_on);
	cr_expect_not(watch(child, 3 * STALL), "it was killed");
	cr_expect_eq(exits(LABEL_cause_STALLED), 0);
	scratch_kill(child);
}

Test(workers, are_not_judged_by_a_watcher_that_was_late_itself)
{
	pid_t child = scratch_fork(join_busy);
	workers_watch(NULL, STALL);
	usleep(2 * STALL / 1000);
	workers_watch(NULL, STALL);
	cr_expect_eq(waitpid(child, NULL, WNOHANG), 0, "it was killed");
	cr_expect_eq(exits(LABEL_cause_STALLED), 0);
	cr_expect(watch(child, 10 * CLOCK_S), "the next looks judge again");
}

Test(workers, are_killed_only_if_the_process_is_still_the_same)
{
	pid_t child = scratch_fork(join_busy);
	segment_get()->workers[0].start_ticks++; /* as if the pid had been given to another */
	cr_expect_not(watch(child, 2 * STALL), "it was killed");
	cr_expect_eq(exits(LABEL_cause_STALLED), 0);
	scratch_kill(child);
}

static void *look_on(void *nothing)
{
	for (;;) {
		workers_watch(NULL, STALL);
		usleep(1000);
	}
	return nothing;
}

static void watch_often(void)
{
	pthread_t thread;
	segment_open(scratch_path("segment"));
	pthread_create(&thread, NULL, look_on, NULL);
}

Test(workers, are_counted_once_though_many_watch)
{
	pid_t watchers[3];
	for (int i = 0; i < 3; i++)
		watchers[i] = scratch_fork(watch_often);
	pid_t child = scratch_fork(join_busy);
	cr_expect(watch(child, 10 * CLOCK_S), "it still lives");
	usleep(50000);
	cr_expect_eq(exits(LABEL_cause_STALLED), 1);
	cr_expect_eq(exits(LABEL_cause_DIED), 0);
	for (int i = 0; i < 3; i++)
		scratch_kill(watchers[i]);
}

Test(workers, have_no_slot_in_private_memory)
{
	segment_close();
	cr_expect_null(workers_join(LABEL_program_REDIRECT));
	cr_expect_eq(alive(), 0);
	workers_busy(NULL, 0);
	workers_idle(NULL, 0);
	workers_watch(NULL, STALL);
	workers_publish();
}

Test(workers, ignore_threads_beyond_the_last)
{
	struct worker_slot *slot = workers_join(LABEL_program_REDIRECT);
	workers_busy(slot, WORKER_THREADS);
	workers_busy(slot, WORKER_THREADS - 1);
	workers_publish();
	cr_expect_eq(metrics_value(METRIC_workers_busy, LABEL_program_REDIRECT, 0), 1);
	workers_idle(slot, WORKER_THREADS - 1);
	workers_publish();
	cr_expect_eq(metrics_value(METRIC_workers_busy, LABEL_program_REDIRECT, 0), 0);
}

static uint64_t shown(enum metric metric, unsigned b)
{
	workers_publish();
	return metrics_value(metric, LABEL_program_REDIRECT, b);
}

static void join_with_connections(void)
{
	join();
	workers_connections(LABEL_connection_IDLE, 3);
	workers_connections(LABEL_connection_BUSY, 2);
	workers_connections(LABEL_connection_IDLE, -1);
	workers_circuit(clock_monotonic() + 3600 * CLOCK_S);
}

Test(workers, take_their_connections_with_them)
{
	pid_t child = scratch_fork(join_with_connections);
	pid_t other = scratch_fork(join_with_connections);
	cr_expect_eq(shown(METRIC_db_connections, LABEL_connection_IDLE), 4);
	cr_expect_eq(shown(METRIC_db_connections, LABEL_connection_BUSY), 4);
	cr_expect_eq(shown(METRIC_db_circuit, 0), 1);
	scratch_kill(child);
	cr_expect_eq(shown(METRIC_db_connections, LABEL_connection_IDLE), 2);
	scratch_kill(other);
	cr_expect_eq(shown(METRIC_db_connections, LABEL_connection_BUSY), 0);
	cr_expect_eq(shown(METRIC_db_circuit, 0), 0);
	workers_join(LABEL_program_REDIRECT);
	cr_expect_eq(shown(METRIC_db_connections, LABEL_connection_IDLE), 0, "left by the dead");
}

Test(workers, take_the_database_for_away_only_so_long)
{
	workers_join(LABEL_program_REDIRECT);
	workers_circuit(clock_monotonic() + 3600 * CLOCK_S);
	cr_expect_eq(shown(METRIC_db_circuit, 0), 1);
	workers_circuit(clock_monotonic());
	cr_expect_eq(shown(METRIC_db_circuit, 0), 0);
}

Test(workers, show_the_request_that_waits_longest)
{
	struct worker_slot *slot = workers_join(LABEL_program_REDIRECT);
	cr_expect_eq(shown(METRIC_oldest_request, 0), 0);
	workers_busy(slot, 1);
	workers_busy(slot, 7);
	slot->threads[7].progress = clock_monotonic() - 60 * CLOCK_S;
	int64_t age = clock_wall_ms() - (int64_t)(shown(METRIC_oldest_request, 0) / CLOCK_MS);
	cr_expect_geq(age, 59999);
	cr_expect_leq(age, 70000);
}

static void use_processor_time(uint64_t ns)
{
	struct timespec used;
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while ((uint64_t)used.tv_sec * CLOCK_S + (uint64_t)used.tv_nsec < ns);
}

static void work_and_look(void)
{
	struct worker_slot *slot = join();
	use_processor_time(100 * CLOCK_MS);
	workers_watch(slot, STALL);
	use_processor_time(150 * CLOCK_MS);
	workers_watch(slot, STALL);
}

static void work_and_leave(void)
{
	struct worker_slot *slot = join();
	use_processor_time(100 * CLOCK_MS);
	workers_leave(slot);
}

Test(workers, leave_the_processor_time_that_they_used)
{
	scratch_kill(scratch_fork(work_and_look));
	uint64_t used = shown(METRIC_process_cpu, 0);
	cr_expect_geq(used, 150 * CLOCK_MS);
	cr_expect_leq(used, 250 * CLOCK_MS, "counted twice");
	scratch_kill(scratch_fork(work_and_leave));
	cr_expect_geq(shown(METRIC_process_cpu, 0), used + 100 * CLOCK_MS);
}

Test(workers, show_what_they_have_of_the_machine)
{
	workers_join(LABEL_program_REDIRECT);
	cr_expect_gt(shown(METRIC_process_memory, 0), 100000);
	uint64_t before = shown(METRIC_process_fds, 0);
	int extra = dup(0);
	cr_expect_eq(shown(METRIC_process_fds, 0), before + 1);
	close(extra);
	cr_expect_geq(shown(METRIC_process_max_fds, 0), before);
	int64_t age = clock_wall_ms() - (int64_t)(shown(METRIC_process_start, 0) / CLOCK_MS);
	cr_expect_geq(age, 0);
	cr_expect_leq(age, 10000);
}
