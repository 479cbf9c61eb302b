/*
 * fcgi - serves a service over FastCGI on descriptor 0, with as many threads as the service wants.
 * The only module that knows libfcgi. Each thread has its own connection to the database.
 */
#ifndef SERVICE_FCGI_H
#define SERVICE_FCGI_H

#include <stdbool.h>
#include <stdint.h>

#include "service/service.h"

/*
 * Starts the threads; call with all signals blocked, so that none of them is ever delivered there.
 * False if not all of them could be: some may be serving already, so exit without tearing down.
 */
bool fcgi_start(const struct service *service, struct worker_slot *slot);

/*
 * Takes no new connection, answers those that wait in the queue, and returns when all threads are
 * done: true. False when one is not within wait_ms; its request is then still being answered.
 */
bool fcgi_stop(uint64_t wait_ms);

/*
 * From now on each answer asks the web server to close its client's connection: who keeps one open asks
 * again just when a web server that ends closes it, and would have no answer. May be called at any time.
 */
void fcgi_say_goodbye(void);

#endif
