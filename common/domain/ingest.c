#include "domain/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "domain/ingest_private.h"

enum {
	IDLE_MS = 20,
	FAILED_MS = 100,
	AWAY_MS = 1000, /* without a directory, or while another one works on it */
	DEADLINE_MS = 2000,
	LOCK_S = 1,          /* how often to see whether the directory is still the same */
	OFFSETS_S = 5,       /* how often to see whether PostgreSQL still says the same */
	CLICKS_USUAL = 5000, /* a transaction; few, so that it is short and takes little memory */
	CLICKS_MAX = 160000, /* while there is a backlog: the more, the less per click */
	CLICKS_MIN = 1000,
	QUICK_MS = 1500, /* a transaction this quick may grow, */
	SLOW_MS = 3000   /* and one this slow has to shrink */
};

#define LOCK_NAME "ingest.lock"

struct ingest *ingest_new(const struct ingest_settings *settings)
{
	struct ingest *ingest = calloc(1, sizeof(*ingest));

	if (!ingest)
		return NULL;
	ingest->settings = *settings;
	ingest->lock = -1;
	ingest->limit = CLICKS_USUAL;
	ingest->pack_day = STORE_ANY_DAY;
	ingest->pack_link = INT64_MIN;
	ingest->buffer = malloc(INGEST_BUFFER + 1);
	ingest->batch = click_batch_new();
	if (!ingest->buffer || !ingest->batch ||
		!spool_files_init(&ingest->files, settings->directory)) {
		ingest_free(ingest);
		return NULL;
	}
	return ingest;
}

void ingest_free(struct ingest *ingest)
{
	if (!ingest)
		return;
	if (ingest->lock >= 0)
		close(ingest->lock);
	click_batch_free(ingest->batch);
	spool_files_free(&ingest->files);
	free(ingest->buffer);
	free(ingest);
}

/* --- The directory --- */

static void make_kept(const struct ingest *ingest)
{
	char path[SPOOL_PATH_MAX];

	(void)mkdir(spool_files_path(&ingest->files, SPOOL_KEPT, path), 0750);
}

/* Whether the lock that is held is that of the directory which is there now. */
static bool has_directory(const struct ingest *ingest)
{
	char path[SPOOL_PATH_MAX];
	struct stat held, there;

	return fstat(ingest->lock, &held) == 0 &&
	       stat(spool_files_path(&ingest->files, LOCK_NAME, path), &there) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* What was known of its files is of no use with another directory in its place. */
static void leave_directory(struct ingest *ingest)
{
	close(ingest->lock);
	ingest->lock = -1;
	ingest->offsets_known = ingest->in_round = false;
	spool_files_clear(&ingest->files);
}

static bool lock_directory(struct ingest *ingest)
{
	char path[SPOOL_PATH_MAX];

	(void)mkdir(ingest->files.directory, 0750);
	make_kept(ingest);
	ingest->lock = open(spool_files_path(&ingest->files, LOCK_NAME, path),
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (ingest->lock < 0)
		return false;
	if (flock(ingest->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	close(ingest->lock);
	ingest->lock = -1;
	return false;
}

static bool take_directory(struct ingest *ingest)
{
	uint64_t now = clock_monotonic();

	if (ingest->lock >= 0 && now >= ingest->lock_due) {
		ingest->lock_due = now + LOCK_S * CLOCK_S;
		if (!has_directory(ingest)) {
			log_event(LOG_WARNING, "spool_replaced",
				"the spool is another directory now");
			leave_directory(ingest);
		}
	}
	return ingest->lock >= 0 || lock_directory(ingest);
}

static void forget_round(struct ingest *ingest)
{
	ingest->in_round = false;
	for (unsigned i = 0; i < ingest->files.count; i++)
		ingest->files.files[i].read = ingest->files.files[i].committed;
}

/* --- What PostgreSQL has --- */

static void log_about(enum log_level level, const char *event, int64_t segment, const char *error)
{
	char name[SPOOL_NAME];
	struct log_line line;

	spool_name(name, segment);
	log_begin(&line, level, event);
	log_field(&line, "segment", name);
	log_field(&line, "error", error);
	log_end(&line);
}

/* Whether it is where we believed it. */
static bool apply_offset(struct spool_file *file, int64_t bytes)
{
	bool as_believed = file->committed == bytes;

	file->committed = file->read = file->target = bytes;
	if (bytes > file->size && !file->ahead)
		log_about(file->finished ? LOG_WARNING : LOG_ERROR, "spool_offset_ahead",
			file->number,
			file->finished ? "its end was lost, but PostgreSQL has it"
				       : "PostgreSQL has more of this segment than there is");
	file->ahead = bytes > file->size;
	if (file->finished && bytes >= file->size)
		file->end = file->size;
	return as_believed;
}

static void apply_offsets(struct ingest *ingest, const struct store_offset *offsets)
{
	unsigned others = 0, again = 0;

	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		others += !apply_offset(file, offsets[i].bytes);
		again += file->kept && file->size - offsets[i].bytes >= SPOOL_LINE_MAX;
	}
	if (others > 0 && again > 0)
		log_event(LOG_WARNING, "spool_read_again",
			"PostgreSQL lacks clicks that were kept; they are read again");
	if (others > 0) {
		/* What was true of the database that we knew may not be true of this one. */
		click_batch_forget(ingest->batch);
		ingest->days_made_count = 0;
	}
}

static bool compare_clocks(struct ingest *ingest, struct db *db)
{
	int64_t seconds;

	if (store_clock(db, &seconds) != STORE_OK)
		return false;
	ingest->server_ahead = seconds - clock_wall_ms() / 1000;
	return true;
}

static bool ask_offsets(struct ingest *ingest, struct db *db)
{
	unsigned count = ingest->files.count;
	struct store_offset *offsets = calloc(count + 1, sizeof(*offsets));
	bool known;

	if (!offsets)
		return false;
	for (unsigned i = 0; i < count; i++)
		offsets[i].segment = ingest->files.files[i].number;
	known = store_offsets(db, offsets, count) == STORE_OK &&
		store_run(db, segment_get()->header.run, &ingest->run_committed) == STORE_OK;
	known = known && compare_clocks(ingest, db);
	if (known)
		apply_offsets(ingest, offsets);
	free(offsets);
	return known;
}

static bool list_kept(struct ingest *ingest)
{
	if (spool_files_list(&ingest->files, true))
		return true;
	make_kept(ingest);
	return spool_files_list(&ingest->files, true);
}

static void look_at_all(struct ingest *ingest)
{
	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		if ((!file->kept || !file->looked) && !spool_files_look(&ingest->files, file))
			ingest_note_unread(ingest, file);
	}
}

/* Asks again after any doubt, with each new session, and now and then. */
static bool know_offsets(struct ingest *ingest, struct db *db)
{
	uint64_t now = clock_monotonic();
	bool same_session = ingest->session != 0 && ingest->session == db_session_pid(db);

	if (ingest->offsets_known && same_session &&
		(ingest->in_round || now < ingest->offsets_due))
		return true;
	forget_round(ingest);
	if (!same_session) {
		click_batch_forget(ingest->batch);
		ingest->days_made_count = 0;
	}
	if (!spool_files_list(&ingest->files, false))
		return false;
	ingest->kept_listed = list_kept(ingest);
	look_at_all(ingest);
	ingest->offsets_known = ask_offsets(ingest, db);
	ingest->session = db_session_pid(db);
	ingest->offsets_due = now + OFFSETS_S * CLOCK_S;
	return ingest->offsets_known;
}

/* --- A round --- */

static void aim(struct spool_file *file)
{
	file->target = file->foreign || file->ahead || spool_file_is_done(file) ? file->committed
										: file->size;
	if (file->finished && file->committed >= file->size)
		file->end = file->size;
}

static bool begin_round(struct ingest *ingest)
{
	ingest->unclean = false;
	ingest->round_began = clock_monotonic();
	ingest->spooled_before = metrics_value(METRIC_clicks_spooled, 0, 0);
	if (!spool_files_list(&ingest->files, false))
		return false;
	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		if (!file->kept && !spool_file_is_done(file) &&
			!spool_files_look(&ingest->files, file))
			ingest_note_unread(ingest, file);
		aim(file);
	}
	ingest->in_round = true;
	return true;
}

static bool is_read(const struct ingest *ingest)
{
	for (unsigned i = 0; i < ingest->files.count; i++)
		if (ingest->files.files[i].committed < ingest->files.files[i].target)
			return false;
	return true;
}

/*
 * Clicks counted by their writers less those that are in PostgreSQL, which is all that was found on
 * the disk. While clicks come in, the first number lies between two that can be known.
 */
static void publish_drift(const struct ingest *ingest)
{
	int64_t least = (int64_t)ingest->spooled_before - ingest->run_committed;
	int64_t most = (int64_t)metrics_value(METRIC_clicks_spooled, 0, 0) - ingest->run_committed;

	metrics_set(METRIC_click_drift, 0, 0, least > 0 ? least : most < 0 ? most : 0);
}

static void publish_committed(const struct ingest *ingest)
{
	uint64_t published = metrics_value(METRIC_clicks_committed, 0, 0);

	/* A counter never goes back, not even with a database restored from a backup. */
	if (ingest->run_committed > (int64_t)published)
		metrics_set(METRIC_clicks_committed, 0, 0, ingest->run_committed);
}

/* All that was answered before this round is in PostgreSQL. */
static void publish_moment(const struct ingest *ingest)
{
	int64_t age_ms = (int64_t)((clock_monotonic() - ingest->round_began) / CLOCK_MS);

	metrics_set(METRIC_clicks_committed_until, 0, 0,
		(clock_wall_ms() - age_ms) * (int64_t)CLOCK_MS);
	/* Released: who sees the moment finds the clicks, and so does whom the bell wakes. */
	atomic_store_explicit(
		&segment_get()->clicks_committed_until, ingest->round_began, memory_order_release);
	atomic_store_explicit(&segment_get()->clicks_committed_of, ingest->spooled_before + 1,
		memory_order_release);
	bell_ring(BELL_CLICKS_COMMITTED);
}

static void end_round(struct ingest *ingest)
{
	ingest->in_round = false;
	publish_committed(ingest);
	publish_drift(ingest);
	if (!ingest->unclean)
		publish_moment(ingest);
	ingest_retire(ingest);
}

/* --- A transaction --- */

static void observe_delays(const struct click_batch *batch)
{
	const int64_t *times = click_batch_times(batch);
	int64_t now = clock_wall_ms();

	for (unsigned i = 0; i < click_batch_count(batch); i++)
		metrics_observe(METRIC_click_delay, 0,
			now > times[i] ? (uint64_t)(now - times[i]) * CLOCK_MS : 0);
}

static void note_committed(struct ingest *ingest)
{
	const struct click_move *moves;
	unsigned count = click_batch_moves(ingest->batch, &moves);
	uint64_t run = segment_get()->header.run;

	for (unsigned i = 0; i < count; i++)
		ingest->run_committed += moves[i].run == run ? moves[i].records : 0;
	for (unsigned i = 0; i < ingest->files.count; i++)
		ingest->files.files[i].committed = ingest->files.files[i].read;
	if (click_batch_count(ingest->batch) > 0)
		ingest->refused = 0;
	click_batch_remember(ingest->batch);
	observe_delays(ingest->batch);
	metrics_observe(METRIC_click_batch_size, 0, click_batch_count(ingest->batch));
	metrics_add(METRIC_click_batches, LABEL_batch_COMMITTED, 0, 1);
	metrics_add(METRIC_spool_damaged, 0, 0, ingest->damaged);
	publish_committed(ingest);
}

static void note_failed(struct ingest *ingest, enum store_result result)
{
	static const enum label_batch labels[] = { [STORE_OK] = LABEL_batch_COMMITTED,
		[STORE_CONFLICT] = LABEL_batch_CONFLICT,
		[STORE_REFUSED] = LABEL_batch_FAILED,
		[STORE_FAILED] = LABEL_batch_FAILED,
		[STORE_UNKNOWN] = LABEL_batch_UNKNOWN };

	metrics_add(METRIC_click_batches, labels[result], 0, 1);
	if (result == STORE_CONFLICT)
		log_event(LOG_WARNING, "spool_offsets_moved",
			"the offsets are not where this process left them; they are read again");
	forget_round(ingest);
	if (result != STORE_REFUSED)
		ingest->offsets_known = false;
}

/* How many clicks the next transaction may have, by how this one went. */
static void set_limit(struct ingest *ingest, enum store_result result, uint64_t took)
{
	unsigned count = click_batch_count(ingest->batch);

	if (result == STORE_REFUSED) {
		/* Halves, down to the click that is to blame. */
		ingest->limit = count > 1 ? count / 2 : 1;
	} else if (result != STORE_OK && took > QUICK_MS * CLOCK_MS) {
		/* Not in time: a server may be as slow as it likes. */
		ingest->limit = count > 1 ? count / 2 : 1;
	} else if (result != STORE_OK || took > SLOW_MS * CLOCK_MS) {
		if (ingest->limit / 2 >= CLICKS_MIN)
			ingest->limit /= 2;
	} else if (count < ingest->limit) {
		ingest->limit = CLICKS_USUAL;
	} else if (took < QUICK_MS * CLOCK_MS && ingest->limit < CLICKS_MAX) {
		ingest->limit *= took < QUICK_MS / 4 * CLOCK_MS ? 4 : 2;
		if (ingest->limit > CLICKS_MAX)
			ingest->limit = CLICKS_MAX;
	}
}

static enum store_result commit(struct ingest *ingest, struct db *db)
{
	const struct store_pace pace = { DEADLINE_MS, ingest->settings.slot,
		ingest->settings.thread };
	enum store_result result;
	uint64_t began;

	ingest_prepare_days(ingest, db);
	began = clock_monotonic();
	result = store_commit(db, ingest->batch, ingest->settings.node, &pace);
	if (result == STORE_REFUSED && click_batch_count(ingest->batch) == 1)
		result = ingest_refuse(ingest)
				 ? store_commit(db, ingest->batch, ingest->settings.node, &pace)
				 : STORE_FAILED;
	set_limit(ingest, result, clock_monotonic() - began);
	if (result == STORE_OK)
		note_committed(ingest);
	else
		note_failed(ingest, result);
	return result;
}

unsigned ingest_turn(struct ingest *ingest, struct db *db)
{
	const struct click_move *moves;
	enum store_result result = STORE_OK;
	bool full;

	if (!take_directory(ingest))
		return AWAY_MS;
	db_set_deadline(db, DEADLINE_MS);
	ingest_tend(ingest);
	if (!know_offsets(ingest, db))
		return IDLE_MS;
	if (!ingest->in_round) {
		if (ingest_upkeep(ingest, db))
			return 0;
		if (!begin_round(ingest))
			return AWAY_MS;
	}
	if (!ingest_read(ingest)) {
		log_event(LOG_ERROR, "ingest_stopped", "no memory");
		forget_round(ingest);
		return AWAY_MS;
	}
	full = click_batch_count(ingest->batch) == ingest->limit;
	if (click_batch_moves(ingest->batch, &moves) > 0)
		result = commit(ingest, db);
	if (result != STORE_OK)
		return result == STORE_REFUSED ? 0 : FAILED_MS;
	if (!is_read(ingest))
		return 0;
	end_round(ingest);
	return full ? 0 : IDLE_MS;
}
