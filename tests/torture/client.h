/*
 * client - one keep-alive connection to 127.0.0.1, which tells apart what never left this process,
 * what was answered, and what nobody can know about. One thread has it.
 */
#ifndef TORTURE_CLIENT_H
#define TORTURE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_ANSWER_MAX = 32 << 10 };

/* Instead of a status. */
enum {
	CLIENT_NOT_SENT = 0, /* no connection, or it broke before a byte of the request was taken */
	CLIENT_UNKNOWN = -1  /* sent, and no whole answer: what became of it is unknown */
};

struct client {
	int socket; /* -1: none */
	int port;
	uint64_t patience, until; /* ns; clock_monotonic() at which that of this request ends */
	uint64_t last;            /* clock_monotonic() of the last answer */
	size_t len;
	char answer[CLIENT_ANSWER_MAX]; /* the last one, as a string */
};

/* Someone who waits patience ns for an answer. NULL: no memory. */
struct client *client_new(int port, uint64_t patience);
void client_free(struct client *client);

/* Connects if need be, sends a whole request and reads the answer, all of that within patience: its
 * status, or one of the above. */
int client_ask(struct client *client, const char *request, size_t len);

/* Whether the answer has that header with exactly that value. */
bool client_has_header(const struct client *client, const char *name, const char *value);

/* The first text of that name in the JSON of the answer, at most room - 1 bytes; "" if none. */
void client_json_text(const struct client *client, const char *name, char *to, size_t room);

#endif
