/*
 * shorten - the public way in: a URL goes in, a short link comes out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/blocklist.h"
#include "service/link_make.h"

static void shorten(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link_wish wish;
	struct link link = { .owner = worker->key.owner };
	if (link_make_read(req, res, link_wish_shorten, &wish, &link))
		link_make(worker, res, &wish, &link);
}

/* For scripts, which look for links to a host: as the targets of links spell it. */
static int spell_host(int argc, char **argv)
{
	struct target_host host;
	const char *refusal = "prints HOST as links spell it";
	if (argc == 3 && strcmp(argv[1], "--host") == 0)
		refusal = blocklist_read_host(argv[2], strlen(argv[2]), &host);
	if (refusal == NULL)
		return puts(host.text) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	fprintf(stderr, "shorten: --host HOST %s\n", refusal);
	return EXIT_FAILURE;
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
	.needs = NEEDS_DATABASE | NEEDS_REPLICA | NEEDS_BLOCKLIST,
	.timed = LABEL_timed_SHORTEN,
	.command = spell_host };
