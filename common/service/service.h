/*
 * service - what a program is: a table of routes and what must hold before a handler runs.
 *
 * A handler is a function from a request to a response; it knows no web server. Everything that a
 * handler could forget is a column of its route and is checked by service_handle(): the method, who
 * may, how often, how much body, that the body is JSON.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/metrics.h"
#include "base/segment.h"
#include "db/db.h"
#include "domain/apikey.h"
#include "domain/code.h"
#include "domain/rate.h"
#include "http/http.h"

struct click_writer;
struct replica;

/* One thread of a program, with what it owns; NULL what the service does not need. */
struct worker {
	struct db *db;
	struct replica *replica;
	struct click_writer *clicks;
	struct worker_slot *slot; /* of the process; may be NULL */
	unsigned thread;          /* its number within the process */
	struct apikey key;        /* of this request; key.id is 0 for an anonymous one */
	char code[CODE_MAX + 1];  /* for the log: the short code in question, or "" */
	unsigned successes;       /* of sampled routes, to log one in so many */
};

typedef void (*service_handler)(
	struct worker *worker, const struct http_request *req, struct http_response *res);

/* Who may call a route: anyone, or a key that has the scope given as enum apikey_scope. */
enum { ANYONE = 0 };

enum route_flags {
	ROUTE_JSON = 1, /* the body must be declared as application/json */
	ROUTE_ANONYMOUS_CREATE =
		2,         /* the scope is not needed where LINKSHRINK_ANONYMOUS_CREATE is yes */
	ROUTE_SAMPLED = 4, /* successes are logged by sample */
	ROUTE_KEYRING = 8 /* the key is looked up in domain/keyring.h, and may come as a password */
};

struct route {
	unsigned methods; /* of enum http_method, or-ed */
	/*
	 * Whole. One segment may be :name, which captures it, or :name and a literal tail, such as
	 * :code.qr, which captures what stands before the tail. The first row that matches wins:
	 * longer tails stand first.
	 */
	const char *path;
	enum label_handler handler_label;
	unsigned scope; /* ANYONE or SCOPE_… */
	enum rate_class rate;
	size_t body_limit; /* bytes; 0 means HTTP_BODY_LIMIT */
	unsigned flags;
	service_handler handler;
};

/*
 * Work that nobody asks for: called again and again by a thread of its own until the program ends.
 * It returns the milliseconds to wait before the next call. A call takes a second at most, or says
 * workers_busy() as it gets on: whoever makes no progress for LINKSHRINK_STALL_MS is replaced.
 */
typedef unsigned (*service_turn)(struct worker *worker);

enum { SERVICE_TURNS = 3 };

/* What each thread of a service is given. */
enum service_needs {
	NEEDS_DATABASE = 1,
	NEEDS_REPLICA = 2,
	NEEDS_SPOOL = 4,
	NEEDS_BLOCKLIST = 8 /* it reads targets: they are held against the list as it is now */
};

struct service {
	const char *name;
	const struct route *routes; /* ends with a row without a path; NULL: it serves nobody */
	unsigned threads;           /* that serve */
	unsigned connections;       /* to PostgreSQL that they share; 0: one each */
	unsigned needs;             /* of enum service_needs, or-ed */
	bool streams; /* bodies are read as they come (http_request.read), answers may be sent in parts */
	/* What an authorizer asks, whatever the path: its answer is whether, 200 for yes. NULL: no. */
	const struct route *gate;
	enum label_timed timed; /* as whose http_request_duration_seconds shows its answers */
	service_turn turns[SERVICE_TURNS];
	void (*prepare)(
		void); /* with the segment, before this process counts as alive; NULL: nothing */
	/* What it does on a terminal: argv[1] is an option, the settings are good. NULL: nothing. */
	int (*command)(int argc, char **argv);
};

/* Gives a worker what the service needs; false without memory. */
bool service_equip(const struct service *service, struct worker *worker);
void service_strip(struct worker *worker);

/* Answers one request: finds the route, checks its preconditions, runs the handler, counts, logs. */
void service_handle(const struct service *service, struct worker *worker, struct http_request *req,
	struct http_response *res);

#endif
