/*
 * workers - one slot per process in the shared segment, and the watch over all of them.
 *
 * A slot belongs to whoever holds the kernel's lock on its index; the lock goes with the process,
 * however it ends, so a slot is never leaked and never freed by guess. Every process looks at all
 * slots once a second: it buries the dead, and it kills (by pidfd, start time checked) a process
 * that made no progress on a request for too long or whose main thread was not seen for that long
 * (stopped). A watcher that was itself kept from running does not judge others.
 */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* Takes a slot for this process. NULL when all are taken or the segment is private. */
struct worker_slot *workers_join(enum label_program program);

/* Gives it back in order; NULL is fine. */
void workers_leave(struct worker_slot *slot);

/* From now on its main thread is not expected to look; requests still are to make progress. */
void workers_stopping(struct worker_slot *slot);

/* A thread began a request, or made progress on it; or is idle. slot may be NULL. */
void workers_busy(struct worker_slot *slot, unsigned thread);
void workers_idle(struct worker_slot *slot, unsigned thread);

/* The look of the main thread, about once a second. slot may be NULL: then it only watches. */
void workers_watch(struct worker_slot *slot, uint64_t stall_ns);

/* How many processes of the same program have a slot before this one; 0 without a slot. */
unsigned workers_rank(const struct worker_slot *slot);

/*
 * What this process has of PostgreSQL, for the page: connections that came into a state or left it,
 * and until when (clock_monotonic(); 0: not at all) it takes the server for away. Without a slot
 * nobody knows.
 */
void workers_connections(enum label_connection state, int change);
void workers_circuit(uint64_t until);

/* How many processes of a program are alive. */
unsigned workers_alive(enum label_program program);

/* The process that holds a slot now; 0: nobody does. */
int32_t workers_holder(unsigned index);

/* All that the page shows of processes, into the gauges; see workers_publish.c. */
void workers_publish(void);

#endif
