/* What the writer does with the links and all that is known of them. */
#include <errno.h>
#include <lmdb.h>
#include <string.h>

#include "base/text.h"
#include "domain/replica_private.h"
#include "domain/replica_walk.h"

/* While building: the id is left for later. */
static int put_new(struct replica_step *step, MDB_val *key, MDB_val *value)
{
	struct replica_writer *writer = step->writer;
	const struct link *link = &step->record->link;
	bool behind = strcmp(link->code, writer->last_code) > 0;
	int error = mdb_put(step->txn, writer->env->links, key, value, behind ? MDB_APPEND : 0);
	/* Behind the last one that was put, but that was taken back. */
	if (error == MDB_KEYEXIST)
		error = mdb_put(step->txn, writer->env->links, key, value, 0);
	if (error == 0 && behind)
		text_copy(writer->last_code, sizeof(writer->last_code), link->code);
	if (error == 0 && !replica_ids_add(&writer->ids, link->id, link->code))
		error = ENOMEM;
	return error;
}

/* Makes the index say that this id has this code. */
static int put_id(struct replica_step *step, int64_t id, const char *code)
{
	const unsigned ids = step->writer->env->ids;
	MDB_val key = { sizeof(id), &id }, value,
		wanted = { strlen(code), (void *)(uintptr_t)code };
	int error = mdb_get(step->txn, ids, &key, &value);
	if (error == 0 && value.mv_size == wanted.mv_size &&
		memcmp(value.mv_data, code, value.mv_size) == 0)
		return 0;
	if (error != 0 && error != MDB_NOTFOUND)
		return error;
	step->writer->changes.any = true;
	return mdb_put(step->txn, ids, &key, &wanted, 0);
}

/* A code that has another id now: its old one must not lead here. */
static int drop_old_id(struct replica_step *step, struct link *old)
{
	MDB_val key = { sizeof(old->id), &old->id };
	if (old->id == step->record->link.id)
		return 0;
	int error = mdb_del(step->txn, step->writer->env->ids, &key, NULL);
	return error == MDB_NOTFOUND ? 0 : error;
}

/* In the place of these bytes. */
static int replace(struct replica_step *step, const MDB_val *old)
{
	struct link before;
	const struct link *now = &step->record->link;
	if (!replica_record_read_link(now->code, old->mv_data, old->mv_size, &before)) {
		step->writer->changes.unclear = true;
		return 0;
	}
	if (!replica_count_change(step->writer, &before, now))
		return ENOMEM;
	return drop_old_id(step, &before);
}

static int put_changed(struct replica_step *step, MDB_val *key, MDB_val *value)
{
	struct replica_writer *writer = step->writer;
	const struct link *link = &step->record->link;
	MDB_val old;
	int error = mdb_get(step->txn, writer->env->links, key, &old);
	if (error == 0) {
		*step->changed = old.mv_size != value->mv_size ||
				 memcmp(old.mv_data, value->mv_data, old.mv_size) != 0;
		if (*step->changed)
			error = replace(step, &old);
	} else if (error == MDB_NOTFOUND) {
		error = replica_count_change(writer, NULL, link) ? 0 : ENOMEM;
	}
	writer->changes.any = writer->changes.any || *step->changed;
	if (error == 0 && *step->changed)
		error = mdb_put(step->txn, writer->env->links, key, value, 0);
	return error != 0 ? error : put_id(step, link->id, link->code);
}

static int put(struct replica_step *step)
{
	unsigned char bytes[REPLICA_RECORD_MAX];
	const struct link *link = &step->record->link;
	if (step->txn == NULL || *link->code == '\0')
		return EINVAL;
	MDB_val key = { strlen(link->code), (void *)(uintptr_t)link->code };
	MDB_val value = { replica_record_write(step->record, bytes), bytes };
	return step->writer->building ? put_new(step, &key, &value)
				      : put_changed(step, &key, &value);
}

enum replica_result replica_writer_put(
	struct replica_writer *writer, const struct replica_record *record, bool *changed)
{
	bool any = true;
	enum replica_result result = replica_step_run((struct replica_step){
		.writer = writer, .work = put, .record = record, .changed = &any });
	if (changed != NULL)
		*changed = any;
	return result;
}

static MDB_val meta_key(void)
{
	static char name[] = "meta";
	return (MDB_val){ sizeof(name) - 1, name };
}

static int get_meta(struct replica_step *step)
{
	MDB_val key = meta_key(), value;
	int error = mdb_get(step->txn, step->writer->env->meta, &key, &value);
	if (error != 0)
		return error;
	return replica_meta_unpack(value.mv_data, value.mv_size, step->meta) ? 0 : MDB_CORRUPTED;
}

enum replica_result replica_writer_get_meta(
	struct replica_writer *writer, struct replica_meta *meta)
{
	return replica_step_read(
		&(struct replica_step){ .writer = writer, .work = get_meta, .meta = meta });
}

static int put_meta(struct replica_step *step)
{
	struct replica_kept kept;
	if (step->txn == NULL)
		return EINVAL;
	step->writer->changes.any = true;
	replica_meta_pack(step->meta, &kept);
	MDB_val key = meta_key(), value = { sizeof(kept), &kept };
	return mdb_put(step->txn, step->writer->env->meta, &key, &value, 0);
}

enum replica_result replica_writer_put_meta(
	struct replica_writer *writer, const struct replica_meta *meta)
{
	struct replica_meta copy = *meta;
	return replica_step_run(
		(struct replica_step){ .writer = writer, .work = put_meta, .meta = &copy });
}

static int find(struct replica_step *step)
{
	MDB_val key = { strlen(step->code), (void *)(uintptr_t)step->code }, value;
	int error = mdb_get(step->txn, step->writer->env->links, &key, &value);
	if (error != 0)
		return error;
	return replica_record_read(step->code, value.mv_data, value.mv_size, step->found)
		       ? 0
		       : MDB_CORRUPTED;
}

enum replica_result replica_writer_find(
	struct replica_writer *writer, const char *code, struct replica_record *record)
{
	if (*code == '\0' || strlen(code) > CODE_MAX)
		return REPLICA_MISSING;
	return replica_step_read(&(struct replica_step){
		.writer = writer, .work = find, .code = code, .found = record });
}

static int next(struct replica_step *step)
{
	return replica_walk_next(step->writer->env, step->txn, step->code, step->found);
}

enum replica_result replica_writer_next(
	struct replica_writer *writer, const char *after, struct replica_record *record)
{
	return replica_step_read(&(struct replica_step){
		.writer = writer, .work = next, .code = after, .found = record });
}

static int count(struct replica_step *step)
{
	MDB_stat stat;
	int error = mdb_stat(step->txn, step->writer->env->links, &stat);
	step->count = error == 0 ? stat.ms_entries : 0;
	return error;
}

uint64_t replica_writer_count(struct replica_writer *writer)
{
	struct replica_step step = { .writer = writer, .work = count };
	return replica_step_read(&step) == REPLICA_OK ? step.count : 0;
}
