#include <string.h>

#include "base/bell.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum {
	FRESH_US = 60000000, /* what is younger may only be on its way */
	LOST_PER_HUNDRED = 1
};

void follow_start_comparison(struct follow *follow)
{
	follow->comparison = (struct follow_comparison){ .running = true,
		.due = clock_monotonic() + FOLLOW_COMPARE_S * CLOCK_S };
}

static bool is_old(const struct follow *follow, const struct replica_record *record)
{
	return follow_updated_us(record) < follow->now_us - FRESH_US;
}

/* Visits are counted without a new version: they are taken over, and are no difference. */
static bool only_visits_differ(const struct replica_record *one, const struct replica_record *other)
{
	return one->link.version == other->link.version && one->visits != other->visits;
}

static enum follow_result put_right(struct follow *follow, const struct replica_record *record)
{
	struct replica_record there;
	unsigned before = follow->applied;
	bool visits =
		replica_writer_find(follow->writer, record->link.code, &there) == REPLICA_OK &&
		only_visits_differ(&there, record);
	enum follow_result result = follow_apply(follow, record);
	if (follow->applied > before && !visits && is_old(follow, record))
		follow->comparison.differences++;
	return result;
}

static enum follow_result put_all_right(struct follow *follow, const struct db_rows *rows)
{
	struct replica_record record;
	enum follow_result result = follow_begin(follow);
	for (int row = 0; row < db_rows_count(rows) && result == FOLLOW_DONE; row++)
		if (follow_read_row(rows, row, &record))
			result = put_right(follow, &record);
	if (result == FOLLOW_DONE)
		result = follow_commit(follow);
	if (result != FOLLOW_DONE)
		follow_abort(follow);
	else if (follow->applied > 0)
		bell_ring(BELL_LINKS_APPLIED);
	return result;
}

/* Whether the row of this code, or of a code after it, is the next of the sorted rows. */
static bool is_in(const struct db_rows *rows, int *row, const struct replica_record *record)
{
	int order = -1;
	while (*row < db_rows_count(rows) &&
		(order = strcmp(db_text(rows, *row, 0), record->link.code)) < 0)
		(*row)++;
	return *row < db_rows_count(rows) && order == 0 && follow_has(rows, *row, record);
}

/*
 * Walks the replica along these rows, which begin where the comparison is, and gathers the codes
 * that they lack. Stops where there are enough of them. DONE: nothing is left to walk.
 */
static enum follow_result gather_suspects(
	struct follow *follow, const struct db_rows *rows, unsigned *suspects)
{
	struct follow_comparison *comparison = &follow->comparison;
	struct replica_record record;
	const int count = db_rows_count(rows);
	const char *last = count == FOLLOW_CHUNK ? db_text(rows, count - 1, 0) : NULL;
	int row = 0;
	*suspects = 0;
	while (*suspects < FOLLOW_SUSPECTS) {
		enum replica_result result =
			replica_writer_next(follow->writer, comparison->after, &record);
		if (result != REPLICA_OK && result != REPLICA_MISSING)
			return follow_written(follow, result);
		if (result == REPLICA_MISSING ||
			(last != NULL && strcmp(record.link.code, last) > 0)) {
			(void)text_copy(comparison->after, sizeof(comparison->after),
				last != NULL ? last : "");
			return last != NULL ? FOLLOW_MORE : FOLLOW_DONE;
		}
		(void)text_copy(comparison->after, sizeof(comparison->after), record.link.code);
		if (!is_in(rows, &row, &record))
			(void)text_copy(
				follow->suspects[(*suspects)++], CODE_MAX + 1, record.link.code);
	}
	return FOLLOW_MORE;
}

static bool has(const struct db_rows *rows, const struct replica_record *record)
{
	for (int row = 0; row < db_rows_count(rows); row++)
		if (strcmp(db_text(rows, row, 0), record->link.code) == 0)
			return follow_has(rows, row, record);
	return false;
}

static void count_lost(struct follow *follow, const struct replica_record *record)
{
	struct follow_comparison *comparison = &follow->comparison;
	if (comparison->lost < REPLICA_KNOWN)
		comparison->missing[comparison->lost] = follow_known(record);
	comparison->lost++;
}

/* Asks once more: a chunk is older than what was applied after it. */
static enum follow_result judge_suspects(struct follow *follow, unsigned suspects)
{
	struct replica_record record;
	if (suspects == 0)
		return FOLLOW_DONE;
	enum follow_result result = follow_ask_codes(
		follow, follow->suspects[0], sizeof(follow->suspects[0]), suspects, &follow->rows);
	if (result != FOLLOW_DONE)
		return result;
	for (unsigned i = 0; i < suspects; i++)
		if (replica_writer_find(follow->writer, follow->suspects[i], &record) ==
				REPLICA_OK &&
			(follow->wrong != NULL || is_old(follow, &record)) &&
			!has(follow->rows, &record))
			count_lost(follow, &record);
	db_rows_free(follow->rows);
	return FOLLOW_DONE;
}

static void tell(const struct follow *follow)
{
	struct log_line line;
	bool good = follow->comparison.lost == 0 && follow->wrong == NULL;
	log_begin(&line, good ? LOG_INFO : LOG_ERROR, "replica_compared");
	log_field_number(&line, "entries", (int64_t)follow->entries);
	log_field_number(&line, "differences", (int64_t)follow->comparison.differences);
	log_field_number(&line, "lost", (int64_t)follow->comparison.lost);
	log_field(&line, "error",
		good ? NULL : "links are missing in the database; see scripts/reconcile");
	log_end(&line);
}

static void finish(struct follow *follow)
{
	struct follow_comparison *comparison = &follow->comparison;
	comparison->running = false;
	replica_writer_prove(follow->writer);
	metrics_set(METRIC_links_lost, 0, 0, (int64_t)comparison->lost);
	follow->note_due = 0;
	tell(follow);
	if (follow->wrong != NULL)
		return;
	follow->catching_up = false;
	follow_start_count(follow);
	metrics_set(METRIC_replica_differences, 0, 0, (int64_t)comparison->differences);
	metrics_set(METRIC_replica_compared, 0, 0, clock_wall_ms() * INT64_C(1000000));
}

static enum follow_result compare_chunk(struct follow *follow, const struct db_rows *rows)
{
	unsigned suspects;
	enum follow_result result =
		follow->wrong == NULL ? put_all_right(follow, rows) : FOLLOW_DONE;
	if (result != FOLLOW_DONE)
		return result;
	struct follow_comparison *comparison = &follow->comparison;
	enum follow_result walked = gather_suspects(follow, rows, &suspects);
	result = walked == FOLLOW_BROKEN ? walked : judge_suspects(follow, suspects);
	if (result != FOLLOW_DONE)
		return result;
	if (follow->wrong == NULL && comparison->lost * 100 > follow->entries * LOST_PER_HUNDRED)
		follow_miss(follow, comparison->missing,
			comparison->lost < REPLICA_KNOWN ? (unsigned)comparison->lost
							 : REPLICA_KNOWN,
			"it lacks more than one of a hundred links");
	else if (walked == FOLLOW_DONE)
		finish(follow);
	return FOLLOW_DONE;
}

enum follow_result follow_compare(struct follow *follow)
{
	char limit[DB_NUMBER], before[CODE_MAX + 1];
	struct db_rows *rows;
	const char *const parameters[] = { follow->comparison.after,
		db_number_text(limit, FOLLOW_CHUNK) };
	(void)text_copy(before, sizeof(before), follow->comparison.after);
	enum follow_result result = follow_ask(follow, STATEMENT_follow_walk, parameters, 2, &rows);
	if (result != FOLLOW_DONE)
		return result;
	result = compare_chunk(follow, rows);
	/* What has turned out wrong is compared from the beginning. */
	if (result != FOLLOW_DONE && result != FOLLOW_WRONG)
		(void)text_copy(follow->comparison.after, sizeof(follow->comparison.after), before);
	db_rows_free(rows);
	return result;
}
