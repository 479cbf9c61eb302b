#include "torture/client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 10 /* longer than lighttpd waits for a program */ };

struct client *client_new(int port)
{
	struct client *client = calloc(1, sizeof(*client));
	if (client != NULL) {
		client->socket = -1;
		client->port = port;
	}
	return client;
}

static void hang_up(struct client *client)
{
	if (client->socket >= 0)
		close(client->socket);
	client->socket = -1;
}

void client_free(struct client *client)
{
	if (client != NULL)
		hang_up(client);
	free(client);
}

static bool connected(struct client *client)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)client->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (client->socket >= 0)
		return true;
	client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	if (connect(client->socket, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	hang_up(client);
	return false;
}

/* How many bytes were taken; all of them unless the connection broke. */
static size_t send_all(int socket, const char *bytes, size_t len)
{
	size_t sent = 0;
	while (sent < len) {
		ssize_t taken = send(socket, bytes + sent, len - sent, MSG_NOSIGNAL);
		if (taken <= 0)
			break;
		sent += (size_t)taken;
	}
	return sent;
}

/* The value of a header, which ends at CR; NULL if it is not there. */
static const char *find_header(const struct client *client, const char *name)
{
	const size_t len = strlen(name);
	const char *line = strstr(client->answer, "\r\n");
	while (line != NULL && strncmp(line, "\r\n\r\n", 4) != 0) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
			return line + len + 2;
		line = strstr(line, "\r\n");
	}
	return NULL;
}

/* How long the whole answer is; 0 while its head is not complete. lighttpd buffers answers, so
 * there always is a Content-Length. */
static size_t whole_length(const struct client *client, bool has_body)
{
	const char *end = strstr(client->answer, "\r\n\r\n");
	const char *value = end != NULL ? find_header(client, "Content-Length") : NULL;
	size_t body = value != NULL && has_body ? strtoul(value, NULL, 10) : 0;
	return end != NULL ? (size_t)(end + 4 - client->answer) + body : 0;
}

static bool read_answer(struct client *client, bool has_body)
{
	size_t whole = 0;
	while (whole == 0 || client->len < whole) {
		ssize_t got = recv(client->socket, client->answer + client->len,
			sizeof(client->answer) - 1 - client->len, 0);
		if (got <= 0)
			return false;
		client->len += (size_t)got;
		client->answer[client->len] = '\0';
		whole = whole_length(client, has_body);
	}
	return true;
}

int client_ask(struct client *client, const char *request, size_t len)
{
	client->len = 0;
	client->answer[0] = '\0';
	size_t sent = connected(client) ? send_all(client->socket, request, len) : 0;
	if (sent < len) {
		hang_up(client);
		return sent == 0 ? CLIENT_NOT_SENT : CLIENT_UNKNOWN;
	}
	if (!read_answer(client, strncmp(request, "HEAD ", 5) != 0)) {
		hang_up(client);
		return CLIENT_UNKNOWN;
	}
	if (client_has_header(client, "Connection", "close"))
		hang_up(client);
	if (client->len < strlen("HTTP/1.1 200"))
		return CLIENT_UNKNOWN;
	return (int)strtol(client->answer + strlen("HTTP/1.1 "), NULL, 10);
}

bool client_has_header(const struct client *client, const char *name, const char *value)
{
	const char *found = find_header(client, name);
	return found != NULL && strncmp(found, value, strlen(value)) == 0 &&
	       found[strlen(value)] == '\r';
}

void client_json_text(const struct client *client, const char *name, char *to, size_t room)
{
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "\"%s\":\"", name);
	const char *found = strstr(client->answer, wanted);
	to[0] = '\0';
	if (found != NULL) {
		found += strlen(wanted);
		snprintf(to, room, "%.*s", (int)strcspn(found, "\""), found);
	}
}
