#include "base/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static struct worker_slot *own; /* of this process; NULL: it has none */

static uint64_t load(_Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void store(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

/*
 * Locks of the open file description: they belong to the descriptor that main() keeps open, not to
 * a thread, and the kernel drops them when the process is gone. Byte i of the file stands for slot
 * i.
 */
static struct flock lock_of(unsigned index, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)index, .l_len = 1
	};
}

static bool try_lock(unsigned index)
{
	struct flock lock = lock_of(index, F_WRLCK);
	return segment_descriptor() >= 0 && fcntl(segment_descriptor(), F_OFD_SETLK, &lock) == 0;
}

static void unlock(unsigned index)
{
	/* Closing the descriptor would not do: the mapping keeps the file open. */
	struct flock lock = lock_of(index, F_UNLCK);
	fcntl(segment_descriptor(), F_OFD_SETLK, &lock);
}

/* Held by a process other than this one. */
static bool is_locked(unsigned index)
{
	struct flock lock = lock_of(index, F_WRLCK);
	return fcntl(segment_descriptor(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so count from its end. 0:
 * gone. */
static uint64_t start_ticks(int32_t pid)
{
	char path[64], bytes[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return 0;
	ssize_t len = read(descriptor, bytes, sizeof(bytes) - 1);
	close(descriptor);
	bytes[len < 0 ? 0 : len] = '\0';
	const char *field = strrchr(bytes, ')');
	for (int number = 2; field != NULL && number < 22; number++)
		field = strchr(field + 1, ' ');
	return field == NULL ? 0 : strtoull(field, NULL, 10);
}

static void clear(struct worker_slot *slot)
{
	for (unsigned thread = 0; thread < WORKER_THREADS; thread++)
		store(&slot->threads[thread].progress, 0);
	for (unsigned state = 0; state < LABEL_connection_COUNT; state++)
		atomic_store_explicit(&slot->connections[state], 0, memory_order_relaxed);
	store(&slot->circuit_until, 0);
	atomic_store_explicit(&slot->pid, 0, memory_order_release);
}

static unsigned index_of(const struct worker_slot *slot)
{
	return (unsigned)(slot - segment_get()->workers);
}

static int32_t pid_of(struct worker_slot *slot)
{
	return atomic_load_explicit(&slot->pid, memory_order_acquire);
}

/*
 * The slot's lock was had, so its process is gone. Unless it left in order, count how it went; only
 * here and under the lock, so that each end is counted once.
 */
static void bury(struct worker_slot *slot)
{
	int32_t pid = pid_of(slot);
	uint32_t program = atomic_load_explicit(&slot->program, memory_order_relaxed);
	if (pid != 0 && program < LABEL_program_COUNT)
		metrics_add(METRIC_worker_exits, program,
			pid < 0 ? LABEL_cause_STALLED : LABEL_cause_DIED, 1);
	clear(slot);
}

struct worker_slot *workers_join(enum label_program program)
{
	metrics_add(METRIC_worker_starts, program, 0, 1);
	for (unsigned i = 0; i < WORKER_PROCESSES; i++) {
		struct worker_slot *slot = &segment_get()->workers[i];
		if (!try_lock(i))
			continue;
		bury(slot);
		atomic_store_explicit(&slot->program, program, memory_order_relaxed);
		store(&slot->start_ticks, start_ticks(getpid()));
		store(&slot->seen, clock_monotonic());
		atomic_store_explicit(&slot->started_ms, clock_wall_ms(), memory_order_relaxed);
		own = slot;
		/* Last, and released: who sees the pid sees what belongs to it. */
		atomic_store_explicit(&slot->pid, getpid(), memory_order_release);
		return slot;
	}
	return NULL;
}

/*
 * Adds what this process used since the last time. So the counter only grows, whatever becomes of
 * the process: one that is killed takes at most the time since its last look with it.
 */
static void count_processor_time(const struct worker_slot *slot)
{
	static uint64_t counted;
	struct timespec used;
	uint32_t program = atomic_load_explicit(&slot->program, memory_order_relaxed);
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
		return;
	uint64_t now = (uint64_t)used.tv_sec * CLOCK_S + (uint64_t)used.tv_nsec;
	metrics_add(METRIC_process_cpu, program, 0, now - counted);
	counted = now;
}

void workers_leave(struct worker_slot *slot)
{
	if (slot == NULL)
		return;
	uint32_t program = atomic_load_explicit(&slot->program, memory_order_relaxed);
	count_processor_time(slot);
	own = NULL;
	metrics_add(METRIC_worker_exits, program, LABEL_cause_STOPPED, 1);
	clear(slot);
	unlock(index_of(slot));
}

void workers_stopping(struct worker_slot *slot)
{
	if (slot != NULL)
		store(&slot->seen, 0);
}

void workers_busy(struct worker_slot *slot, unsigned thread)
{
	if (slot != NULL && thread < WORKER_THREADS)
		store(&slot->threads[thread].progress, clock_monotonic());
}

void workers_idle(struct worker_slot *slot, unsigned thread)
{
	if (slot != NULL && thread < WORKER_THREADS)
		store(&slot->threads[thread].progress, 0);
}

static bool is_older(uint64_t moment, uint64_t now, uint64_t age)
{
	return moment != 0 && moment < now && now - moment > age;
}

static bool has_stalled(struct worker_slot *slot, uint64_t now, uint64_t stall_ns)
{
	if (is_older(load(&slot->seen), now, stall_ns))
		return true;
	for (unsigned thread = 0; thread < WORKER_THREADS; thread++)
		if (is_older(load(&slot->threads[thread].progress), now, stall_ns))
			return true;
	return false;
}

static void log_sentence(int32_t pid)
{
	struct log_line line;
	log_begin(&line, LOG_ERROR, "worker_stalled");
	log_field_number(&line, "stalled_pid", pid);
	log_end(&line);
}

/*
 * Kills the slot's process; a pidfd and the start time make sure that it is no other by now. First
 * it is sentenced, by a negative pid: whoever buries it then knows why it went. A sentenced process
 * that still lives is killed by the next who looks, should this watcher die in between.
 */
static void kill_stalled(struct worker_slot *slot, int32_t pid)
{
	int32_t number = pid < 0 ? -pid : pid;
	int process = (int)syscall(SYS_pidfd_open, number, 0);
	if (process < 0)
		return;
	if (load(&slot->start_ticks) == start_ticks(number)) {
		if (pid > 0 && atomic_compare_exchange_strong(&slot->pid, &pid, -pid))
			log_sentence(number);
		syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	}
	close(process);
}

static void look_at(unsigned index, uint64_t now, uint64_t stall_ns)
{
	struct worker_slot *slot = &segment_get()->workers[index];
	int32_t pid = pid_of(slot);
	if (pid == 0 || pid == getpid())
		return;
	if (is_locked(index)) {
		if (pid < 0 || has_stalled(slot, now, stall_ns))
			kill_stalled(slot, pid);
	} else if (try_lock(index)) {
		bury(slot);
		unlock(index);
	}
}

void workers_watch(struct worker_slot *slot, uint64_t stall_ns)
{
	static uint64_t last_look;
	uint64_t now = clock_monotonic();
	/* We were kept from running ourselves: so were the others, and their silence proves
	 * nothing. */
	bool late = last_look != 0 && now - last_look > stall_ns / 2;
	bool rested = last_look != 0 && !late;
	last_look = now;
	if (slot != NULL) {
		store(&slot->seen, now);
		count_processor_time(slot);
	}
	if (segment_descriptor() < 0 || !rested)
		return;
	for (unsigned i = 0; i < WORKER_PROCESSES; i++)
		look_at(i, now, stall_ns);
}

unsigned workers_rank(const struct worker_slot *slot)
{
	unsigned rank = 0;
	for (struct worker_slot *other = segment_get()->workers; slot != NULL && other < slot;
		other++)
		rank += pid_of(other) > 0 && other->program == slot->program;
	return rank;
}

int32_t workers_holder(unsigned index)
{
	int32_t pid = pid_of(&segment_get()->workers[index]);
	if (segment_descriptor() < 0 || pid <= 0)
		return 0;
	return pid == getpid() || is_locked(index) ? pid : 0;
}

unsigned workers_alive(enum label_program program)
{
	unsigned alive = 0;
	for (unsigned i = 0; i < WORKER_PROCESSES; i++) {
		struct worker_slot *slot = &segment_get()->workers[i];
		alive += atomic_load_explicit(&slot->program, memory_order_relaxed) == program &&
			 workers_holder(i) != 0;
	}
	return alive;
}

void workers_connections(enum label_connection state, int change)
{
	if (own != NULL)
		atomic_fetch_add_explicit(&own->connections[state], change, memory_order_relaxed);
}

void workers_circuit(uint64_t until)
{
	if (own != NULL)
		store(&own->circuit_until, until);
}
