/*
 * ingest - carries clicks from the spool to PostgreSQL. It serves nobody.
 */
#include "domain/ingest.h"

#include "base/config.h"
#include "service/service.h"

enum { NO_MEMORY_MS = 1000 };

static unsigned turn(struct worker *worker)
{
	/* Made once and never freed: the one thread that takes turns lives as long as the process. */
	static struct ingest *ingest;
	const struct config *config = config_get();
	const struct ingest_settings settings = { .directory = config->spool,
		.node = config->node,
		.max_bytes = config->spool_max_bytes,
		.reserve_bytes = config->spool_reserve_bytes,
		.retention_s = config->spool_retention_s,
		.click_retention_days = config->click_retention_days };
	if (ingest == NULL)
		ingest = ingest_new(&settings);
	return ingest != NULL ? ingest_turn(ingest, worker->db) : NO_MEMORY_MS;
}

const struct service ingest_service = {
	.name = "ingest", .needs = NEEDS_DATABASE, .turns = { turn }
};
