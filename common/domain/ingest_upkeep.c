#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "domain/ingest_private.h"

enum {
	DAYS_AHEAD = 3,
	DAYS_EARLY = 2, /* how far ahead of our clock the clock of a click may be */
	DAYS_OPEN = 2,  /* today and yesterday are not packed: late clicks still add to them */
	TEND_S = 1,
	AGAIN_S = 5, /* after a failure */
	HOUR_S = 3600,
	PACK_PAUSE_MS = 100,
	LOOK_MS = 2000,
	INDEX_MS = 60000, /* a hundred million clicks */
	INDEX_PAUSE_MS = 1000,
	INDEX_LOOK_MS = 10 * 60 * 1000,
	INDEX_FAILED_MS = 6 * HOUR_S * 1000,
	DAY_S = 24 * HOUR_S
};

/* Kept segments go before writers stop at the reserve of the disk, see click_space.c. */
static const int64_t spare_bytes = INT64_C(64) << 20;

static int32_t today(void)
{
	return (int32_t)(clock_wall_ms() / CLICK_DAY_MS);
}

/* --- Files --- */

void ingest_retire(struct ingest *ingest)
{
	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		if (file->kept || !file->finished || file->foreign || !spool_file_is_done(file))
			continue;
		if (spool_files_keep(&ingest->files, file)) {
			metrics_add(METRIC_spool_damaged, 0, 0, file->torn);
		} else if (errno != ENOENT && !file->unmoved) {
			file->unmoved = true;
			log_event(LOG_ERROR, "spool_not_kept", strerrordesc_np(errno));
		}
	}
}

static struct spool_file *oldest_kept(const struct ingest *ingest)
{
	struct spool_file *oldest = NULL;

	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		/* What PostgreSQL does not have is never removed. */
		if (file->kept && spool_file_is_done(file) &&
			(!oldest || file->changed < oldest->changed))
			oldest = file;
	}
	return oldest;
}

static int64_t all_bytes(const struct ingest *ingest)
{
	int64_t bytes = 0;

	for (unsigned i = 0; i < ingest->files.count; i++)
		bytes += ingest->files.files[i].size;
	return bytes;
}

static bool is_short_of_room(const struct ingest *ingest)
{
	struct statvfs disk;

	if (all_bytes(ingest) > ingest->settings.max_bytes)
		return true;
	return ingest->settings.reserve_bytes > 0 && statvfs(ingest->files.directory, &disk) == 0 &&
	       (int64_t)(disk.f_bavail * disk.f_frsize) <
		       ingest->settings.reserve_bytes + spare_bytes;
}

/* After a jump somebody has a day to set it right before anything is deleted for its age. */
static void watch_clock(struct ingest *ingest, uint64_t now)
{
	int64_t shift = clock_wall_ms() - (int64_t)(now / CLOCK_MS);

	if (ingest->clock_shift != 0 && shift - ingest->clock_shift > HOUR_S * 1000) {
		ingest->clock_trusted = now + DAY_S * CLOCK_S;
		log_event(LOG_WARNING, "clock_jumped",
			"the time of day jumped ahead; for a day nothing is deleted for its age");
	}
	ingest->clock_shift = shift;
}

static bool trusts_clock(const struct ingest *ingest)
{
	return clock_monotonic() >= ingest->clock_trusted;
}

/* By the clock that is behind: one that runs ahead makes nothing old. */
static bool is_old(const struct ingest *ingest, const struct spool_file *file)
{
	int64_t now = clock_wall_ms() / 1000;

	if (ingest->server_ahead < 0)
		now += ingest->server_ahead;
	return ingest->offsets_known && trusts_clock(ingest) &&
	       file->changed + ingest->settings.retention_s <= now;
}

static void remove_kept(struct ingest *ingest)
{
	struct spool_file *file;

	while ((file = oldest_kept(ingest)) && (is_old(ingest, file) || is_short_of_room(ingest))) {
		if (!spool_files_remove(&ingest->files, file) && errno != ENOENT) {
			log_event(LOG_ERROR, "spool_not_removed", strerrordesc_np(errno));
			return;
		}
		spool_files_drop(&ingest->files, file);
	}
}

static void publish_spool(const struct ingest *ingest)
{
	int64_t bytes[LABEL_part_COUNT] = { 0 }, segments[LABEL_part_COUNT] = { 0 };

	for (unsigned i = 0; i < ingest->files.count; i++) {
		const struct spool_file *file = &ingest->files.files[i];

		segments[file->kept ? LABEL_part_KEPT : LABEL_part_PENDING]++;
		bytes[LABEL_part_KEPT] += file->kept ? file->size : 0;
		if (!spool_file_is_done(file) && file->size > file->committed)
			bytes[LABEL_part_PENDING] += file->size - file->committed;
	}
	for (unsigned part = 0; part < LABEL_part_COUNT; part++) {
		metrics_set(METRIC_spool_bytes, part, 0, bytes[part]);
		metrics_set(METRIC_spool_segments, part, 0, segments[part]);
	}
}

void ingest_tend(struct ingest *ingest)
{
	uint64_t now = clock_monotonic();

	if (now < ingest->tend_due)
		return;
	ingest->tend_due = now + TEND_S * CLOCK_S;
	watch_clock(ingest, now);
	/* In the middle of a round, too: that of a long backlog takes minutes, and writers may wait
	 * for room. */
	ingest_retire(ingest);
	remove_kept(ingest);
	publish_spool(ingest);
}

/* --- Partitions --- */

static bool is_made(const struct ingest *ingest, int32_t day)
{
	for (unsigned i = 0; i < ingest->days_made_count; i++)
		if (ingest->days_made[i] == day)
			return true;
	return false;
}

static void note_made(struct ingest *ingest, int32_t day)
{
	if (ingest->days_made_count == INGEST_DAYS)
		ingest->days_made_count = 0;
	ingest->days_made[ingest->days_made_count++] = day;
}

/* Whether a click of that day gets a partition of its day; others share one. */
static bool is_expected(const struct ingest *ingest, int32_t day)
{
	return day >= today() - (int32_t)ingest->settings.click_retention_days &&
	       day <= today() + DAYS_EARLY;
}

void ingest_prepare_days(struct ingest *ingest, struct db *db)
{
	const int32_t *days;
	unsigned count = click_batch_days(ingest->batch, &days);

	for (unsigned i = 0; i < count && clock_monotonic() >= ingest->days_again; i++) {
		if (is_made(ingest, days[i]) || !is_expected(ingest, days[i]))
			continue;
		if (store_make_days(db, days[i], days[i]) == STORE_OK)
			note_made(ingest, days[i]);
		else
			ingest->days_again = clock_monotonic() + AGAIN_S * CLOCK_S;
	}
}

static void keep_partitions(struct ingest *ingest, struct db *db)
{
	int32_t day = today();
	bool done = store_make_days(db, day, day + DAYS_AHEAD) == STORE_OK &&
		    (!trusts_clock(ingest) ||
			    store_drop_days(db, day, ingest->settings.click_retention_days) ==
				    STORE_OK);

	ingest->days_due = clock_monotonic() + (done ? HOUR_S : AGAIN_S) * CLOCK_S;
}

/* --- Rows that nobody needs any more --- */

static void forget_offsets(struct ingest *ingest, struct db *db)
{
	unsigned count = ingest->files.count;
	struct store_offset *present = calloc(count + 1, sizeof(*present));
	bool done = false;

	for (unsigned i = 0; present && i < count; i++)
		present[i].segment = ingest->files.files[i].number;
	/* A row without a file is harmless; a file without its row would be counted again. */
	if (present && ingest->kept_listed)
		done = store_forget(db, ingest->settings.node, ingest->settings.retention_s + DAY_S,
			       present, count) == STORE_OK;
	free(present);
	ingest->forget_due = clock_monotonic() + (done ? HOUR_S : AGAIN_S) * CLOCK_S;
}

/* A few links at a time, from the oldest day on; then a long rest. */
static void pack(struct ingest *ingest, struct db *db)
{
	bool done = store_pack(db, today() - DAYS_OPEN + 1, &ingest->pack_day,
			    &ingest->pack_link) == STORE_OK;
	uint64_t now = clock_monotonic();

	if (!done)
		ingest->pack_due = now + AGAIN_S * CLOCK_S;
	else if (ingest->pack_day == STORE_ANY_DAY)
		ingest->pack_due = now + HOUR_S * CLOCK_S;
	else
		ingest->pack_due = now + PACK_PAUSE_MS * CLOCK_MS;
}

bool ingest_upkeep(struct ingest *ingest, struct db *db)
{
	uint64_t now = clock_monotonic();

	if (now >= ingest->days_due)
		keep_partitions(ingest, db);
	else if (now >= ingest->forget_due)
		forget_offsets(ingest, db);
	else if (now >= ingest->pack_due)
		pack(ingest, db);
	else
		return false;
	return true;
}

unsigned ingest_index_turn(struct db *db, int32_t *below)
{
	const int32_t over = (int32_t)((clock_wall_ms() - HOUR_S * 1000) / CLICK_DAY_MS);
	const bool failed = *below != INT32_MAX;
	int64_t day;

	/* A connection is looked for with little time: with much it might wait for a hung server. */
	db_set_deadline(db, LOOK_MS);
	if (store_find_unindexed(db, *below < over ? *below : over, &day) != STORE_OK)
		return AGAIN_S * 1000;
	if (day == STORE_ANY_DAY) {
		*below = INT32_MAX;
		return failed ? INDEX_FAILED_MS : INDEX_LOOK_MS;
	}
	db_set_deadline(db, INDEX_MS);
	if (store_index_day(db, day) != STORE_OK)
		*below = (int32_t)day;
	return INDEX_PAUSE_MS;
}
