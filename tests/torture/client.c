#include "torture/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* Well below the 5 s after which lighttpd hangs up: it must not do so while a request is on its way,
 * or that would look like an outage. */
#define IDLE_MAX (2 * CLOCK_S)

struct client *client_new(int port, uint64_t patience)
{
	struct client *client = calloc(1, sizeof(*client));
	if (client != NULL) {
		client->socket = -1;
		client->port = port;
		client->patience = patience;
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

/* Whether the socket can be read or written before the time is up. */
static bool becomes_ready(const struct client *client, short events)
{
	struct pollfd wanted = { .fd = client->socket, .events = events };
	for (uint64_t now = clock_monotonic(); now < client->until; now = clock_monotonic()) {
		const uint64_t left = client->until - now;
		const struct timespec most = { .tv_sec = (time_t)(left / CLOCK_S),
			.tv_nsec = (long)(left % CLOCK_S) };
		int ready = ppoll(&wanted, 1, &most, NULL);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Nobody has hung up on the other side, nor will in this moment. */
static bool is_fresh(const struct client *client)
{
	char byte;
	return client->socket >= 0 && clock_monotonic() - client->last < IDLE_MAX &&
	       recv(client->socket, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static bool connect_socket(const struct client *client)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)client->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int error = 0;
	if (connect(client->socket, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	if (errno != EINPROGRESS || !becomes_ready(client, POLLOUT))
		return false;
	getsockopt(client->socket, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) });
	return error == 0;
}

static bool connected(struct client *client)
{
	if (is_fresh(client))
		return true;
	hang_up(client);
	client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	if (connect_socket(client))
		return true;
	hang_up(client);
	return false;
}

/* How many bytes were taken; all of them unless the connection broke or the time was up. */
static size_t send_all(const struct client *client, const char *bytes, size_t len)
{
	size_t sent = 0;
	while (sent < len && becomes_ready(client, POLLOUT)) {
		ssize_t taken = send(client->socket, bytes + sent, len - sent, MSG_NOSIGNAL);
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
		if (!becomes_ready(client, POLLIN))
			return false;
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
	client->until = clock_monotonic() + client->patience;
	size_t sent = connected(client) ? send_all(client, request, len) : 0;
	if (sent < len) {
		hang_up(client);
		return sent == 0 ? CLIENT_NOT_SENT : CLIENT_UNKNOWN;
	}
	if (!read_answer(client, strncmp(request, "HEAD ", 5) != 0)) {
		hang_up(client);
		return CLIENT_UNKNOWN;
	}
	client->last = clock_monotonic();
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
