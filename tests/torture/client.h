/*
 * client - one keep-alive connection to 127.0.0.1, which tells apart what never left this process,
 * what was answered, and what nobody can know about.
 */
#ifndef TORTURE_CLIENT_H
#define TORTURE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_ANSWER_MAX = 32 << 10 };

/* Instead of a status. */
enum {
	CLIENT_NOT_SENT = 0, /* no connection, or it broke before a byte of the request was taken */
	CLIENT_UNKNOWN = -1  /* sent, and no whole answer: what became of it is unknown */
};

struct client {
	int socket; /* -1: none */
	int port;
	size_t len;
	char answer[CLIENT_ANSWER_MAX]; /* the last one, as a string */
};

/* NULL: no memory. */
struct client *client_new(int port);
void client_free(struct client *client);

/* Sends a whole request and reads the answer, for 10 s at most: its status, or one of the above. */
int client_ask(struct client *client, const char *request, size_t len);

/* Whether the answer has that header with exactly that value. */
bool client_has_header(const struct client *client, const char *name, const char *value);

/* The first text of that name in the JSON of the answer, at most room - 1 bytes; "" if none. */
void client_json_text(const struct client *client, const char *name, char *to, size_t room);

#endif
