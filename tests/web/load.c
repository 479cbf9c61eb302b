/*
 * load - a small HTTP client that keeps score, for tests: several clients at once, keep-alive,
 * every answer checked.
 *
 *   load create PORT CLIENTS COUNT >links     creates links, prints "<code> <target>" for each 201
 *   load follow PORT CLIENTS COUNT <links     follows each link in turn, compares the Location
 *   load get    PORT CLIENTS COUNT PATH       gets one path
 *   load scan   PORT CLIENTS COUNT            asks for codes that nobody made, each another one
 *
 * COUNT requests in all; 0 means until SIGTERM. At the end one line per status on standard error,
 * "status 302 1000", and "failed N": requests without a good answer (connection refused or lost,
 * time-out, wrong Location). Exit status 0 when it ran, whatever the answers were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 512, ANSWER_MAX = 256 << 10, REQUEST_MAX = 4096, TIMEOUT_S = 15 };

struct link {
	char *code;
	char *target;
};

static struct {
	enum { CREATE, FOLLOW, GET, SCAN } what;
	int port;
	long count;
	const char *path;
	struct link *links;
	long links_count;
	atomic_long next;
	atomic_long statuses[1000];
	atomic_long failed;
	atomic_bool stop;
	pthread_mutex_t output;
} state = { .output = PTHREAD_MUTEX_INITIALIZER };

struct connection {
	int socket; /* -1: none */
	char answer[ANSWER_MAX];
	size_t len;
};

static bool open_connection(struct connection *connection)
{
	const struct timeval patience = { .tv_sec = TIMEOUT_S };
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)state.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (connection->socket >= 0)
		return true;
	connection->socket = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(connection->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(connection->socket, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	close(connection->socket);
	connection->socket = -1;
	return false;
}

static void drop_connection(struct connection *connection)
{
	if (connection->socket >= 0)
		close(connection->socket);
	connection->socket = -1;
}

static bool send_all(int socket, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(socket, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* The value of a header in the answer's head, "" if it is not there; ends at CR. */
static const char *header(const struct connection *connection, const char *name)
{
	const char *found = strcasestr(connection->answer, name);
	return found != NULL ? found + strlen(name) : "";
}

/* Head and body, by Content-Length; lighttpd buffers answers, so there always is one. */
static bool read_answer(struct connection *connection)
{
	size_t need = 0;
	connection->len = 0;
	for (;;) {
		ssize_t got = recv(connection->socket, connection->answer + connection->len,
			ANSWER_MAX - 1 - connection->len, 0);
		if (got <= 0)
			return false;
		connection->len += (size_t)got;
		connection->answer[connection->len] = '\0';
		const char *end = strstr(connection->answer, "\r\n\r\n");
		if (end != NULL && need == 0)
			need = (size_t)(end + 4 - connection->answer) +
			       strtoul(header(connection, "\r\nContent-Length: "), NULL, 10);
		if (need != 0 && connection->len >= need)
			return true;
		if (connection->len == ANSWER_MAX - 1)
			return false;
	}
}

/* The status, or 0 when there was no answer. */
static int exchange(struct connection *connection, const char *request, size_t len)
{
	if (!open_connection(connection))
		return 0;
	if (!send_all(connection->socket, request, len) || !read_answer(connection)) {
		drop_connection(connection);
		return 0;
	}
	if (strncasecmp(header(connection, "\r\nConnection: "), "close", 5) == 0)
		drop_connection(connection);
	return atoi(connection->answer + strlen("HTTP/1.1 "));
}

static bool keep_link(const struct connection *connection, const char *target)
{
	const char *code = strstr(connection->answer, "\"short_code\":\"");
	if (code == NULL)
		return false;
	code += strlen("\"short_code\":\"");
	pthread_mutex_lock(&state.output);
	printf("%.*s %s\n", (int)strcspn(code, "\""), code, target);
	pthread_mutex_unlock(&state.output);
	return true;
}

static bool create(struct connection *connection, long number, int *status)
{
	char target[128], body[256], request[REQUEST_MAX];
	snprintf(target, sizeof(target), "https://example.com/load/%d/%ld", (int)getpid(), number);
	int len = snprintf(body, sizeof(body), "{\"url\":\"%s\"}", target);
	len = snprintf(request, sizeof(request),
		"POST /shorten HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n%s",
		len, body);
	*status = exchange(connection, request, (size_t)len);
	return *status != 201 || keep_link(connection, target);
}

static int get(struct connection *connection, const char *path)
{
	char request[REQUEST_MAX];
	int len = snprintf(
		request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	return exchange(connection, request, (size_t)len);
}

/* The numbers, shuffled (an odd factor loses none), so that neighbours have nothing in common. */
static int scan(struct connection *connection, long number)
{
	char path[32];
	unsigned long long shuffled = ((unsigned long long)number + 1) * 0x9e3779b97f4a7c15ULL;
	snprintf(path, sizeof(path), "/%016llx", shuffled);
	return get(connection, path);
}

static bool follow(struct connection *connection, long number, int *status)
{
	char path[REQUEST_MAX / 2];
	const struct link *link = &state.links[number % state.links_count];
	snprintf(path, sizeof(path), "/%s", link->code);
	*status = get(connection, path);
	const char *location = header(connection, "\r\nLocation: ");
	return *status != 302 || (strncmp(location, link->target, strlen(link->target)) == 0 &&
					 location[strlen(link->target)] == '\r');
}

static bool one_request(struct connection *connection, long number)
{
	int status = 0;
	bool right = true;
	switch (state.what) {
	case CREATE: right = create(connection, number, &status); break;
	case FOLLOW: right = follow(connection, number, &status); break;
	case GET: status = get(connection, state.path); break;
	case SCAN: status = scan(connection, number); break;
	}
	if (status >= 100 && status < 1000)
		atomic_fetch_add(&state.statuses[status], 1);
	return right && status >= 100;
}

static void *client(void *unused)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	(void)unused;
	connection->socket = -1;
	while (!atomic_load(&state.stop)) {
		long number = atomic_fetch_add(&state.next, 1);
		if (state.count > 0 && number >= state.count)
			break;
		if (!one_request(connection, number))
			atomic_fetch_add(&state.failed, 1);
	}
	drop_connection(connection);
	free(connection);
	return NULL;
}

static void read_links(void)
{
	char code[REQUEST_MAX], target[REQUEST_MAX];
	long room = 0;
	while (scanf("%4095s %4095s", code, target) == 2) {
		if (state.links_count == room) {
			room = room == 0 ? 1024 : 2 * room;
			state.links = realloc(state.links, (size_t)room * sizeof(*state.links));
		}
		state.links[state.links_count++] = (struct link){ strdup(code), strdup(target) };
	}
	if (state.links_count == 0) {
		fputs("load: no links on standard input\n", stderr);
		exit(EXIT_FAILURE);
	}
}

static void stop(int signal)
{
	(void)signal;
	atomic_store(&state.stop, true);
}

static void report(void)
{
	for (int status = 0; status < 1000; status++)
		if (atomic_load(&state.statuses[status]) > 0)
			fprintf(stderr, "status %d %ld\n", status,
				atomic_load(&state.statuses[status]));
	fprintf(stderr, "failed %ld\n", atomic_load(&state.failed));
}

static int usage(void)
{
	fputs("usage: load create|follow|get|scan PORT CLIENTS COUNT [PATH]\n", stderr);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MAX];
	if (argc < 5)
		return usage();
	const char *what = argv[1];
	int clients = atoi(argv[3]);
	state.what = strcmp(what, "create") == 0   ? CREATE
		     : strcmp(what, "follow") == 0 ? FOLLOW
		     : strcmp(what, "scan") == 0   ? SCAN
						   : GET;
	state.port = atoi(argv[2]);
	state.count = atol(argv[4]);
	state.path = argc > 5 ? argv[5] : "/";
	if (clients < 1 || clients > CLIENTS_MAX)
		return usage();
	if (state.what == FOLLOW)
		read_links();
	signal(SIGTERM, stop);
	for (int i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, NULL);
	for (int i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	report();
	for (long i = 0; i < state.links_count; i++) {
		free(state.links[i].code);
		free(state.links[i].target);
	}
	free(state.links);
	return EXIT_SUCCESS;
}
