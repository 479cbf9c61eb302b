#include <string.h>

#include "base/bell.h"
#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

/* How old what a cursor reads must be, in microseconds: the first reads all, the others what became
 * visible late. */
static const int64_t lags[FOLLOW_CURSORS] = { 0, 250000, 2000000, FOLLOW_LATEST_S * 1000000 };

enum { NOTIFY_MS = 100 };

void follow_start_cursors(struct follow *follow, int64_t us, const char *code)
{
	for (unsigned i = 0; i < FOLLOW_CURSORS; i++) {
		follow->cursors[i].us = us;
		(void)text_copy(follow->cursors[i].code, sizeof(follow->cursors[i].code), code);
	}
	follow->front_due = 0;
}

/* The time of the database may be set back: what follows then is no later than what was read. */
static void heed_clock(struct follow *follow)
{
	const int64_t latest = (FOLLOW_LATEST_S + 1) * INT64_C(1000000);
	if (follow->now_us < follow->cursors[0].us)
		follow_start_cursors(follow, follow->now_us - latest, "");
}

static enum follow_result read_changes(struct follow *follow, const struct follow_cursor *cursor,
	int64_t until, struct db_rows **rows)
{
	char since[DB_NUMBER], end[DB_NUMBER], limit[DB_NUMBER];
	const char *const parameters[] = { db_number_text(since, cursor->us), cursor->code,
		db_number_text(end, until), db_number_text(limit, FOLLOW_FRONT_CHUNK) };
	return follow_ask(follow, STATEMENT_follow_changes, parameters, 4, rows);
}

/* A cursor goes to the last row that there was, no further: what comes late behind it is found. */
static void move(struct follow_cursor *cursor, const struct db_rows *rows)
{
	int last = db_rows_count(rows) - 1;
	if (last < 0)
		return;
	cursor->us = db_number(rows, last, 2);
	(void)text_copy(cursor->code, sizeof(cursor->code), db_text(rows, last, 0));
}

static enum follow_result apply_codes(
	struct follow *follow, char (*codes)[HINT_MAX + 1], unsigned count)
{
	struct db_rows *rows = NULL;
	if (count == 0)
		return FOLLOW_DONE;
	enum follow_result result =
		follow_ask_codes(follow, codes[0], sizeof(codes[0]), count, &rows);
	if (result == FOLLOW_DONE)
		result = follow_apply_rows(follow, rows);
	db_rows_free(rows);
	return result;
}

/* Most of what a cursor comes by was hinted at, or read by the one before it. */
static bool is_there(struct follow *follow, const struct db_rows *rows, int row)
{
	struct replica_record there;
	return replica_writer_find(follow->writer, db_text(rows, row, 0), &there) == REPLICA_OK &&
	       there.link.version == db_number(rows, row, 1) &&
	       follow_updated_us(&there) == db_number(rows, row, 2);
}

static enum follow_result apply_changes(struct follow *follow, const struct db_rows *rows)
{
	unsigned count = 0;
	enum follow_result result = FOLLOW_DONE;
	for (int row = 0; row < db_rows_count(rows) && result == FOLLOW_DONE; row++) {
		if (is_there(follow, rows, row))
			continue;
		(void)text_copy(follow->changed[count], sizeof(follow->changed[count]),
			db_text(rows, row, 0));
		if (++count == HINT_CELLS) {
			result = apply_codes(follow, follow->changed, count);
			count = 0;
		}
	}
	return result == FOLLOW_DONE ? apply_codes(follow, follow->changed, count) : result;
}

static enum follow_result advance(struct follow *follow, unsigned number)
{
	struct follow_cursor *cursor = &follow->cursors[number];
	struct db_rows *rows = NULL;
	enum follow_result result =
		read_changes(follow, cursor, follow->now_us - lags[number], &rows);
	if (result == FOLLOW_DONE)
		result = apply_changes(follow, rows);
	if (result == FOLLOW_DONE) {
		move(cursor, rows);
		if (db_rows_count(rows) == FOLLOW_FRONT_CHUNK)
			result = FOLLOW_MORE;
	}
	db_rows_free(rows);
	return result;
}

/* MORE: a chunk was full. *complete: the front has seen all that there was at the look. */
static enum follow_result read_cursors(struct follow *follow, bool *complete)
{
	enum follow_result all = FOLLOW_DONE;
	heed_clock(follow);
	for (unsigned i = 0; i < FOLLOW_CURSORS; i++) {
		enum follow_result result = advance(follow, i);
		if (result != FOLLOW_DONE && result != FOLLOW_MORE)
			return result;
		if (i == 0)
			*complete = result == FOLLOW_DONE;
		if (result == FOLLOW_MORE)
			all = FOLLOW_MORE;
	}
	return all;
}

/*
 * A lost hint may have meant a link that was committed behind the cursors, just before its creator
 * was answered: read the last two seconds again.
 */
static void take_hints(struct follow *follow)
{
	bool lost = false;
	follow->hinted +=
		hints_take(follow->hints + follow->hinted, HINT_CELLS - follow->hinted, &lost);
	if (!lost)
		return;
	follow->hints_lost = true;
	follow->cursors[0] = follow->cursors[1] = follow->cursors[2];
	follow->front_due = 0;
}

/*
 * Others learn of it by half a second, anyway: what goes wrong here is nobody's concern, and ten
 * times a second is enough.
 */
static void notify(struct follow *follow, uint64_t now)
{
	char node[DB_NUMBER];
	const char *parameter = db_number_text(node, follow->node);
	struct db_rows *rows = NULL;
	if (now < follow->notify_due)
		return;
	follow->to_notify = false;
	follow->notify_due = now + NOTIFY_MS * CLOCK_MS;
	(void)!follow_ask(follow, STATEMENT_follow_notify, &parameter, 1, &rows);
	db_rows_free(rows);
}

/* In one transaction: what was hinted at, and if it is due what changed since the last time. */
static enum follow_result apply_all(
	struct follow *follow, bool front, unsigned *hinted, bool *complete)
{
	enum follow_result result = follow_begin(follow);
	enum follow_result cursors = FOLLOW_DONE;
	if (result == FOLLOW_DONE)
		result = apply_codes(follow, follow->hints, follow->hinted);
	*hinted = follow->applied;
	if (result == FOLLOW_DONE && front)
		result = cursors = read_cursors(follow, complete);
	if (result != FOLLOW_DONE && result != FOLLOW_MORE) {
		follow_abort(follow);
		return result;
	}
	result = follow_commit(follow);
	return result == FOLLOW_DONE ? cursors : result;
}

/* What failed is done again: the cursors go back, and the hints stay. */
static enum follow_result work(struct follow *follow, bool front, uint64_t since)
{
	struct follow_cursor before[FOLLOW_CURSORS];
	unsigned hinted = 0;
	bool complete = false, all_hints = follow->hinted < HINT_CELLS;
	memcpy(before, follow->cursors, sizeof(before));
	enum follow_result result = front ? follow_look(follow) : FOLLOW_DONE;
	if (result == FOLLOW_DONE)
		result = apply_all(follow, front, &hinted, &complete);
	if (result != FOLLOW_DONE && result != FOLLOW_MORE) {
		memcpy(follow->cursors, before, sizeof(before));
		follow->front_due = 0;
		return result;
	}
	bool heard = follow->hinted > 0;
	follow->hinted = 0;
	if (complete && all_hints) {
		follow->behind = false;
		follow->hints_lost = false;
		follow_saw(follow, since);
	}
	if (!follow->hints_lost)
		hints_heed();
	if (heard || follow->applied > 0)
		bell_ring(BELL_LINKS_APPLIED);
	follow->to_notify |= hinted > 0;
	if (follow->to_notify)
		notify(follow, since);
	if (front)
		follow->front_due =
			result == FOLLOW_MORE ? 0 : follow->looked + FOLLOW_EVERY_MS * CLOCK_MS;
	return all_hints ? result : FOLLOW_MORE;
}

/* Until somebody hints or the front is due; not while a comparison goes on. */
static void wait(const struct follow *follow, uint32_t rung)
{
	uint64_t now = clock_monotonic();
	if (now < follow->front_due && !follow->comparison.running)
		bell_wait(BELL_LINKS_WANTED, rung,
			(unsigned)((follow->front_due - now) / CLOCK_MS) + 1);
}

enum follow_result follow_changes(struct follow *follow)
{
	/* Read before the hints are taken, so that one that comes in between is not slept through. */
	uint32_t rung = bell_count(BELL_LINKS_WANTED);
	/* Likewise: what was hinted at and changed before is what has been seen afterwards. */
	uint64_t since = clock_monotonic();
	take_hints(follow);
	bool front = atomic_exchange(&follow->woken, false) || since >= follow->front_due;
	enum follow_result result = FOLLOW_DONE;
	if (front || follow->hinted > 0)
		result = work(follow, front, since);
	if (result == FOLLOW_DONE)
		wait(follow, rung);
	return result;
}
