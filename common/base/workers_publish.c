/*
 * What the page shows of processes: from their slots, and from /proc of those that are alive. The
 * figures of a program are those of all its processes together.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/workers.h"

struct figures {
	int64_t alive, busy, connections[LABEL_connection_COUNT];
	bool circuit_open;
	uint64_t oldest;    /* clock_monotonic(), 0: no thread is busy */
	int64_t started_ms; /* the newest */
	int64_t memory, fds, max_fds;
};

static int64_t resident_bytes(int32_t pid)
{
	char path[64];
	long long pages = 0;
	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%*d %lld", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_descriptors(int32_t pid)
{
	char path[64];
	int64_t count = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *directory = opendir(path);
	if (directory == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static int64_t most_descriptors(int32_t pid)
{
	struct rlimit limit;
	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0 ? (int64_t)limit.rlim_cur : 0;
}

static void add_threads(struct figures *sum, struct worker_slot *slot)
{
	for (unsigned thread = 0; thread < WORKER_THREADS; thread++) {
		uint64_t progress =
			atomic_load_explicit(&slot->threads[thread].progress, memory_order_relaxed);
		if (progress == 0)
			continue;
		sum->busy++;
		if (sum->oldest == 0 || progress < sum->oldest)
			sum->oldest = progress;
	}
}

static void add_process(struct figures *sum, struct worker_slot *slot, int32_t pid, uint64_t now)
{
	int64_t started_ms = atomic_load_explicit(&slot->started_ms, memory_order_relaxed);
	sum->alive++;
	add_threads(sum, slot);
	for (unsigned state = 0; state < LABEL_connection_COUNT; state++)
		sum->connections[state] +=
			atomic_load_explicit(&slot->connections[state], memory_order_relaxed);
	if (atomic_load_explicit(&slot->circuit_until, memory_order_relaxed) > now)
		sum->circuit_open = true;
	if (started_ms > sum->started_ms)
		sum->started_ms = started_ms;
	sum->memory += resident_bytes(pid);
	sum->fds += open_descriptors(pid);
	sum->max_fds += most_descriptors(pid);
}

static int64_t expected(enum label_program program)
{
	switch (program) {
	case LABEL_program_REDIRECT:
	case LABEL_program_SHORTEN:
	case LABEL_program_API:
	case LABEL_program_BULK:
	case LABEL_program_METRICS:
	case LABEL_program_SYSTEM: return config_get()->processes;
	case LABEL_program_INGEST:
	case LABEL_program_REPLICATE: return 1;
	case LABEL_program_OTHER:
	case LABEL_program_COUNT: break;
	}
	return 0;
}

/* 0 stays 0: no moment. */
static int64_t wall_from(uint64_t moment, uint64_t now)
{
	int64_t age = (int64_t)(now - moment);
	return moment == 0 ? 0 : clock_wall_ms() * (int64_t)CLOCK_MS - (age > 0 ? age : 0);
}

static void publish(enum label_program program, const struct figures *sum, uint64_t now)
{
	metrics_set(METRIC_workers_expected, program, 0, expected(program));
	metrics_set(METRIC_workers_alive, program, 0, sum->alive);
	metrics_set(METRIC_workers_busy, program, 0, sum->busy);
	metrics_set(METRIC_oldest_request, program, 0, wall_from(sum->oldest, now));
	for (enum label_connection state = 0; state < LABEL_connection_COUNT; state++)
		metrics_set(METRIC_db_connections, program, state, sum->connections[state]);
	metrics_set(METRIC_db_circuit, program, 0, sum->circuit_open);
	metrics_set(METRIC_process_memory, program, 0, sum->memory);
	metrics_set(METRIC_process_fds, program, 0, sum->fds);
	metrics_set(METRIC_process_max_fds, program, 0, sum->max_fds);
	metrics_set(METRIC_process_start, program, 0, sum->started_ms * (int64_t)CLOCK_MS);
}

void workers_publish(void)
{
	struct figures sums[LABEL_program_COUNT] = { 0 };
	uint64_t now = clock_monotonic();
	for (unsigned i = 0; i < WORKER_PROCESSES; i++) {
		struct worker_slot *slot = &segment_get()->workers[i];
		int32_t pid = workers_holder(i);
		uint32_t program = atomic_load_explicit(&slot->program, memory_order_relaxed);
		if (pid != 0 && program < LABEL_program_COUNT)
			add_process(&sums[program], slot, pid, now);
	}
	for (enum label_program program = 0; program < LABEL_program_COUNT; program++)
		publish(program, &sums[program], now);
}
