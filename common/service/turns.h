/*
 * turns - the background work of a service: one thread for each of its turns, and one that keeps
 * the blocklist as its file is, where the service needs it.
 */
#ifndef SERVICE_TURNS_H
#define SERVICE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "service/service.h"

/* Starts the threads; call with all signals blocked. False if not all of them could be. */
bool turns_start(const struct service *service, struct worker_slot *slot);

/* Begins no more turns and returns when those in progress are done: true; false after wait_ms. */
bool turns_stop(uint64_t wait_ms);

#endif
