#include "service/fcgi.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/workers.h"

enum { LISTENER = 0, ACCEPT_RETRY_MS = 50 };

struct thread {
	const struct service *service;
	struct worker worker;
	struct http_response res;
	struct text body;
	FCGX_Request request;
	pthread_t id;
};

static struct thread threads[WORKER_THREADS];
static unsigned running;
static atomic_bool stopping, last_answers;

/* What a service that streams calls for the next part of a body; a thread that gets on says so. */
static size_t read_part(void *from, char *to, size_t room)
{
	struct thread *thread = from;
	workers_busy(thread->worker.slot, thread->worker.thread);
	int len = FCGX_GetStr(to, room > INT_MAX ? INT_MAX : (int)room, thread->request.in);
	return len > 0 ? (size_t)len : 0;
}

/* At most limit + 1 bytes: one too many is enough to be refused. */
static void read_body(const FCGX_Request *request, struct text *body)
{
	char part[8192];
	text_clear(body);
	while (!body->cut) {
		int len = FCGX_GetStr(part, sizeof(part), request->in);
		if (len <= 0)
			break;
		text_add_bytes(body, part, (size_t)len);
	}
}

/* Where a request keeps the parameter of that name; NULL: nobody asks for it. */
static const char **place_of(struct http_request *req, const char *name, size_t len)
{
#define PLACE(name, field)                                                                         \
	{                                                                                          \
		name, sizeof(name) - 1, offsetof(struct http_request, field)                       \
	}
	static const struct {
		const char *name;
		size_t len, offset;
	} places[] = {
		/* Decoded, as lighttpd routes by it; REQUEST_URI is what the client wrote. */
		PLACE("PATH_INFO", path),
		PLACE("QUERY_STRING", query),
		PLACE("REMOTE_ADDR", client),
		PLACE("CONTENT_TYPE", content_type),
		PLACE("HTTP_AUTHORIZATION", authorization),
		PLACE("HTTP_ACCEPT", accept),
		PLACE("HTTP_REFERER", referer),
		PLACE("HTTP_USER_AGENT", user_agent),
		PLACE("HTTP_SEC_PURPOSE", purpose),
		PLACE("HTTP_PURPOSE", purpose),
		PLACE("HTTP_X_MOZ", purpose),
		PLACE("HTTP_IF_MATCH", if_match),
		PLACE("HTTP_TRACEPARENT", traceparent),
		PLACE("HTTP_LINKSHRINK_EDGE", edge),
	};
#undef PLACE
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (places[i].len == len && memcmp(places[i].name, name, len) == 0)
			return (const char **)(void *)((char *)req + places[i].offset);
	return NULL;
}

/* One pass over the parameters; FCGX_GetParam() would make one for each that is asked for. */
static void read_parameters(char *const *parameters, struct http_request *req)
{
	static const char method[] = "REQUEST_METHOD=";
	for (; *parameters != NULL; parameters++) {
		size_t len = strcspn(*parameters, "=");
		const char **place = place_of(req, *parameters, len);
		if (place != NULL)
			*place = *parameters + len + 1;
		else if (text_starts_with(*parameters, method))
			req->method = http_method_from(*parameters + strlen(method));
		else if (strcmp(*parameters, "FCGI_ROLE=AUTHORIZER") == 0)
			req->authorizer = true;
	}
}

static void read_request(const struct service *service, const FCGX_Request *request,
	struct text *body, struct http_request *req)
{
	*req = (struct http_request){ .path = "",
		.query = "",
		.client = "",
		.content_type = "",
		.authorization = "",
		.accept = "",
		.referer = "",
		.user_agent = "",
		.purpose = "",
		.if_match = "",
		.traceparent = "",
		.edge = "",
		.body = "" };
	read_parameters(request->envp, req);
	/* An authorizer is told of a body and never gets it: to wait for it would be for ever. */
	if (req->authorizer)
		return;
	if (service->streams) {
		const char *length = FCGX_GetParam("CONTENT_LENGTH", request->envp);
		int64_t bytes = 0;
		if (length != NULL && *length != '\0' &&
			!text_to_number(length, 0, INT64_MAX, &bytes))
			bytes = INT64_MAX;
		req->body_len = (size_t)bytes;
		return;
	}
	read_body(request, body);
	if (body->len > 0)
		req->body = body->data;
	/* A body that did not fit into the reader is larger than any limit. */
	req->body_len = body->cut ? SIZE_MAX : body->len;
}

static void send_headers(const FCGX_Request *request, const struct http_response *res)
{
	char status[64];
	struct text line = text_fixed(status, sizeof(status));
	text_addf(&line, "Status: %d %s\r\n", res->status, http_reason(res->status));
	FCGX_PutStr(line.data, (int)line.len, request->out);
	FCGX_PutStr(res->headers.data, (int)res->headers.len, request->out);
	if (atomic_load_explicit(&last_answers, memory_order_relaxed))
		FCGX_PutS("Connection: close\r\n", request->out);
	FCGX_PutStr("\r\n", 2, request->out);
}

static bool send_part(void *to, const struct http_response *res, bool with_headers)
{
	struct thread *thread = to;
	workers_busy(thread->worker.slot, thread->worker.thread);
	if (with_headers)
		send_headers(&thread->request, res);
	if (res->body.len > 0)
		FCGX_PutStr(res->body.data, (int)res->body.len, thread->request.out);
	return FCGX_FFlush(thread->request.out) == 0;
}

static void send_response(const FCGX_Request *request, const struct http_request *req,
	const struct http_response *res)
{
	if (!res->sent)
		send_headers(request, res);
	if (req->method != HTTP_HEAD && res->body.len > 0)
		FCGX_PutStr(res->body.data, (int)res->body.len, request->out);
}

/*
 * Ends the request without libfcgi's own farewell (shutdown, wait for lighttpd to close, read,
 * close), which holds the thread for a whole turn: flush, then just close.
 */
static void finish(FCGX_Request *request)
{
	int connection = request->ipcFd;
	request->keepConnection = 1;
	FCGX_Finish_r(request);
	if (request->ipcFd >= 0)
		close(connection);
	request->ipcFd = -1;
}

/* What nobody read would make the end of the connection an error for the web server. */
static void drain(const FCGX_Request *request)
{
	char part[8192];
	while (FCGX_GetStr(part, sizeof(part), request->in) > 0)
		;
}

/* Half an answer must not look like a whole one: without the end of the request it does not. */
static void break_off(FCGX_Request *request)
{
	FCGX_Free(request, 1);
	FCGX_InitRequest(request, LISTENER, 0);
}

static void answer(struct thread *thread)
{
	FCGX_Request *request = &thread->request;
	struct http_request req;
	workers_busy(thread->worker.slot, thread->worker.thread);
	read_request(thread->service, request, &thread->body, &req);
	if (thread->service->streams) {
		req.read = read_part;
		req.from = thread;
		thread->res.send = req.method == HTTP_HEAD ? NULL : send_part;
		thread->res.to = thread;
	}
	service_handle(thread->service, &thread->worker, &req, &thread->res);
	if (thread->service->streams)
		drain(request);
	if (thread->res.sent && thread->res.broken) {
		break_off(request);
	} else {
		send_response(request, &req, &thread->res);
		finish(request);
	}
	workers_idle(thread->worker.slot, thread->worker.thread);
}

/* Out of descriptors or memory: that passes, and a thread that gave up would never come back. */
static void wait_after_failure(int error)
{
	static _Atomic uint64_t last_said;
	const struct timespec pause = { .tv_nsec = (long)(ACCEPT_RETRY_MS * CLOCK_MS) };
	uint64_t now = clock_monotonic(), last = atomic_load(&last_said);
	if (now - last > CLOCK_S && atomic_compare_exchange_strong(&last_said, &last, now))
		log_event(LOG_ERROR, "accept_failed", strerrordesc_np(error));
	nanosleep(&pause, NULL);
}

static void *serve(void *argument)
{
	struct thread *thread = argument;
	FCGX_InitRequest(&thread->request, LISTENER, 0);
	for (;;) {
		int result = FCGX_Accept_r(&thread->request);
		if (result == 0)
			answer(thread);
		else if (atomic_load(&stopping))
			break;
		else
			wait_after_failure(-result);
	}
	FCGX_Free(&thread->request, 1);
	return NULL;
}

static size_t largest_body(const struct service *service)
{
	size_t largest = HTTP_BODY_LIMIT;
	for (const struct route *route = service->routes; route->path != NULL; route++)
		if (route->body_limit > largest)
			largest = route->body_limit;
	return largest;
}

static bool start_thread(const struct service *service, struct worker_slot *slot, unsigned number)
{
	struct thread *thread = &threads[number];
	thread->service = service;
	thread->worker = (struct worker){ .slot = slot, .thread = number };
	thread->body = text_growing(largest_body(service) + 2);
	http_response_init(&thread->res);
	return service_equip(service, &thread->worker) &&
	       pthread_create(&thread->id, NULL, serve, thread) == 0;
}

static void free_thread(struct thread *thread)
{
	text_free(&thread->body);
	http_response_free(&thread->res);
	service_strip(&thread->worker);
}

bool fcgi_start(const struct service *service, struct worker_slot *slot)
{
	if (FCGX_Init() != 0)
		return false;
	while (running < service->threads && running < WORKER_THREADS) {
		if (!start_thread(service, slot, running))
			return false;
		running++;
	}
	return true;
}

bool fcgi_stop(uint64_t wait_ms)
{
	uint64_t end = clock_monotonic() + wait_ms * CLOCK_MS;
	const struct timespec until = { .tv_sec = (time_t)(end / CLOCK_S),
		.tv_nsec = (long)(end % CLOCK_S) };
	atomic_store(&stopping, true);
	/*
	 * Connections already queued on a Unix socket can still be accepted after this; accept
	 * fails with EINVAL once the queue is empty. So nobody who was let in is turned away.
	 */
	shutdown(LISTENER, SHUT_RDWR);
	while (running > 0) {
		pthread_t last = threads[running - 1].id;
		if (pthread_clockjoin_np(last, NULL, CLOCK_MONOTONIC, &until) != 0)
			return false;
		free_thread(&threads[--running]);
	}
	return true;
}

void fcgi_say_goodbye(void)
{
	atomic_store(&last_answers, true);
}
