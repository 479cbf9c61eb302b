/*
 * ingest - carries clicks from the spool to PostgreSQL. It serves nobody.
 */
#include "domain/ingest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "domain/spool_list.h"
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
		.click_retention_days = config->click_retention_days,
		.slot = worker->slot,
		.thread = worker->thread };
	if (ingest == NULL)
		ingest = ingest_new(&settings);
	return ingest != NULL ? ingest_turn(ingest, worker->db) : NO_MEMORY_MS;
}

/*
 * Nobody waits for it, so it is not stalled. With a pool of its own: whoever counts takes another
 * session for another server, and looks at everything anew.
 */
static unsigned index_turn(struct worker *worker)
{
	static struct db *db;
	static int32_t below = INT32_MAX;
	workers_idle(worker->slot, worker->thread);
	if (db == NULL)
		db = db_new(config_get()->database_url, "ingest index");
	return db != NULL ? ingest_index_turn(db, &below) : NO_MEMORY_MS;
}

static int list_segments(const char *directory, const char *limits_path)
{
	FILE *limits = limits_path != NULL ? fopen(limits_path, "re") : NULL;
	if (limits_path != NULL && limits == NULL) {
		fprintf(stderr, "ingest: %s: %s\n", limits_path, strerrordesc_np(errno));
		return EXIT_FAILURE;
	}
	bool listed = spool_list(directory, limits, stdout);
	if (!listed)
		fprintf(stderr, "ingest: %s: %s\n", directory, strerrordesc_np(errno));
	if (limits != NULL)
		fclose(limits);
	return listed ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int command(int argc, char **argv)
{
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "--segments") == 0)
		return list_segments(argv[2], argv[3]);
	fputs("usage: ingest --segments DIRECTORY [LIMITS]\n"
	      "Prints of each segment of a spool: number, bytes, records, damaged lines, state\n"
	      "(writing, pending, kept), time of the oldest click. LIMITS: a file of lines\n"
	      "\"number bytes\"; only so much is read, and nothing of other segments.\n",
		stderr);
	return EXIT_FAILURE;
}

const struct service ingest_service = { .name = "ingest",
	.needs = NEEDS_DATABASE,
	/* At the end the last is waited for first. */
	.turns = { index_turn, turn },
	.command = command };
