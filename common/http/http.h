/*
 * http - a request and a response as plain structs, whoever the web server is.
 *
 * A request is borrowed, for one call: its strings point into memory of the server's adapter and
 * are never NULL ("" where the client sent nothing). A response owns its two builders; the adapter
 * clears and reuses them. Header values come only through http_header(), which refuses control
 * bytes: a response that was given one is answered as 500 (`broken`), never sent split.
 *
 * Faults are answered as problem documents (RFC 9457) with the member `error`, a short text for
 * clients, and `request_id`. They never hold SQL, paths or texts of a library.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum http_method {
	HTTP_OTHER = 0,
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_PATCH = 16,
	HTTP_DELETE = 32
};

enum {
	HTTP_CAPTURE_MAX = 128,          /* bytes of a path segment that a route captures */
	HTTP_ID = 33,                    /* a request or trace id: 32 hex digits and a zero */
	HTTP_BODY_LIMIT = 64 << 10,      /* bytes of a request's body, unless the route says more */
	HTTP_HEADERS_MAX = 4 << 10,      /* bytes of all headers of a response */
	HTTP_RESPONSE_LIMIT = 512 << 10, /* bytes of a response's body */
	HTTP_FAULTS_MAX = 16             /* faults of one body that are reported */
};

struct http_response;

/* Reads what comes next of a body into a buffer of this size: its bytes, 0 at the end. */
typedef size_t (*http_reader)(void *from, char *to, size_t room);

/* Sends what the response has; false if nobody is there any more. */
typedef bool (*http_sender)(void *to, const struct http_response *res, bool with_headers);

struct http_request {
	enum http_method method;
	bool authorizer;  /* only whether it may go on is asked: the role of FastCGI of that name */
	const char *path; /* as sent, decoded by the server; begins with '/' */
	const char *query;  /* without the '?' */
	const char *client; /* the peer's address as text */
	const char *content_type;
	const char *authorization;
	const char *accept;
	const char *referer;
	const char *user_agent;
	const char *purpose; /* Sec-Purpose, Purpose or X-Moz: a prefetch says so here */
	const char *if_match;
	const char *traceparent;
	const char
		*edge; /* what lighttpd counted, for the program metrics alone; see base/edge.h */
	const char *body;
	size_t body_len;
	/* Of a service that streams: the body is not here but is read, body_len bytes in all. */
	http_reader read;
	void *from;
	char id[HTTP_ID];               /* ours, new for each request */
	char trace[HTTP_ID];            /* of the W3C traceparent sent, or new */
	char capture[HTTP_CAPTURE_MAX]; /* what the route's :name matched, "" if it has none */
};

struct http_response {
	int status;
	struct text headers; /* complete lines, each ended by CR LF */
	struct text body;
	const char *request_id; /* borrowed from the request */
	const char *error;      /* of the problem document it holds, borrowed; NULL if it is none */
	bool broken;            /* a header was refused or something did not fit: answer 500 */
	/* Of a service that streams. */
	http_sender send;
	void *to;
	bool sent; /* the headers are, and the body up to now */
};

/* What is wrong with one field of a body, in words for whoever sent it. */
struct http_faults {
	size_t count;
	struct {
		char field[64];
		char what[128];
	} list[HTTP_FAULTS_MAX];
};

enum http_method http_method_from(const char *name);
const char *http_method_name(enum http_method method);

/* "Not Found" for 404; "Error" for a status that we never send. */
const char *http_reason(int status);

void http_response_init(struct http_response *res);
void http_response_free(struct http_response *res);

/* Makes it as new for the next request, keeping its memory: status 500 until somebody answers. */
void http_response_reset(struct http_response *res, const struct http_request *req);

/* Adds a header. A control byte, a byte above 0x7e or a value that does not fit breaks the
 * response. */
void http_header(struct http_response *res, const char *name, const char *value);

/* Whether a header was added. */
bool http_has_header(const struct http_response *res, const char *name);

/* Sets status and type and empties the body; the caller then adds it to res->body, and headers.
 * A body that does not fit sets res->body.cut. */
void http_begin(struct http_response *res, int status, const char *content_type);

/* Whether a Content-Type is of this type, perhaps with parameters. */
bool http_is_type(const char *content_type, const char *wanted);

/* Adds what every answer has, whoever wrote it: X-Request-Id, and what caches are told. */
void http_common_headers(struct http_response *res);

/*
 * Sends what there is so far, headers first, and empties the body, which may then go on. Call it
 * when a good part of a long body is there. From then on status and headers are what they are: if
 * the rest cannot be had set `broken`, and whoever reads sees that the answer is not whole. False:
 * nobody reads any more. Where the service does not stream it keeps all, and is true.
 */
bool http_flush(struct http_response *res);

/* Whether a part of it was sent already. */
bool http_is_sent(const struct http_response *res);

/* A problem document; error is a short text such as "url not found". Replaces all that was there,
 * headers and `broken` too: add headers of its own, such as Allow, after it. */
void http_problem(struct http_response *res, int status, const char *error);

/* The same with a member `detail`, a sentence for people, and the faults of the fields (or NULL). */
void http_problem_detail(struct http_response *res, int status, const char *error,
	const char *detail, const struct http_faults *faults);

/* 503 with Retry-After in seconds. */
void http_unavailable(struct http_response *res, unsigned retry_after);

void http_fault(struct http_faults *faults, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
