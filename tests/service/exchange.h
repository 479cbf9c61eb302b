/*
 * exchange - one request to a service in this process, without any web server, and its answer.
 */
#ifndef TESTS_SERVICE_EXCHANGE_H
#define TESTS_SERVICE_EXCHANGE_H

#include "service/service.h"

struct exchange {
	struct worker worker;
	struct http_request req;
	struct http_response res;
};

/* A request as a client would send it, without a body. Reads the settings from the environment. */
struct exchange *exchange_new(enum http_method method, const char *path);
void exchange_free(struct exchange *exchange);

/* Gives it a JSON body, borrowed. */
void exchange_body(struct exchange *exchange, const char *json);

/* Runs it, with a connection to the cluster of the tests if the service wants one; the status. */
int exchange_run(struct exchange *exchange, const struct service *service);

/* From now on links to this host are blocked, and to no other one. */
void exchange_block(const char *host);

/* The value of a header of the answer, NULL if it has none; valid until the next call. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/* Whether the answer's body has this text. */
bool exchange_says(const struct exchange *exchange, const char *text);

#endif
