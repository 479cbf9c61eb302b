/*
 * replicate - keeps this node's copy of all links, from which redirects are answered, like
 * PostgreSQL; see domain/follow.h. It serves nobody.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"
#include "base/workers.h"
#include "domain/event.h"
#include "domain/follow.h"
#include "domain/link_list.h"
#include "service/service.h"

enum {
	LISTEN_MS = 500,
	AWAY_MS = 500,
	NO_MEMORY_MS = 1000,
	TIDY_MS = 1000,
	TIDY_SOON_MS = 50,
	TIDY_MUCH = 128,        /* pages of 8 KiB; searches read up to 2,048 */
	TIDY_DEADLINE_MS = 2000 /* twice that is less than a program is given to end */
};

static struct follow *_Atomic follow;

static unsigned replicate_turn(struct worker *worker)
{
	const struct config *config = config_get();
	if (follow == NULL)
		follow = follow_new(config->replica, config->replica_max_bytes, config->node);
	if (follow == NULL)
		return NO_MEMORY_MS;
	return follow_turn(follow, worker->db, worker->slot, worker->thread);
}

/* Of our own changes we know; a payload that is no node's number may be an operator's. */
static bool is_ours(const char *payload)
{
	int64_t node;
	return text_to_number(payload, 0, INT64_MAX, &node) && node == config_get()->node;
}

static unsigned listen_turn(struct worker *worker)
{
	char payload[DB_NUMBER];
	switch (db_wait_notification(worker->db, LISTEN_MS, payload, sizeof(payload))) {
	case DB_OK:
		if (follow != NULL && !is_ours(payload))
			follow_wake(follow);
		break;
	case DB_NOT_FOUND: break;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: return AWAY_MS;
	}
	return 0;
}

/*
 * After very much it takes several calls. Rows in bulk would within a second make the list so long that
 * who stores them has to take it in, so it comes sooner while there is much. Nobody waits for it, so it is
 * not stalled.
 */
static unsigned tidy_turn(struct worker *worker)
{
	int64_t pages = 0, changes = 0;
	workers_idle(worker->slot, worker->thread);
	db_set_deadline(worker->db, TIDY_DEADLINE_MS);
	(void)!link_list_tidy(worker->db, &pages);
	db_set_deadline(worker->db, TIDY_DEADLINE_MS);
	(void)!event_sum_up(worker->db, &changes);
	return pages >= TIDY_MUCH || changes == EVENT_CHANGES ? TIDY_SOON_MS : TIDY_MS;
}

static int answer(int argc, char **argv)
{
	const char *directory = config_get()->replica;
	bool good = false;
	if (argc == 2 && strcmp(argv[1], "--dump") == 0) {
		good = follow_dump(directory);
	} else if (argc == 2 && strcmp(argv[1], "--status") == 0) {
		good = follow_show_status(directory);
	} else {
		fputs("replicate: --dump prints all links of the replica as COPY wants them, "
		      "--status what is known about it\n",
			stderr);
		return EXIT_FAILURE;
	}
	if (!good)
		fprintf(stderr, "replicate: can't read the replica in %s\n", directory);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct service replicate_service = { .name = "replicate",
	.needs = NEEDS_DATABASE,
	.turns = { replicate_turn, listen_turn, tidy_turn },
	.prepare = follow_prepare,
	.command = answer };
