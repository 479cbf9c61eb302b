/*
 * What the files of follow share. Nobody else includes this but its tests.
 */
#ifndef DOMAIN_FOLLOW_PRIVATE_H
#define DOMAIN_FOLLOW_PRIVATE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/hints.h"
#include "domain/follow.h"
#include "domain/replica_writer.h"

enum {
	FOLLOW_CHUNK = 5000,       /* rows of a walk through all links */
	FOLLOW_FRONT_CHUNK = 1000, /* of changes: hints wait for these */
	FOLLOW_STATEMENT_MS = 2000,
	FOLLOW_COMPARE_S = 3600, /* from one comparison to the next */
	FOLLOW_LOOK_AGAIN_S = 3, /* while the database is wrong */
	FOLLOW_SUSPECTS = HINT_CELLS,
	FOLLOW_CURSORS = 4
};

enum follow_result {
	FOLLOW_DONE,
	FOLLOW_MORE, /* done, and there is more of it */
	FOLLOW_AWAY, /* PostgreSQL does not answer, or it is another session than that looked at */
	FOLLOW_BROKEN, /* the replica; see follow->broken */
	FOLLOW_WRONG   /* the database must not be copied */
};

enum follow_phase { FOLLOW_CLOSED, FOLLOW_BUILDING, FOLLOW_FOLLOWING };

/* Everything up to here was read: updated_at in microseconds since 1970, and code. */
struct follow_cursor {
	int64_t us;
	char code[CODE_MAX + 1];
};

struct follow_comparison {
	bool running;
	uint64_t due; /* clock_monotonic() */
	char after[CODE_MAX + 1];
	uint64_t differences, lost;
	struct replica_known missing[REPLICA_KNOWN]; /* some of the lost */
};

struct follow {
	struct replica_writer *writer;
	char directory[PATH_MAX];
	int64_t node;
	_Atomic bool woken;

	struct db *db; /* these three for one turn */
	struct worker_slot *slot;
	unsigned thread;

	enum follow_phase phase;
	enum replica_result broken; /* what the writer said last, when it was not OK */
	struct replica_meta meta; /* what is known about the replica, also while another is built */
	struct follow_cursor cursors[FOLLOW_CURSORS]; /* the front first */
	uint64_t front_due;
	uint64_t entries;
	unsigned applied; /* records changed in this transaction */

	int session;        /* whose database was looked at; 0: look before anything is applied */
	char database[128]; /* its identity */
	int64_t now_us;     /* its time at the last look, and */
	uint64_t looked;    /* clock_monotonic() before that */
	const char *wrong;  /* why it must not be copied, or NULL */
	bool catching_up;   /* it was wrong: absent here is not yet absent there */
	bool behind;        /* nor is it after a build, until all changes since were read */
	uint64_t look_due, complain_due, second_due, note_due;
	enum label_state noted;

	char walked[CODE_MAX + 1]; /* how far a build has come */
	unsigned build_pause_s;    /* after one that failed, and */
	uint64_t build_due;        /* until when it lasts */
	struct follow_comparison comparison;
	bool counting;        /* the links anew, by owner and state */
	uint64_t count_due;   /* not before that, after one that failed */
	struct db_rows *rows; /* of follow_ask() */
	char hints[HINT_CELLS][HINT_MAX + 1];
	unsigned hinted;                        /* of them, not yet applied */
	char changed[HINT_CELLS][HINT_MAX + 1]; /* of those that a cursor came by */
	bool to_notify;                         /* other nodes, of what was hinted at */
	uint64_t notify_due;
	bool hints_lost; /* others were, and what they may have meant is not yet read again */
	char suspects[FOLLOW_SUSPECTS][CODE_MAX + 1];
};

/* ---- follow_ask.c: statements and rows. */

/* Asks within the session that was looked at; *rows is the caller's, NULL when there are none. */
__attribute__((warn_unused_result)) enum follow_result follow_ask(struct follow *follow,
	enum db_statement statement, const char *const *parameters, int count,
	struct db_rows **rows);

/* The links of these codes; those that are no codes are left out. */
__attribute__((warn_unused_result)) enum follow_result follow_ask_codes(struct follow *follow,
	const char *codes, size_t size, unsigned count, struct db_rows **rows);

/* A row of LINK_COPY; false when a text is longer than it may be: logged, and no record then. */
__attribute__((warn_unused_result)) bool follow_read_row(
	const struct db_rows *rows, int row, struct replica_record *record);

int64_t follow_created_us(const struct replica_record *record);
int64_t follow_updated_us(const struct replica_record *record);

/* As what must be in the database. */
struct replica_known follow_known(const struct replica_record *record);

/* Whether a row of this code is the very same link, or has a newer version. */
bool follow_has(const struct db_rows *rows, int row, const struct replica_record *record);

/* ---- follow_apply.c: into the replica, within a transaction. */

__attribute__((warn_unused_result)) enum follow_result follow_begin(struct follow *follow);
/* Ends it: what was applied is there, with what is known about it; or is not. */
__attribute__((warn_unused_result)) enum follow_result follow_commit(struct follow *follow);
void follow_abort(struct follow *follow);

/* What is known about the replica, on the disk: a restart must not forget it. */
void follow_keep_meta(struct follow *follow);

/* What a database must have to be copied, beside the replica: its loss must not forget that. */
void follow_remember(struct follow *follow);

/*
 * Stores it unless a newer version is there. WRONG: another link has its code here, so the database
 * has lost that one.
 */
__attribute__((warn_unused_result)) enum follow_result follow_apply(
	struct follow *follow, const struct replica_record *record);
__attribute__((warn_unused_result)) enum follow_result follow_apply_rows(
	struct follow *follow, const struct db_rows *rows);

/* Notes a link among the newest; it must be in the database from now on. */
void follow_know(struct follow *follow, const struct replica_record *record);

/* A result of the writer; anything but OK is kept in follow->broken. */
__attribute__((warn_unused_result)) enum follow_result follow_written(
	struct follow *follow, enum replica_result result);

/* ---- follow_look.c: which database this is. */

/* DONE: it may be copied, as of now_us and looked. */
__attribute__((warn_unused_result)) enum follow_result follow_look(struct follow *follow);

/* What an operator has said, about once a second. */
void follow_take_acceptance(struct follow *follow);

/* From now on the database is wrong, because it lacks these; why: borrowed for ever. */
void follow_miss(struct follow *follow, const struct replica_known *missing, unsigned count,
	const char *why);

/* ---- follow_build.c, follow_changes.c, follow_compare.c: a piece of each. */

void follow_start_build(struct follow *follow);
/* What was built is useless: another attempt, but each time later, up to a minute. */
void follow_put_off_build(struct follow *follow);
__attribute__((warn_unused_result)) enum follow_result follow_build(struct follow *follow);

void follow_start_cursors(struct follow *follow, int64_t us, const char *code);
__attribute__((warn_unused_result)) enum follow_result follow_changes(struct follow *follow);

void follow_start_comparison(struct follow *follow);
__attribute__((warn_unused_result)) enum follow_result follow_compare(struct follow *follow);

/* ---- follow_count.c: the totals are right, whatever became of them. */

/* About once a second: counts the links anew if there are no totals. */
void follow_look_at_totals(struct follow *follow);
void follow_start_count(struct follow *follow);
/* A piece of it, while follow->counting. */
__attribute__((warn_unused_result)) enum follow_result follow_count(struct follow *follow);

/* ---- follow_status.c */

/* Says in the segment what the replica is doing, and in the file "status" about every 10 s. */
void follow_publish(struct follow *follow);

/* Everything up to the last look is in the replica, or PostgreSQL is there to be asked. */
void follow_saw(struct follow *follow, uint64_t moment);

#endif
