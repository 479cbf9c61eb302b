#include "domain/replica_writer.h"

#include <dirent.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/replica_lock.h"
#include "domain/replica_private.h"

#define PROOF (60 * CLOCK_S) /* who has it open for so long does not die of it */

enum { IDS_IN_ONE = 50000 /* ids that one transaction writes: some MB of memory */ };

struct replica_writer *replica_writer_new(const char *directory, int64_t max_bytes)
{
	struct replica_writer *writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		return NULL;
	text_copy(writer->directory, sizeof(writer->directory), directory);
	writer->max_bytes = max_bytes;
	writer->lock = -1;
	return writer;
}

static void say(const struct replica_writer *writer, enum log_level level, const char *event,
	const char *why)
{
	struct log_line line;
	log_begin(&line, level, event);
	log_field(&line, "directory", writer->directory);
	log_field(&line, "error", why);
	log_end(&line);
}

/* Closes the file; one that was not published goes. */
static void leave(struct replica_writer *writer)
{
	char path[REPLICA_PATH_MAX], lock[REPLICA_PATH_MAX + 8];
	if (!replica_env_drop(&writer->txn))
		replica_env_lose(&writer->env);
	if (writer->env != NULL && writer->building) {
		replica_env_path(path, writer->directory, writer->env->generation);
		snprintf(lock, sizeof(lock), "%s-lock", path);
		unlink(path);
		unlink(lock);
	}
	replica_env_leave(&writer->env, REPLICA_WRITE);
	replica_ids_clear(&writer->ids);
	replica_count_end(writer, false);
	replica_count_stop(writer);
	writer->building = false;
	*writer->last_code = '\0';
}

void replica_writer_free(struct replica_writer *writer)
{
	if (writer == NULL)
		return;
	if (!writer->distrusted)
		replica_lock_count(writer->lock, 0);
	leave(writer);
	replica_lock_release(&writer->lock);
	free(writer);
}

static enum replica_result find_damaged(struct replica_writer *writer, const char *why)
{
	say(writer, LOG_ERROR, "replica_damaged", why);
	/* Before it is left, which may be what kills us. */
	if (!writer->building) {
		writer->distrusted = true;
		replica_lock_count(writer->lock, REPLICA_TRIES);
	}
	writer->damaged = true;
	leave(writer);
	return REPLICA_DAMAGED;
}

enum replica_result replica_step_conclude(struct replica_writer *writer, int error)
{
	enum replica_result result = replica_env_result(error);
	if (result == REPLICA_DAMAGED)
		return find_damaged(writer, replica_env_words(error));
	if (result == REPLICA_FULL || result == REPLICA_ERROR)
		say(writer, LOG_ERROR, "replica_not_written", replica_env_words(error));
	return result;
}

static void take_step(void *context)
{
	struct replica_step *step = context;
	step->error = step->work(step);
}

enum replica_result replica_step_run(struct replica_step step)
{
	struct replica_writer *writer = step.writer;
	if (writer->env == NULL)
		return writer->damaged ? REPLICA_DAMAGED : REPLICA_MISSING;
	step.txn = writer->txn;
	if (!replica_env_guard(take_step, &step)) {
		if (writer->txn == NULL)
			replica_env_lose(&writer->env); /* it may have happened under the lock */
		return find_damaged(writer, "it faulted");
	}
	return step.why != NULL ? find_damaged(writer, step.why)
				: replica_step_conclude(writer, step.error);
}

static void begin_to_read(void *context)
{
	struct replica_step *step = context;
	step->error = replica_env_begin(step->writer->env, &step->txn);
}

enum replica_result replica_step_read(struct replica_step *step)
{
	struct replica_writer *writer = step->writer;
	if (writer->env == NULL)
		return writer->damaged ? REPLICA_DAMAGED : REPLICA_MISSING;
	step->txn = writer->txn;
	bool sound = writer->txn != NULL || replica_env_guard(begin_to_read, step);
	if (sound && step->error == 0)
		sound = replica_env_guard(take_step, step);
	if (step->txn != writer->txn)
		sound = replica_env_drop(&step->txn) && sound;
	return sound ? replica_step_conclude(writer, step->error)
		     : find_damaged(writer, "it faulted");
}

/* Removes all files of the replica but these two; what was left by writers that died, too. */
static void sweep(const struct replica_writer *writer, uint64_t kept, uint64_t kept_too)
{
	char path[REPLICA_PATH_MAX + sizeof(((struct dirent *)NULL)->d_name)];
	DIR *folder = opendir(writer->directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		uint64_t generation = replica_env_generation(entry->d_name);
		if (generation == 0 || generation == kept || generation == kept_too)
			continue;
		snprintf(path, sizeof(path), "%s/%s", writer->directory, entry->d_name);
		unlink(path);
	}
	if (folder != NULL)
		closedir(folder);
}

static void announce(uint64_t generation)
{
	/* Released: who sees the number finds the file. */
	atomic_store_explicit(&segment_get()->replica.generation, generation, memory_order_release);
}

static enum replica_result take_lock(struct replica_writer *writer)
{
	if (replica_lock_take(&writer->lock, writer->directory))
		return REPLICA_OK;
	if (errno == EWOULDBLOCK)
		return REPLICA_BUSY;
	say(writer, LOG_ERROR, "replica_not_locked", strerrordesc_np(errno));
	return REPLICA_ERROR;
}

/* A file that killed too many is not opened; so this is counted before it is, once a process. */
static bool may_try(struct replica_writer *writer)
{
	unsigned tries = replica_lock_tries(writer->lock);
	if (writer->distrusted || (!writer->counted && tries >= REPLICA_TRIES))
		return false;
	if (!writer->counted)
		replica_lock_count(writer->lock, tries + 1);
	writer->counted = true;
	return true;
}

void replica_writer_prove(struct replica_writer *writer)
{
	if (writer->proven || writer->distrusted || writer->env == NULL || writer->building)
		return;
	replica_lock_count(writer->lock, 0);
	writer->proven = true;
}

enum replica_result replica_writer_open(struct replica_writer *writer)
{
	const char *why;
	leave(writer);
	writer->damaged = false;
	enum replica_result result = take_lock(writer);
	if (result != REPLICA_OK)
		return result;
	uint64_t current = replica_env_current(writer->directory);
	if (current == 0)
		return REPLICA_MISSING;
	if (!may_try(writer))
		return find_damaged(writer, "its last writers found it so, or died early");
	result = replica_env_open(
		writer->directory, current, REPLICA_WRITE, writer->max_bytes, &writer->env, &why);
	if (result == REPLICA_DAMAGED)
		return find_damaged(writer, why);
	if (result == REPLICA_OK) {
		writer->opened = clock_monotonic();
		announce(current);
	} else if (result != REPLICA_MISSING) {
		say(writer, LOG_ERROR, "replica_not_opened", why);
	}
	return result;
}

enum replica_result replica_writer_build(struct replica_writer *writer)
{
	const char *why;
	uint64_t generation;
	leave(writer);
	enum replica_result result = take_lock(writer);
	if (result != REPLICA_OK)
		return result;
	do
		random_bytes(&generation, sizeof(generation));
	while (generation == 0);
	sweep(writer, replica_env_current(writer->directory), 0);
	result = replica_env_open(writer->directory, generation, REPLICA_CREATE, writer->max_bytes,
		&writer->env, &why);
	writer->damaged = false;
	if (result == REPLICA_OK) {
		writer->building = true;
		return REPLICA_OK;
	}
	say(writer, LOG_ERROR, "replica_not_built", why);
	return result == REPLICA_FULL ? REPLICA_FULL : REPLICA_ERROR;
}

static int begin(struct replica_step *step)
{
	struct replica_writer *writer = step->writer;
	step->why = replica_env_fault(writer->env);
	if (step->why != NULL)
		return 0;
	return mdb_txn_begin(writer->env->lmdb, NULL, 0, &writer->txn);
}

enum replica_result replica_writer_begin(struct replica_writer *writer)
{
	replica_writer_abort(writer);
	writer->ids_before = writer->ids.count;
	return replica_step_run((struct replica_step){ .writer = writer, .work = begin });
}

static int commit(struct replica_step *step)
{
	if (step->txn == NULL)
		return EINVAL;
	int error = replica_count_write(step);
	if (error == 0)
		error = mdb_txn_commit(step->txn);
	else
		mdb_txn_abort(step->txn);
	/* Whatever came of it, the transaction is over; not so after a fault. */
	step->writer->txn = NULL;
	replica_count_end(step->writer, error == 0);
	return error;
}

/* Writes a part of the sorted ids, up to the end or IDS_IN_ONE of them. */
static int put_ids(struct replica_step *step)
{
	struct replica_ids *ids = &step->writer->ids;
	size_t end = step->count + IDS_IN_ONE < ids->count ? step->count + IDS_IN_ONE : ids->count;
	MDB_cursor *cursor;
	int error = replica_env_cursor(step->txn, step->writer->env->ids, &cursor);
	if (error != 0)
		return error;
	for (size_t i = step->count; i < end && error == 0; i++) {
		char *code = ids->codes + ids->entries[i].at;
		MDB_val key = { sizeof(ids->entries[i].id), &ids->entries[i].id };
		MDB_val value = { strlen(code), code };
		error = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
		/* Not behind all others: an earlier part had greater ones, or it is there twice. */
		if (error == MDB_KEYEXIST)
			error = mdb_cursor_put(cursor, &key, &value, 0);
	}
	replica_env_cursor_close();
	return error;
}

/* Writes the ids collected so far into the index. */
static enum replica_result flush_ids(struct replica_writer *writer)
{
	enum replica_result result = REPLICA_OK;
	replica_ids_sort(&writer->ids);
	for (size_t at = 0; at < writer->ids.count && result == REPLICA_OK; at += IDS_IN_ONE) {
		result = replica_step_run((struct replica_step){ .writer = writer, .work = begin });
		if (result == REPLICA_OK)
			result = replica_step_run((struct replica_step){
				.writer = writer, .work = put_ids, .count = at });
		if (result == REPLICA_OK)
			result = replica_step_run(
				(struct replica_step){ .writer = writer, .work = commit });
	}
	replica_writer_abort(writer);
	replica_ids_clear(&writer->ids);
	return result;
}

enum replica_result replica_writer_commit(struct replica_writer *writer)
{
	enum replica_result result =
		replica_step_run((struct replica_step){ .writer = writer, .work = commit });
	if (result == REPLICA_OK && writer->ids.count >= REPLICA_IDS_MANY)
		result = flush_ids(writer);
	return result;
}

void replica_writer_abort(struct replica_writer *writer)
{
	if (writer->txn == NULL)
		return;
	replica_ids_cut(&writer->ids, writer->ids_before);
	replica_count_end(writer, false);
	if (!replica_env_drop(&writer->txn))
		replica_env_lose(&writer->env);
}

static int sync_file(struct replica_step *step)
{
	MDB_env *lmdb = step->writer->env->lmdb;
	int error = mdb_env_sync(lmdb, 1);
	return error != 0 ? error : mdb_env_set_flags(lmdb, MDB_NOSYNC, 0);
}

enum replica_result replica_writer_publish(struct replica_writer *writer)
{
	if (writer->env != NULL && !writer->building)
		return replica_step_conclude(writer, EINVAL);
	replica_writer_abort(writer);
	enum replica_result result = flush_ids(writer);
	for (bool more = true; result == REPLICA_OK && more;)
		result = replica_writer_recount(writer, &more);
	if (result == REPLICA_OK)
		result = replica_step_run(
			(struct replica_step){ .writer = writer, .work = sync_file });
	if (result != REPLICA_OK)
		return result;
	uint64_t generation = writer->env->generation;
	if (!replica_env_set_current(writer->directory, generation))
		return replica_step_conclude(writer, errno);
	writer->building = writer->distrusted = false;
	writer->opened = clock_monotonic();
	replica_lock_count(writer->lock, 0);
	announce(generation);
	sweep(writer, generation, 0);
	return REPLICA_OK;
}

static int check(struct replica_step *step)
{
	const struct replica_writer *writer = step->writer;
	int dead;
	step->why = replica_env_fault(writer->env);
	if (step->why == NULL && !writer->building &&
		replica_env_current(writer->directory) != writer->env->generation)
		step->why = "another file is current";
	return step->why == NULL ? mdb_reader_check(writer->env->lmdb, &dead) : 0;
}

enum replica_result replica_writer_check(struct replica_writer *writer)
{
	enum replica_result result =
		replica_step_run((struct replica_step){ .writer = writer, .work = check });
	if (result == REPLICA_OK && clock_monotonic() - writer->opened >= PROOF)
		replica_writer_prove(writer);
	return result;
}

uint64_t replica_writer_generation(const struct replica_writer *writer)
{
	return writer->env == NULL ? 0 : writer->env->generation;
}
