#include "service/fcgi.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
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
	pthread_t id;
};

static struct thread threads[WORKER_THREADS];
static unsigned running;
static atomic_bool stopping;

static const char *parameter(const FCGX_Request *request, const char *name)
{
	const char *value = FCGX_GetParam(name, request->envp);
	return value != NULL ? value : "";
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

static void read_request(const FCGX_Request *request, struct text *body, struct http_request *req)
{
	*req = (struct http_request){
		.method = http_method_from(parameter(request, "REQUEST_METHOD")),
		/* Decoded, as lighttpd routes by it; REQUEST_URI is what the client wrote. */
		.path = parameter(request, "PATH_INFO"),
		.query = parameter(request, "QUERY_STRING"),
		.client = parameter(request, "REMOTE_ADDR"),
		.content_type = parameter(request, "CONTENT_TYPE"),
		.authorization = parameter(request, "HTTP_AUTHORIZATION"),
		.accept = parameter(request, "HTTP_ACCEPT"),
		.referer = parameter(request, "HTTP_REFERER"),
		.user_agent = parameter(request, "HTTP_USER_AGENT"),
		.purpose = parameter(request, "HTTP_SEC_PURPOSE"),
		.if_match = parameter(request, "HTTP_IF_MATCH"),
		.traceparent = parameter(request, "HTTP_TRACEPARENT"),
		.body = "",
	};
	if (*req->purpose == '\0')
		req->purpose = parameter(request, "HTTP_PURPOSE");
	read_body(request, body);
	if (body->len > 0)
		req->body = body->data;
	/* A body that did not fit into the reader is larger than any limit. */
	req->body_len = body->cut ? SIZE_MAX : body->len;
}

static void send_response(const FCGX_Request *request, const struct http_request *req,
	const struct http_response *res)
{
	char status[64];
	struct text line = text_fixed(status, sizeof(status));
	text_addf(&line, "Status: %d %s\r\n", res->status, http_reason(res->status));
	FCGX_PutStr(line.data, (int)line.len, request->out);
	FCGX_PutStr(res->headers.data, (int)res->headers.len, request->out);
	FCGX_PutStr("\r\n", 2, request->out);
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

static void answer(struct thread *thread, FCGX_Request *request)
{
	struct http_request req;
	workers_busy(thread->worker.slot, thread->worker.thread);
	read_request(request, &thread->body, &req);
	service_handle(thread->service, &thread->worker, &req, &thread->res);
	send_response(request, &req, &thread->res);
	finish(request);
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
	FCGX_Request request;
	FCGX_InitRequest(&request, LISTENER, 0);
	for (;;) {
		int result = FCGX_Accept_r(&request);
		if (result == 0)
			answer(thread, &request);
		else if (atomic_load(&stopping))
			break;
		else
			wait_after_failure(-result);
	}
	FCGX_Free(&request, 1);
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
