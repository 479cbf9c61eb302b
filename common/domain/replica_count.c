/*
 * What the writer does with the totals: each transaction's own changes, and a new count of all where
 * there are none, or where they are to be proved.
 */
#include <errno.h>
#include <lmdb.h>
#include <string.h>

#include "domain/replica_private.h"
#include "domain/replica_totals.h"
#include "domain/replica_walk.h"

enum {
	PIECE = 5000,         /* records of one call: some milliseconds */
	OWNERS_IN_ONE = 50000 /* that one transaction writes: some MB of memory */
};

static bool change(struct replica_writer *writer, const struct link *link, int64_t n)
{
	struct replica_changes *changes = &writer->changes;
	const struct replica_counting *counting = &writer->counting;
	if (!replica_tally_add(&changes->all, link->owner, link->state, n))
		return false;
	/* What lies ahead of the count it will find as it is then. */
	return !counting->running || strcmp(link->code, counting->walked) > 0 ||
	       replica_tally_add(&changes->walked, link->owner, link->state, n);
}

bool replica_count_change(
	struct replica_writer *writer, const struct link *before, const struct link *now)
{
	if (before != NULL && before->owner == now->owner && before->state == now->state)
		return true;
	return (before == NULL || change(writer, before, -1)) && change(writer, now, 1);
}

int replica_count_write(struct replica_step *step)
{
	const struct replica_changes *changes = &step->writer->changes;
	if (!changes->any || changes->unclear)
		return 0;
	return replica_totals_change(step->writer->env, step->txn, &changes->all);
}

void replica_count_end(struct replica_writer *writer, bool committed)
{
	struct replica_changes *changes = &writer->changes;
	struct replica_counting *counting = &writer->counting;
	if (committed && counting->running &&
		(changes->unclear || !replica_tally_join(&counting->found, &changes->walked)))
		replica_count_stop(writer);
	replica_tally_clear(&changes->all);
	replica_tally_clear(&changes->walked);
	changes->any = changes->unclear = false;
}

void replica_count_stop(struct replica_writer *writer)
{
	replica_tally_clear(&writer->counting.found);
	writer->counting = (struct replica_counting){ 0 };
}

static int read_total(struct replica_step *step)
{
	return replica_totals_read(step->writer->env, step->txn, (int64_t)step->count, step->total);
}

enum replica_result replica_writer_total(
	struct replica_writer *writer, int64_t owner, struct replica_total *total)
{
	return replica_step_read(&(struct replica_step){
		.writer = writer, .work = read_total, .count = (uint64_t)owner, .total = total });
}

static int count_piece(struct replica_step *step)
{
	struct replica_counting *counting = &step->writer->counting;
	int error = replica_walk_count(
		step->writer->env, step->txn, counting->walked, PIECE, &counting->found);
	*step->changed = error != MDB_NOTFOUND;
	return error == MDB_NOTFOUND ? 0 : error;
}

/*
 * Some of the sorted owners, from step->count on; with the last of them the end of the count, unless
 * *step->changed says that more records follow.
 */
static int put_owners(struct replica_step *step)
{
	struct replica_counting *counting = &step->writer->counting;
	const struct replica_tally *found = &counting->found;
	struct replica_env *env = step->writer->env;
	size_t from = step->count, to = from + OWNERS_IN_ONE;
	if (to > found->count)
		to = found->count;
	if (counting->number == 0)
		counting->number = mdb_txn_id(step->txn);
	int error = replica_totals_put(env, step->txn, counting->number, found, from, to);
	if (error == 0 && to == found->count && !*step->changed)
		error = replica_totals_finish(env, step->txn, counting->number, &found->all);
	return error;
}

/* Into the file what was found so far; more: and the count goes on. */
static enum replica_result write_owners(struct replica_writer *writer, bool more)
{
	struct replica_tally *found = &writer->counting.found;
	enum replica_result result;
	size_t at = 0;
	replica_tally_sort(found);
	do {
		result = replica_writer_begin(writer);
		if (result == REPLICA_OK)
			result = replica_step_run((struct replica_step){ .writer = writer,
				.work = put_owners,
				.count = at,
				.changed = &more });
		if (result == REPLICA_OK)
			result = replica_writer_commit(writer);
		at += OWNERS_IN_ONE;
	} while (result == REPLICA_OK && at < found->count);
	replica_writer_abort(writer);
	const struct replica_total all = found->all;
	replica_tally_clear(found);
	found->all = all;
	return result;
}

enum replica_result replica_writer_recount(struct replica_writer *writer, bool *more)
{
	bool further = false;
	*more = false;
	if (writer->txn != NULL)
		return replica_step_conclude(writer, EINVAL);
	writer->counting.running = writer->env != NULL;
	enum replica_result result = replica_step_read(&(struct replica_step){
		.writer = writer, .work = count_piece, .changed = &further });
	if (result == REPLICA_OK &&
		(!further || writer->counting.found.count >= REPLICA_TALLY_MANY))
		result = write_owners(writer, further);
	if (result != REPLICA_OK || !further)
		replica_count_stop(writer);
	*more = result == REPLICA_OK && further;
	return result;
}
