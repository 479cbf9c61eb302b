/*
 * ingest - carries clicks from the spool to PostgreSQL. It serves nobody.
 */
#include "service/service.h"

enum { IDLE_MS = 20 };

static unsigned turn(struct worker *worker)
{
	(void)worker;
	return IDLE_MS;
}

const struct service ingest_service = {
	.name = "ingest", .needs = NEEDS_DATABASE, .turns = { turn }
};
