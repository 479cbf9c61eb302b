#include "domain/replica.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/hints.h"
#include "base/log.h"
#include "base/segment.h"
#include "base/text.h"
#include "domain/replica_env.h"
#include "domain/replica_totals.h"
#include "domain/replica_walk.h"

#define FRESH    (5 * CLOCK_S) /* how long ago its writer may have been heard of */
#define PATIENCE CLOCK_S       /* between two looks at what was not there */

enum { TRIES = 4, SETTLE_MS = 100 };

struct replica {
	char directory[CONFIG_TEXT_MAX];
	struct replica_env *env; /* NULL: none is open */
	MDB_txn *txn;            /* reset between lookups; keeps a place among the readers */
	uint64_t named, asked; /* by "current", and when: for as long as the segment says nothing */
	uint64_t failed, tried; /* the generation that could not be opened, and when */
	uint64_t complained;
};

/* What a look into the file came to. */
enum sight { SEEN, NOT_THERE, NO_FILE, UNREADABLE };

struct look {
	struct replica *replica;
	int (*work)(struct look *look);
	const char *code;
	int64_t id; /* of a link, or of an owner */
	struct link *found;
	struct replica_record *record;
	struct replica_total *total;
	int error;
};

struct replica *replica_new(const char *directory)
{
	struct replica *replica = calloc(1, sizeof(*replica));
	if (replica != NULL)
		text_copy(replica->directory, sizeof(replica->directory), directory);
	return replica;
}

static void detach(struct replica *replica)
{
	if (replica->env != NULL && !replica_env_drop(&replica->txn))
		replica_env_lose(&replica->env);
	replica_env_leave(&replica->env, REPLICA_READ);
}

void replica_free(struct replica *replica)
{
	if (replica == NULL)
		return;
	detach(replica);
	free(replica);
}

/* The generation to read, by the segment or else by the directory; 0: there is none. */
static uint64_t wanted_generation(struct replica *replica)
{
	/* Acquired: the file is there before its number. */
	uint64_t wanted =
		atomic_load_explicit(&segment_get()->replica.generation, memory_order_acquire);
	if (wanted != 0)
		return wanted;
	uint64_t now = clock_monotonic();
	if (replica->asked == 0 || now - replica->asked >= PATIENCE) {
		replica->asked = now;
		replica->named = replica_env_current(replica->directory);
	}
	return replica->named;
}

static void complain(struct replica *replica, const char *why)
{
	struct log_line line;
	uint64_t now = clock_monotonic();
	if (replica->complained != 0 && now - replica->complained < PATIENCE)
		return;
	replica->complained = now;
	log_begin(&line, LOG_ERROR, "replica_unreadable");
	log_field(&line, "directory", replica->directory);
	log_field(&line, "error", why);
	log_end(&line);
}

/* Sees to it that the file to read is open. */
static enum sight attach(struct replica *replica)
{
	const char *why;
	uint64_t wanted = wanted_generation(replica);
	if (replica->env != NULL && (wanted == 0 || replica->env->generation == wanted))
		return SEEN;
	if (wanted == 0)
		return NO_FILE;
	uint64_t now = clock_monotonic();
	if (replica->failed == wanted && now - replica->tried < PATIENCE)
		return UNREADABLE;
	detach(replica);
	if (replica_env_open(replica->directory, wanted, REPLICA_READ, 0, &replica->env, &why) ==
		REPLICA_OK) {
		replica->failed = 0;
		return SEEN;
	}
	replica->failed = wanted;
	replica->tried = now;
	/* Not when it was replaced meanwhile. */
	if (wanted_generation(replica) == wanted)
		complain(replica, why);
	return UNREADABLE;
}

static void begin_guarded(void *context)
{
	struct look *look = context;
	look->error = replica_env_begin(look->replica->env, &look->replica->txn);
}

static void look_guarded(void *context)
{
	struct look *look = context;
	look->error = replica_env_begin(look->replica->env, &look->replica->txn);
	if (look->error == 0)
		look->error = look->work(look);
	if (look->replica->txn != NULL)
		mdb_txn_reset(look->replica->txn);
}

static void reset_guarded(void *context)
{
	mdb_txn_reset(context);
}

/* The first transaction of a thread on a file; a fault in it may leave a lock taken. */
static bool enter(struct look *look)
{
	struct replica *replica = look->replica;
	if (replica->txn != NULL)
		return true;
	if (!replica_env_guard(begin_guarded, look)) {
		replica->failed = replica->env->generation;
		replica->tried = clock_monotonic();
		replica_env_lose(&replica->env);
		complain(replica, "it faulted");
		return false;
	}
	if (look->error == 0)
		mdb_txn_reset(replica->txn);
	else
		complain(replica, replica_env_words(look->error));
	return look->error == 0;
}

/* Looks into the file that is to be read. */
static enum sight see(struct look *look)
{
	struct replica *replica = look->replica;
	enum sight sight = attach(replica);
	if (sight != SEEN)
		return sight;
	if (!enter(look))
		return UNREADABLE;
	if (!replica_env_guard(look_guarded, look)) {
		/* The place among the readers can be kept, as a rule. */
		if (replica->txn != NULL && !replica_env_guard(reset_guarded, replica->txn))
			detach(replica);
		complain(replica, "it faulted");
		return UNREADABLE;
	}
	if (look->error == MDB_NOTFOUND)
		return NOT_THERE;
	if (look->error == 0)
		return SEEN;
	complain(replica, replica_env_words(look->error));
	return UNREADABLE;
}

static int find_code(struct look *look)
{
	const struct replica *replica = look->replica;
	MDB_val key = { strlen(look->code), (void *)(uintptr_t)look->code }, value;
	int error = mdb_get(replica->txn, replica->env->links, &key, &value);
	if (error == MDB_NOTFOUND)
		return replica_walk_absence(replica->env, replica->txn, look->code, look->found);
	if (error != 0)
		return error;
	return replica_record_read_link(look->code, value.mv_data, value.mv_size, look->found)
		       ? 0
		       : MDB_CORRUPTED;
}

static int find_id(struct look *look)
{
	const struct replica *replica = look->replica;
	char code[CODE_MAX + 1] = "";
	MDB_val key = { sizeof(look->id), &look->id }, value;
	int error = mdb_get(replica->txn, replica->env->ids, &key, &value);
	if (error != 0)
		return error;
	if (value.mv_size == 0 || value.mv_size > CODE_MAX)
		return MDB_CORRUPTED;
	memcpy(code, value.mv_data, value.mv_size);
	look->code = code;
	error = find_code(look);
	look->code = NULL;
	/* Both are written in one transaction: they cannot differ. */
	if (error == MDB_NOTFOUND || (error == 0 && look->found->id != look->id))
		return MDB_CORRUPTED;
	return error;
}

static int find_next(struct look *look)
{
	return replica_walk_next(look->replica->env, look->replica->txn, look->code, look->record);
}

static int find_total(struct look *look)
{
	return replica_totals_read(look->replica->env, look->replica->txn, look->id, look->total);
}

enum label_state replica_state(void)
{
	const struct replica_status *status = &segment_get()->replica;
	uint32_t state = atomic_load_explicit(&status->state, memory_order_acquire);
	uint64_t seen = atomic_load_explicit(&status->seen, memory_order_relaxed);
	uint64_t now = clock_monotonic();
	if (state >= LABEL_state_COUNT)
		return LABEL_state_ABSENT;
	if (state == LABEL_state_REFUSING || (seen != 0 && now <= seen + FRESH))
		return (enum label_state)state;
	return LABEL_state_ABSENT;
}

static enum link_result judge(enum link_result result, const struct link *found)
{
	return result == LINK_OK ? link_verdict(found, clock_wall_ms()) : result;
}

static enum link_result ask(struct db *db, const struct look *look)
{
	metrics_add(METRIC_replica_lookups, LABEL_lookup_ASKED, 0, 1);
	return judge(look->code != NULL ? link_find(db, look->code, look->found)
					: link_find_id(db, look->id, look->found),
		look->found);
}

/* Its writer puts a damaged record again, or finds what is worse and builds another file. */
static void report(struct replica *replica, const char *code)
{
	if (code == NULL || replica_state() != LABEL_state_FOLLOWING)
		return;
	if (replica->complained != 0 && clock_monotonic() - replica->complained > PATIENCE / 10)
		return;
	hints_add(code);
	bell_ring(BELL_LINKS_WANTED);
}

/*
 * Whether PostgreSQL is to be asked. Not for what a sound file lacks whose writer is merely silent:
 * as a rule because PostgreSQL is, and waiting for it would hold up other redirects.
 */
static bool is_to_be_asked(enum sight sight, enum label_state state)
{
	if (state != LABEL_state_ABSENT)
		return state == LABEL_state_BUILDING;
	return sight != NOT_THERE ||
	       atomic_load(&segment_get()->replica.state) == LABEL_state_ABSENT;
}

/* What it means that the link was not seen. */
static enum link_result explain(
	enum sight sight, enum label_state state, struct db *db, const struct look *look)
{
	if (db != NULL && is_to_be_asked(sight, state))
		return ask(db, look);
	if (sight == UNREADABLE) {
		report(look->replica, look->code);
		metrics_add(METRIC_replica_lookups, LABEL_lookup_DAMAGED, 0, 1);
		return LINK_DOWN;
	}
	if (sight == NOT_THERE && state == LABEL_state_FOLLOWING) {
		metrics_add(METRIC_replica_lookups, LABEL_lookup_NEGATIVE, 0, 1);
		return LINK_UNKNOWN;
	}
	metrics_add(METRIC_replica_lookups, LABEL_lookup_STALE, 0, 1);
	return LINK_DOWN;
}

/* Whether the file that was looked into is still the one to read; the segment must say so. */
static bool is_current(const struct replica *replica)
{
	uint64_t published =
		atomic_load_explicit(&segment_get()->replica.generation, memory_order_acquire);
	return replica->env != NULL && replica->env->generation == published;
}

/*
 * What the replica is doing, as far as a miss goes: while it lacks what somebody was told of, it is
 * as good as being built.
 */
static enum label_state standing(void)
{
	const struct replica_status *status = &segment_get()->replica;
	enum label_state state = replica_state();
	if (state == LABEL_state_FOLLOWING &&
		atomic_load(&status->seen) < atomic_load(&status->unapplied))
		return LABEL_state_BUILDING;
	return state;
}

static enum link_result look_up(struct look *look, struct db *db)
{
	enum sight sight = UNREADABLE;
	enum label_state state = LABEL_state_ABSENT;
	for (int tries = 0; tries < TRIES; tries++) {
		sight = see(look);
		if (sight == SEEN) {
			metrics_add(METRIC_replica_lookups, LABEL_lookup_HIT, 0, 1);
			return judge(LINK_OK, look->found);
		}
		/*
		 * A miss counts only after what was said of this very file before it: so there is a
		 * second one.
		 */
		if (tries > 0 && is_current(look->replica))
			return explain(sight, state, db, look);
		state = standing();
	}
	if (state == LABEL_state_FOLLOWING)
		state = LABEL_state_ABSENT;
	return explain(sight, state, db, look);
}

enum link_result replica_find(
	struct replica *replica, struct db *db, const char *code, struct link *found)
{
	if (*code == '\0' || strlen(code) > CODE_MAX)
		return LINK_UNKNOWN;
	return look_up(
		&(struct look){
			.replica = replica, .work = find_code, .code = code, .found = found },
		db);
}

enum link_result replica_find_id(
	struct replica *replica, struct db *db, int64_t id, struct link *found)
{
	return look_up(
		&(struct look){ .replica = replica, .work = find_id, .id = id, .found = found },
		db);
}

enum link_result replica_next(
	struct replica *replica, const char *after, struct replica_record *record)
{
	struct look look = {
		.replica = replica, .work = find_next, .code = after, .record = record
	};
	switch (see(&look)) {
	case SEEN: return LINK_OK;
	case NOT_THERE: return LINK_UNKNOWN;
	case NO_FILE:
	case UNREADABLE: break;
	}
	return LINK_DOWN;
}

bool replica_total(struct replica *replica, int64_t owner, struct replica_total *total)
{
	struct replica_total read = { 0 };
	struct look look = { .replica = replica, .work = find_total, .id = owner, .total = &read };
	/* What was said of the file before it was looked into, and that it still is the file. */
	if (standing() != LABEL_state_FOLLOWING || see(&look) != SEEN || !is_current(replica))
		return false;
	*total = read;
	return true;
}

void replica_settle(const char *const codes[], unsigned count)
{
	uint64_t number = 0, now = clock_monotonic(), end = now + SETTLE_MS * CLOCK_MS;
	for (unsigned i = 0; i < count; i++)
		number = hints_add(codes[i]);
	bell_ring(BELL_LINKS_WANTED);
	for (; now < end && replica_state() == LABEL_state_FOLLOWING; now = clock_monotonic()) {
		uint32_t rung = bell_count(BELL_LINKS_APPLIED);
		if (hints_heeded(number))
			return;
		bell_wait(BELL_LINKS_APPLIED, rung, (unsigned)((end - now) / CLOCK_MS + 1));
	}
}

bool replica_holds(struct replica *replica, const char *code)
{
	struct link link = { .version = 0 };
	struct look look = { .replica = replica, .work = find_code, .code = code, .found = &link };
	return see(&look) == SEEN;
}

void replica_lags(void)
{
	/* Before the caller answers, so that nobody is told that the link is not there. */
	atomic_store(&segment_get()->replica.unapplied, clock_monotonic());
}

bool replica_wait(struct replica *replica, const struct link *link, unsigned ms)
{
	struct link seen = { .version = 0 };
	struct look look = {
		.replica = replica, .work = find_code, .code = link->code, .found = &seen
	};
	uint64_t now = clock_monotonic(), end = now + ms * CLOCK_MS;
	bool hinted = false;
	do {
		uint32_t rung = bell_count(BELL_LINKS_APPLIED);
		if (see(&look) == SEEN && seen.id == link->id && seen.version >= link->version)
			return true;
		/* Even where nobody follows now: who does later may find it behind the cursors. */
		if (!hinted) {
			hints_add(link->code);
			bell_ring(BELL_LINKS_WANTED);
			hinted = true;
		}
		if (now >= end || replica_state() != LABEL_state_FOLLOWING)
			break;
		bell_wait(BELL_LINKS_APPLIED, rung,
			(unsigned)((end - now + CLOCK_MS - 1) / CLOCK_MS));
		now = clock_monotonic();
	} while (true);
	replica_lags();
	return false;
}
