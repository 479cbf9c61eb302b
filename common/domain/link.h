/*
 * link - a short link as PostgreSQL keeps it: the record, its life and its creation.
 */
#ifndef DOMAIN_LINK_H
#define DOMAIN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "domain/code.h"
#include "domain/target_url.h"

enum {
	LINK_TITLE_MAX = 255,
	LINK_TAG_MAX = 50, /* bytes of one */
	LINK_TAGS = 32,
	LINK_TAGS_MAX = LINK_TAGS * (LINK_TAG_MAX + 1)
};

enum link_state { LINK_ACTIVE, LINK_DISABLED, LINK_DELETED };

enum link_result {
	LINK_OK,
	LINK_UNKNOWN, /* no such link, or it is not active (yet) */
	LINK_GONE,    /* deleted or expired */
	LINK_TAKEN,   /* the code belongs to another link */
	LINK_NOBODY,  /* there is no such owner */
	LINK_CHANGED, /* somebody else changed it meanwhile */
	LINK_DOWN     /* the database cannot say */
};

struct link {
	int64_t id;
	char code[CODE_MAX + 1];
	char target[TARGET_URL_MAX + 1]; /* canonical */
	char title[LINK_TITLE_MAX + 1];  /* "" for none */
	int64_t owner;                   /* users.id, 0 for nobody */
	enum link_state state;
	int redirect_status; /* 301, 302, 307 or 308 */
	bool forward_query;
	int64_t valid_since; /* milliseconds since 1970, 0 for no limit */
	int64_t valid_until;
	int64_t max_visits;       /* 0 for no limit */
	char tags[LINK_TAGS_MAX]; /* separated by commas; not of a link from the replica */
	int64_t created_at;
	int64_t updated_at;
	int64_t version;
};

/*
 * Stores a new link. With link->code empty it gets a random code, else that one or LINK_TAKEN.
 * link->target is canonical already, the owner exists, a redirect_status of 0 means 302; state is
 * not looked at: it is active. The record is then filled in from the stored row.
 */
__attribute__((warn_unused_result)) enum link_result link_create(struct db *db, struct link *link);

/*
 * What is to happen to links that were stored together before their creators go on: called once,
 * with their codes, by one of those threads. It may wait; a creator without time left does not.
 */
typedef void (*link_settle)(const char *const codes[], unsigned count);

/* The same, settled. Within a transaction nothing is settled. */
__attribute__((warn_unused_result)) enum link_result link_create_settled(
	struct db *db, struct link *link, link_settle settle);

/* The owner's newest active link to link->target, if there is one; else LINK_UNKNOWN. */
__attribute__((warn_unused_result)) enum link_result link_find_same(
	struct db *db, struct link *link);

/* The link with this code, whatever its state. LINK_OK, LINK_UNKNOWN or LINK_DOWN. */
__attribute__((warn_unused_result)) enum link_result link_find(
	struct db *db, const char *code, struct link *found);
__attribute__((warn_unused_result)) enum link_result link_find_id(
	struct db *db, int64_t id, struct link *found);

/*
 * Takes one visit of a link that has max_visits, or had a moment ago, in one atomic step: LINK_OK, or
 * LINK_GONE when none is left.
 */
__attribute__((warn_unused_result)) enum link_result link_visit(
	struct db *db, const struct link *link);

/* The same without taking it: whether there is one to take at this moment. */
__attribute__((warn_unused_result)) enum link_result link_visits_left(
	struct db *db, const struct link *link);

/*
 * Stores what is to be changed of the link with this code and version: all but code, id, created_at
 * and visits. event: the type of the event that tells of it; details: its details as JSON, "" for
 * none. The record is then filled in from the stored row. LINK_CHANGED: it has another version.
 */
__attribute__((warn_unused_result)) enum link_result link_replace(
	struct db *db, struct link *link, const char *event, const char *details);

/* A link of a row whose first columns are LINK_COLUMNS of statements.def. False: it is too long. */
bool link_from_row(const struct db_rows *rows, int row, struct link *link);

/* Clicks of a link so far, those of bots included. */
__attribute__((warn_unused_result)) enum link_result link_clicks(
	struct db *db, int64_t id, int64_t *clicks);

/* What a visitor at wall_ms may do with it: LINK_OK, LINK_UNKNOWN or LINK_GONE. */
__attribute__((warn_unused_result)) enum link_result link_verdict(
	const struct link *link, int64_t wall_ms);

#endif
