/*
 * shorten - the public way in: a URL goes in, a short link comes out.
 */
#include "service/link_make.h"

static void shorten(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link_wish wish;
	struct link link = { .owner = worker->key.owner };
	if (link_make_read(req, res, link_wish_shorten, &wish, &link))
		link_make(worker, res, &wish, &link);
}

static const struct route routes[] = { { HTTP_POST, "/shorten", LABEL_handler_SHORTEN,
					       SCOPE_LINKS_WRITE, RATE_CREATE, 0,
					       ROUTE_JSON | ROUTE_ANONYMOUS_CREATE, shorten },
	{ 0 } };

/* Many threads on few connections: they wait for PostgreSQL and the replica together, in groups. */
const struct service shorten_service = { .name = "shorten",
	.routes = routes,
	.threads = 32,
	.connections = 4,
	.needs = NEEDS_DATABASE | NEEDS_REPLICA,
	.timed = LABEL_timed_SHORTEN };
