#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/workers.h"
#include "domain/follow_private.h"

enum { LATEST_BUILD_S = 60 };

void follow_start_build(struct follow *follow)
{
	follow->phase = FOLLOW_BUILDING;
	follow->session = 0; /* judged before anything is copied */
	follow->walked[0] = '\0';
	follow->comparison.running = follow->counting = false;
}

void follow_put_off_build(struct follow *follow)
{
	follow_start_build(follow);
	unsigned pause = follow->build_pause_s == 0 ? 1 : follow->build_pause_s * 2;
	follow->build_pause_s = pause < LATEST_BUILD_S ? pause : LATEST_BUILD_S;
	follow->build_due = clock_monotonic() + follow->build_pause_s * CLOCK_S;
}

/* Before the first chunk is asked for, so that no change during the build is missed. */
static enum follow_result begin_file(struct follow *follow)
{
	const int64_t latest = (FOLLOW_LATEST_S + 1) * INT64_C(1000000);
	metrics_add(METRIC_replica_builds, 0, 0, 1);
	log_event(LOG_INFO, "replica_build", NULL);
	follow_start_cursors(follow, follow->now_us - latest, "");
	(void)text_copy(follow->meta.identity, sizeof(follow->meta.identity), follow->database);
	follow->meta.complete = false;
	return follow_written(follow, replica_writer_build(follow->writer));
}

static enum follow_result store(struct follow *follow, const struct db_rows *rows)
{
	struct replica_record record;
	enum follow_result result = follow_begin(follow);
	for (int row = 0; row < db_rows_count(rows) && result == FOLLOW_DONE; row++) {
		if (!follow_read_row(rows, row, &record))
			continue;
		result = follow_written(follow, replica_writer_put(follow->writer, &record, NULL));
		follow_know(follow, &record);
		follow->applied++;
	}
	if (result == FOLLOW_DONE)
		result = follow_commit(follow);
	else
		follow_abort(follow);
	return result;
}

static enum follow_result complete(struct follow *follow)
{
	/* Whatever happened to the database meanwhile: what was copied is published only if it is all. */
	enum follow_result result = follow_look(follow);
	if (result != FOLLOW_DONE)
		return result;
	follow->meta.complete = true;
	result = follow_begin(follow);
	follow->applied = 1; /* so that it is stored for an empty database as well */
	if (result == FOLLOW_DONE)
		result = follow_commit(follow);
	/* The disk may take as long as it likes. */
	workers_idle(follow->slot, follow->thread);
	if (result == FOLLOW_DONE)
		result = follow_written(
			follow, replica_writer_put_memory(follow->writer, &follow->meta));
	if (result == FOLLOW_DONE)
		result = follow_written(follow, replica_writer_publish(follow->writer));
	workers_busy(follow->slot, follow->thread);
	if (result != FOLLOW_DONE)
		return result;
	log_event(LOG_INFO, "replica_built", NULL);
	follow->build_pause_s = 0;
	metrics_set(METRIC_links_lost, 0, 0, 0);
	follow->phase = FOLLOW_FOLLOWING;
	follow->catching_up = false;
	follow->behind = true;
	follow->front_due = 0;
	follow->comparison.due = clock_monotonic() + FOLLOW_COMPARE_S * CLOCK_S;
	return FOLLOW_MORE;
}

static enum follow_result ask_chunk(struct follow *follow)
{
	char limit[DB_NUMBER];
	const char *const parameters[] = { follow->walked, db_number_text(limit, FOLLOW_CHUNK) };
	return follow_ask(follow, STATEMENT_follow_walk, parameters, 2, &follow->rows);
}

enum follow_result follow_build(struct follow *follow)
{
	uint64_t now = clock_monotonic();
	enum follow_result result = FOLLOW_DONE;
	if (now < follow->build_due)
		return FOLLOW_AWAY;
	if (follow->walked[0] == '\0')
		result = begin_file(follow);
	if (result == FOLLOW_DONE)
		result = ask_chunk(follow);
	if (result != FOLLOW_DONE)
		return result;
	int count = db_rows_count(follow->rows);
	result = store(follow, follow->rows);
	if (result == FOLLOW_DONE && count > 0)
		(void)text_copy(follow->walked, sizeof(follow->walked),
			db_text(follow->rows, count - 1, 0));
	db_rows_free(follow->rows);
	if (result != FOLLOW_DONE)
		return result;
	follow_saw(follow, now);
	return count < FOLLOW_CHUNK ? complete(follow) : FOLLOW_MORE;
}
