/*
 * bulk - long streams of rows, in and out, in a program of their own so that they starve nobody.
 */
#include "cgi-bin/bulk.h"

#include "service/bulk.h"

static const struct route routes[] = { { HTTP_POST, "/urls/bulk", LABEL_handler_BULK,
					       SCOPE_LINKS_WRITE, RATE_API, BULK_BODY_MAX, 0,
					       bulk_links },
	{ HTTP_POST, "/users/bulk", LABEL_handler_BULK, SCOPE_USERS_ADMIN, RATE_API, BULK_BODY_MAX,
		0, bulk_users },
	{ HTTP_POST, "/events/bulk", LABEL_handler_BULK, SCOPE_EVENTS_WRITE, RATE_API,
		BULK_BODY_MAX, 0, bulk_events },
	{ HTTP_GET | HTTP_HEAD, "/urls/export", LABEL_handler_EXPORT, SCOPE_LINKS_READ, RATE_API, 0,
		0, bulk_export },
	{ 0 } };

const struct service bulk_service = { .name = "bulk",
	.routes = routes,
	.threads = 2,
	.needs = NEEDS_DATABASE | NEEDS_BLOCKLIST,
	.streams = true };
