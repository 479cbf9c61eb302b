/*
 * replicate - keeps the local copy of all links. It serves nobody.
 */
#include "service/service.h"

enum { IDLE_MS = 20 };

static unsigned turn(struct worker *worker)
{
	(void)worker;
	return IDLE_MS;
}

const struct service replicate_service = {
	.name = "replicate", .needs = NEEDS_DATABASE, .turns = { turn }
};
