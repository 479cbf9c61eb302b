#include <string.h>

#include "base/metrics.h"
#include "base/text.h"
#include "domain/follow_private.h"

enum follow_result follow_written(struct follow *follow, enum replica_result result)
{
	if (result == REPLICA_OK)
		return FOLLOW_DONE;
	follow->broken = result;
	return FOLLOW_BROKEN;
}

enum follow_result follow_begin(struct follow *follow)
{
	follow->applied = 0;
	return follow_written(follow, replica_writer_begin(follow->writer));
}

/* What is known of a replica is stored with changes only: else every look would write to the disk. */
static enum replica_result put_meta(struct follow *follow)
{
	const struct follow_cursor *last = &follow->cursors[FOLLOW_CURSORS - 1];
	if (follow->applied == 0)
		return REPLICA_OK;
	follow->meta.cursor_us = last->us;
	if (!text_copy(follow->meta.cursor_code, sizeof(follow->meta.cursor_code), last->code))
		return REPLICA_ERROR;
	return replica_writer_put_meta(follow->writer, &follow->meta);
}

enum follow_result follow_commit(struct follow *follow)
{
	enum replica_result result = put_meta(follow);
	if (result == REPLICA_OK)
		result = replica_writer_commit(follow->writer);
	if (result == REPLICA_OK && follow->applied > 0) {
		follow->entries = replica_writer_count(follow->writer);
		metrics_set(METRIC_replica_entries, 0, 0, (int64_t)follow->entries);
		metrics_add(METRIC_replica_applied, 0, 0, follow->applied);
	}
	return follow_written(follow, result);
}

void follow_abort(struct follow *follow)
{
	follow->applied = 0;
	replica_writer_abort(follow->writer);
}

void follow_keep_meta(struct follow *follow)
{
	enum replica_result result = replica_writer_begin(follow->writer);
	if (result == REPLICA_OK)
		result = replica_writer_put_meta(follow->writer, &follow->meta);
	if (result == REPLICA_OK)
		result = replica_writer_commit(follow->writer);
	if (result != REPLICA_OK)
		replica_writer_abort(follow->writer);
}

void follow_remember(struct follow *follow)
{
	/* Said in the log if it fails; a second later it is tried again. */
	(void)!replica_writer_put_memory(follow->writer, &follow->meta);
}

void follow_know(struct follow *follow, const struct replica_record *record)
{
	struct replica_known *known = follow->meta.known, *place = known;
	for (unsigned i = 0; i < REPLICA_KNOWN; i++) {
		if (known[i].updated_us < place->updated_us)
			place = &known[i];
		if (strcmp(known[i].code, record->link.code) == 0) {
			place = &known[i];
			break;
		}
	}
	if (follow_updated_us(record) >= place->updated_us)
		*place = follow_known(record);
}

static bool is_other(const struct replica_record *one, const struct replica_record *other)
{
	return one->link.id != other->link.id || follow_created_us(one) != follow_created_us(other);
}

/* A code is never given away: who has it now got it from a database that had lost its link. */
static enum follow_result refuse(struct follow *follow, const struct replica_record *lost)
{
	struct replica_known known = follow_known(lost);
	follow_miss(follow, &known, 1, "it has another link in the place of one that it had");
	return FOLLOW_WRONG;
}

enum follow_result follow_apply(struct follow *follow, const struct replica_record *record)
{
	struct replica_record there;
	bool changed;
	enum replica_result result = replica_writer_find(follow->writer, record->link.code, &there);
	if (result == REPLICA_OK && there.link.version >= record->link.version &&
		is_other(&there, record))
		return refuse(follow, &there);
	if (result == REPLICA_OK && there.link.version > record->link.version)
		return FOLLOW_DONE;
	if (result == REPLICA_OK || result == REPLICA_MISSING)
		result = replica_writer_put(follow->writer, record, &changed);
	if (result == REPLICA_OK && changed) {
		follow->applied++;
		follow_know(follow, record);
	}
	return follow_written(follow, result);
}

enum follow_result follow_apply_rows(struct follow *follow, const struct db_rows *rows)
{
	struct replica_record record;
	enum follow_result result = FOLLOW_DONE;
	for (int row = 0; row < db_rows_count(rows) && result == FOLLOW_DONE; row++)
		if (follow_read_row(rows, row, &record))
			result = follow_apply(follow, &record);
	return result;
}
