/*
 * segment - the mapped file that all processes of a stack share: metrics, worker slots, rates.
 *
 * It lives at <path>.<hash of the layout>, so that a new build never fights an old one, and it
 * outlives every process: counters go on after a kill -9. It is created whole by whoever comes
 * first (linkat of an unnamed file: nobody ever sees half of one), and replaced when it is damaged.
 * If it cannot be mapped, the process gets private memory instead and serves on; segment_shared()
 * then says false, which /ready shows.
 *
 * All of it is C11 atomics, relaxed unless the code says otherwise.
 */
#ifndef BASE_SEGMENT_H
#define BASE_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/metrics.h"

enum {
	SEGMENT_LINE = 64,     /* bytes of a cache line: no two writers share one */
	WORKER_PROCESSES = 64, /* processes that can be alive at once */
	WORKER_THREADS = 32,   /* threads of one process */
	RATE_CELLS = 1 << 16,  /* clients whose rates are remembered */
	BELLS = 4,             /* see bell.h */
	HINT_CELLS = 1 << 10,  /* see hints.h */
	HINT_WORDS = 8,        /* of 8 bytes, the text of a hint */
	VISITOR_KEYS = 4,      /* see domain/visitor.h */
	KEYRING_CELLS = 64,    /* keys; see domain/keyring.h */
	KEYRING_WORDS = 4      /* of 8 bytes, the hash of a key */
};

struct segment_header {
	uint64_t magic;
	uint64_t layout;
	uint64_t bytes;
	int64_t created_ms;
	uint64_t run; /* random, not 0: tells one segment from the next */
};

struct metric_cell {
	_Alignas(SEGMENT_LINE) _Atomic uint64_t value;
};

struct worker_thread {
	_Alignas(SEGMENT_LINE) _Atomic uint64_t
		progress; /* clock_monotonic() of a busy thread, 0 when idle */
};

/* One process. Its owner holds a lock on its index in the file; see workers.h. */
struct worker_slot {
	_Alignas(
		SEGMENT_LINE) _Atomic int32_t pid; /* 0: free; negative: sentenced, see workers.c */
	_Atomic uint32_t program;                  /* enum label_program */
	_Atomic uint64_t start_ticks; /* field 22 of /proc/<pid>/stat: tells a reused pid */
	_Atomic uint64_t seen;        /* clock_monotonic() of its main thread's last look */
	_Atomic int64_t started_ms;   /* clock_wall_ms() */
	_Atomic int32_t connections[LABEL_connection_COUNT]; /* to PostgreSQL, by state */
	_Atomic uint64_t circuit_until; /* clock_monotonic(): PostgreSQL is taken for away */
	struct worker_thread threads[WORKER_THREADS];
};

struct rate_cell {
	_Atomic uint64_t client;  /* hash of class and client, 0: free */
	_Atomic uint64_t arrival; /* theoretical arrival time, clock_monotonic() */
};

struct bell_cell {
	_Alignas(SEGMENT_LINE) _Atomic uint32_t rung;
	_Atomic uint32_t waiting;
};

struct hint_cell {
	_Alignas(SEGMENT_LINE) _Atomic uint64_t ticket; /* which hint it holds; see hints.c */
	_Atomic uint64_t text[HINT_WORDS];
};

/* What the writer of the replica says about it; see domain/replica.h. */
struct replica_status {
	_Alignas(SEGMENT_LINE) _Atomic uint64_t generation; /* of the file to read, 0: unknown */
	_Atomic uint32_t state;                             /* enum label_state */
	_Atomic uint64_t seen; /* clock_monotonic(): it has all that was committed then */
	/* clock_monotonic(): somebody was told of a link then that it may not have yet. */
	_Atomic uint64_t unapplied;
};

struct visitor_key {
	_Alignas(SEGMENT_LINE) _Atomic uint64_t half[2]; /* random, 0: not made yet */
};

struct keyring_cell {
	_Alignas(SEGMENT_LINE) _Atomic int64_t id; /* 0: there is none */
	_Atomic int64_t owner, expires_at;         /* milliseconds since 1970, 0: never */
	_Atomic uint64_t hash[KEYRING_WORDS];
};

struct segment {
	struct segment_header header;
	struct metric_cell cells[METRIC_CELLS];
	struct worker_slot workers[WORKER_PROCESSES];
	struct rate_cell rates[RATE_CELLS];
	struct bell_cell bells[BELLS];
	_Alignas(SEGMENT_LINE) _Atomic uint64_t hints_added;
	_Alignas(SEGMENT_LINE) _Atomic uint64_t hints_taken;
	_Alignas(SEGMENT_LINE) _Atomic uint64_t hints_heeded;
	struct hint_cell hints[HINT_CELLS];
	struct replica_status replica;
	/* clock_monotonic(): all clicks answered before are in PostgreSQL; see domain/click.h. */
	_Alignas(SEGMENT_LINE) _Atomic uint64_t clicks_committed_until;
	/* One more than were spooled when the round began that found all of them there; 0: none did. */
	_Atomic uint64_t clicks_committed_of;
	struct visitor_key visitor_keys[VISITOR_KEYS];
	struct keyring_cell keyring[KEYRING_CELLS];
};

/* Maps the segment for this process, once; false (and errno) if only private memory was had. */
bool segment_open(const char *path);
void segment_close(void);

/* Never NULL: before segment_open() it is a private one. */
struct segment *segment_get(void);

/* Whether it is shared and its file is still the one that others find under the path. */
bool segment_shared(void);

/* Whether an address lies in the mapping: a fault there means that the file was cut short. */
bool segment_contains(const void *address);

/* The descriptor that worker locks are taken on; -1 when private. */
int segment_descriptor(void);

/* Where the file lies, its suffix included. */
const char *segment_path(void);

#endif
