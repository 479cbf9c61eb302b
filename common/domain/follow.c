#include "domain/follow.h"

#include <stdlib.h>

#include "base/bell.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum {
	OTHER_WRITER_MS = 100, /* until the lock of the replica is looked at again */
	AWAY_MS = 100,
	BROKEN_MS = 1000,
	WRONG_MS = 200,
	WARM_COMPARE_S = 10 /* a replica that was there at the start is compared soon */
};

struct follow *follow_new(const char *directory, int64_t max_bytes, int64_t node)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	if (follow == NULL)
		return NULL;
	follow->node = node;
	follow->writer = replica_writer_new(directory, max_bytes);
	if (follow->writer == NULL ||
		!text_copy(follow->directory, sizeof(follow->directory), directory)) {
		follow_free(follow);
		return NULL;
	}
	return follow;
}

void follow_prepare(void)
{
	struct replica_status *status = &segment_get()->replica;

	if (atomic_load(&status->state) == LABEL_state_FOLLOWING)
		atomic_store(&status->state, LABEL_state_BUILDING);
}

void follow_free(struct follow *follow)
{
	if (follow == NULL)
		return;
	replica_writer_free(follow->writer);
	free(follow);
}

void follow_wake(struct follow *follow)
{
	atomic_store(&follow->woken, true);
	bell_ring(BELL_LINKS_WANTED);
}

/* A replica that was left by another process, or by this one before it broke. */
static void go_on(struct follow *follow)
{
	follow->phase = FOLLOW_FOLLOWING;
	/* Until the database was judged and what came meanwhile is read. */
	follow->behind = true;
	follow_start_cursors(follow, follow->meta.cursor_us, follow->meta.cursor_code);
	follow->session = 0;
	follow->comparison.running = follow->counting = false;
	follow->comparison.due = clock_monotonic() + WARM_COMPARE_S * CLOCK_S;
	follow->entries = replica_writer_count(follow->writer);
	metrics_set(METRIC_replica_entries, 0, 0, (int64_t)follow->entries);
}

static enum replica_result read_meta(struct follow *follow)
{
	struct replica_meta meta;
	enum replica_result result = replica_writer_get_meta(follow->writer, &meta);
	if (result == REPLICA_OK && !meta.complete)
		result = REPLICA_DAMAGED;
	if (result == REPLICA_OK)
		follow->meta = meta;
	return result;
}

/*
 * No replica, but what its database must have is known still, here or beside it. Where that cannot
 * be read no database is the right one, until an operator says so.
 */
static unsigned start_anew(struct follow *follow)
{
	enum replica_result result = REPLICA_OK;
	if (*follow->meta.identity == '\0')
		result = replica_writer_get_memory(follow->writer, &follow->meta);
	if (result == REPLICA_DAMAGED)
		(void)text_copy(follow->meta.identity, sizeof(follow->meta.identity), "unreadable");
	else if (result != REPLICA_OK && result != REPLICA_MISSING)
		return BROKEN_MS;
	follow_start_build(follow);
	return 0;
}

/* 0 when there is a replica to work on, else the milliseconds until it should be tried again. */
static unsigned open_replica(struct follow *follow)
{
	enum replica_result result = replica_writer_open(follow->writer);
	if (result == REPLICA_OK)
		result = read_meta(follow);
	switch (result) {
	case REPLICA_OK: go_on(follow); return 0;
	case REPLICA_MISSING:
	case REPLICA_DAMAGED: return start_anew(follow);
	case REPLICA_BUSY: return OTHER_WRITER_MS;
	case REPLICA_FULL:
	case REPLICA_ERROR: break;
	}
	return BROKEN_MS;
}

static unsigned mend(struct follow *follow)
{
	replica_writer_abort(follow->writer);
	if (follow->phase == FOLLOW_BUILDING) {
		follow_put_off_build(follow);
		return 0;
	}
	if (follow->broken == REPLICA_DAMAGED || follow->broken == REPLICA_MISSING) {
		follow_start_build(follow);
		return 0;
	}
	follow->phase = FOLLOW_CLOSED;
	return BROKEN_MS;
}

/* While the database is wrong nothing is built from it: what readers have mapped is all there is. */
static void look_around(struct follow *follow)
{
	uint64_t now = clock_monotonic();
	if (now < follow->second_due)
		return;
	follow->second_due = now + CLOCK_S;
	if (follow->phase == FOLLOW_FOLLOWING)
		follow_remember(follow);
	follow_take_acceptance(follow);
	if (follow->phase == FOLLOW_FOLLOWING && follow->wrong == NULL &&
		replica_writer_check(follow->writer) == REPLICA_DAMAGED)
		follow_start_build(follow);
	if (follow->phase == FOLLOW_FOLLOWING && now >= follow->comparison.due &&
		!follow->comparison.running)
		follow_start_comparison(follow);
	if (follow->phase == FOLLOW_FOLLOWING && follow->wrong == NULL)
		follow_look_at_totals(follow);
}

static enum follow_result go_on_following(struct follow *follow)
{
	enum follow_result result = FOLLOW_DONE;
	if (follow->wrong == NULL)
		result = follow_changes(follow);
	if ((result == FOLLOW_DONE || result == FOLLOW_MORE) && follow->comparison.running) {
		result = follow_compare(follow);
		if (result == FOLLOW_DONE)
			result = FOLLOW_MORE;
	}
	if ((result == FOLLOW_DONE || result == FOLLOW_MORE) && follow->counting &&
		follow->wrong == NULL)
		result = follow_count(follow);
	return result;
}

/* First which database it is: again in each new session, and now and then while it is wrong. */
static enum follow_result work(struct follow *follow)
{
	bool look = follow->session == 0 ||
		    (follow->wrong != NULL && clock_monotonic() >= follow->look_due);
	enum follow_result result = look ? follow_look(follow) : FOLLOW_DONE;
	if (result == FOLLOW_AWAY || result == FOLLOW_BROKEN)
		return result;
	if (follow->phase == FOLLOW_FOLLOWING)
		return go_on_following(follow);
	return follow->wrong == NULL ? follow_build(follow) : FOLLOW_WRONG;
}

unsigned follow_turn(
	struct follow *follow, struct db *db, struct worker_slot *slot, unsigned thread)
{
	follow->db = db;
	follow->slot = slot;
	follow->thread = thread;
	unsigned pause = follow->phase == FOLLOW_CLOSED ? open_replica(follow) : 0;
	if (pause > 0) {
		follow_publish(follow);
		return pause;
	}
	look_around(follow);
	enum follow_result result = work(follow);
	pause = result == FOLLOW_BROKEN ? mend(follow) : 0;
	follow_publish(follow);
	switch (result) {
	case FOLLOW_AWAY: return AWAY_MS;
	case FOLLOW_BROKEN: return pause;
	case FOLLOW_WRONG: return WRONG_MS;
	case FOLLOW_DONE: return follow->wrong != NULL ? WRONG_MS : 0;
	case FOLLOW_MORE: break;
	}
	return 0;
}
