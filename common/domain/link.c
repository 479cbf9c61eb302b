#include "domain/link.h"

#include <string.h>

#include "base/metrics.h"
#include "base/text.h"
#include "db/db_array.h"
#include "domain/link_group.h"

enum {
	CODE_TRIES = 5, /* of random codes; even with 10^9 links one in 1,900 is taken */
	REDIRECT_STATUS = 302,
	CREATE_COLUMNS = 10,
	/* A text of a group's array: each byte escaped, its quotes and a comma. */
	ARRAY_MAX = LINK_GROUP_MAX * (2 * TARGET_URL_MAX + 3) + 3
};

/* As links.state spells them. */
static const char *const state_names[] = {
	[LINK_ACTIVE] = "active", [LINK_DISABLED] = "disabled", [LINK_DELETED] = "deleted"
};

/* A state that this build does not know is not followed. */
static enum link_state state_from(const char *name)
{
	enum link_state state = LINK_ACTIVE;

	while (state < LINK_DELETED && strcmp(state_names[state], name) != 0)
		state++;
	return state;
}

bool link_from_row(const struct db_rows *rows, int row, struct link *link)
{
	link->id = db_number(rows, row, 0);
	link->owner = db_number(rows, row, 4);
	link->state = state_from(db_text(rows, row, 5));
	link->redirect_status = (int)db_number(rows, row, 6);
	link->forward_query = db_boolean(rows, row, 7);
	link->valid_since = db_number(rows, row, 8);
	link->valid_until = db_number(rows, row, 9);
	link->max_visits = db_number(rows, row, 10);
	link->created_at = db_number(rows, row, 11);
	link->updated_at = db_number(rows, row, 12);
	link->version = db_number(rows, row, 13);
	/* Rather without tags than without the link. */
	(void)text_copy(link->tags, sizeof(link->tags), db_text(rows, row, 14));
	return text_copy(link->code, sizeof(link->code), db_text(rows, row, 1)) &&
	       text_copy(link->target, sizeof(link->target), db_text(rows, row, 2)) &&
	       text_copy(link->title, sizeof(link->title), db_text(rows, row, 3));
}

/* Runs a statement that answers with at most one link; absent is what no row means. */
static enum link_result fetch(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, enum link_result absent, struct link *link)
{
	struct db_rows *rows;
	enum link_result result = LINK_DOWN;

	switch (db_query(db, statement, parameters, count, &rows)) {
	case DB_OK:
		if (link_from_row(rows, 0, link))
			result = LINK_OK;
		break;
	/* A foreign key that leads nowhere is the one to the owner. */
	case DB_NOT_FOUND: result = db_refused(db) ? LINK_NOBODY : absent; break;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	db_rows_free(rows);
	return result;
}

static int status_of(const struct link *link)
{
	return link->redirect_status ? link->redirect_status : REDIRECT_STATUS;
}

static enum link_result store(struct db *db, struct link *link)
{
	char owner[DB_NUMBER], status[DB_NUMBER], since[DB_NUMBER], until[DB_NUMBER],
		visits[DB_NUMBER];
	const char *const parameters[] = { link->code, link->target, link->title,
		db_number_text(owner, link->owner), db_number_text(status, status_of(link)),
		link->forward_query ? "true" : "false", db_number_text(since, link->valid_since),
		db_number_text(until, link->valid_until), db_number_text(visits, link->max_visits),
		link->tags };

	return fetch(db, STATEMENT_link_create, parameters, CREATE_COLUMNS, LINK_TAKEN, link);
}

/* The parameters of STATEMENT_link_create_many. */
static void add_link(struct text arrays[CREATE_COLUMNS], const struct link *link)
{
	db_array_text(&arrays[0], link->code);
	db_array_text(&arrays[1], link->target);
	db_array_text(&arrays[2], link->title);
	db_array_number(&arrays[3], link->owner);
	db_array_number(&arrays[4], status_of(link));
	db_array_text(&arrays[5], link->forward_query ? "t" : "f");
	db_array_number(&arrays[6], link->valid_since);
	db_array_number(&arrays[7], link->valid_until);
	db_array_number(&arrays[8], link->max_visits);
	db_array_text(&arrays[9], link->tags);
}

/* The row belongs to the first link with its code; any other one in the group came too late. */
static void fill_in(const struct db_rows *rows, int row, struct link *const links[],
	enum link_result results[], unsigned count)
{
	const char *code = db_text(rows, row, 0);
	unsigned i = 0;

	while (i < count && strcmp(links[i]->code, code) != 0)
		i++;
	if (i == count)
		return;
	results[i] = LINK_OK;
	links[i]->id = db_number(rows, row, 1);
	links[i]->created_at = links[i]->updated_at = db_number(rows, row, 2);
	links[i]->version = db_number(rows, row, 3);
	links[i]->redirect_status = status_of(links[i]);
	links[i]->state = LINK_ACTIVE;
}

static void set_all(enum link_result results[], unsigned count, enum link_result result)
{
	for (unsigned i = 0; i < count; i++)
		results[i] = result;
}

/* False when the database refused all of them for a value in one. */
static bool store_at_once(struct db *db, const struct text arrays[CREATE_COLUMNS],
	struct link *const links[], enum link_result results[], unsigned count)
{
	const char *parameters[CREATE_COLUMNS];
	struct db_rows *rows;
	enum db_result result;

	for (int i = 0; i < CREATE_COLUMNS; i++)
		parameters[i] = arrays[i].data;
	result = db_query(db, STATEMENT_link_create_many, parameters, CREATE_COLUMNS, &rows);
	if (db_refused(db))
		return false;
	set_all(results, count, result == DB_OK || result == DB_NOT_FOUND ? LINK_TAKEN : LINK_DOWN);
	if (result == DB_OK)
		for (int row = 0; row < db_rows_count(rows); row++)
			fill_in(rows, row, links, results, count);
	db_rows_free(rows);
	return true;
}

static bool store_many(
	struct db *db, struct link *const links[], enum link_result results[], unsigned count)
{
	struct text arrays[CREATE_COLUMNS];
	bool whole = true, done = false;

	for (int i = 0; i < CREATE_COLUMNS; i++)
		arrays[i] = text_growing(ARRAY_MAX);
	for (unsigned i = 0; i < count; i++)
		add_link(arrays, links[i]);
	for (int i = 0; i < CREATE_COLUMNS; i++) {
		(void)db_array_end(&arrays[i]);
		whole &= !arrays[i].cut;
	}
	if (whole)
		done = store_at_once(db, arrays, links, results, count);
	for (int i = 0; i < CREATE_COLUMNS; i++)
		text_free(&arrays[i]);
	return done;
}

/* A value that is refused costs its neighbours the statement, but not their links. */
static void store_group(
	struct db *db, struct link *const links[], enum link_result results[], unsigned count)
{
	if (count > 1 && store_many(db, links, results, count))
		return;
	for (unsigned i = 0; i < count; i++)
		results[i] = store(db, links[i]);
}

/* A wish for a code may have to wait for who takes the same one just now; others should not. */
static enum link_result store_alone(struct db *db, struct link *link, link_settle settle)
{
	enum link_result result = store(db, link);
	const char *code = link->code;

	if (result == LINK_OK && settle && !db_in_transaction(db))
		settle(&code, 1);
	return result;
}

/* What belongs to a transaction of the caller cannot be done by another thread. */
static enum link_result create(struct db *db, struct link *link, link_settle settle)
{
	return db_in_transaction(db) ? store(db, link)
				     : link_group_create(db, link, store_group, settle);
}

enum link_result link_create(struct db *db, struct link *link)
{
	return link_create_settled(db, link, NULL);
}

enum link_result link_create_settled(struct db *db, struct link *link, link_settle settle)
{
	enum link_result result;

	if (*link->code)
		return store_alone(db, link, settle);
	for (int tries = 0; tries < CODE_TRIES; tries++) {
		code_random(link->code);
		result = create(db, link, settle);
		if (result == LINK_OK)
			return result;
		*link->code = '\0';
		if (result != LINK_TAKEN)
			return result;
		metrics_add(METRIC_code_collisions, 0, 0, 1);
	}
	return LINK_DOWN;
}

enum link_result link_find_same(struct db *db, struct link *link)
{
	char owner[DB_NUMBER];
	const char *const parameters[] = { link->target, db_number_text(owner, link->owner) };

	return fetch(db, STATEMENT_link_find_same, parameters, 2, LINK_UNKNOWN, link);
}

enum link_result link_find(struct db *db, const char *code, struct link *found)
{
	return fetch(db, STATEMENT_link_find, &code, 1, LINK_UNKNOWN, found);
}

enum link_result link_find_id(struct db *db, int64_t id, struct link *found)
{
	char text[DB_NUMBER];
	const char *parameter = db_number_text(text, id);

	return fetch(db, STATEMENT_link_find_id, &parameter, 1, LINK_UNKNOWN, found);
}

enum link_result link_replace(
	struct db *db, struct link *link, const char *event, const char *details)
{
	char version[DB_NUMBER], owner[DB_NUMBER], status[DB_NUMBER], since[DB_NUMBER],
		until[DB_NUMBER], visits[DB_NUMBER];
	const char *const parameters[] = { link->code, db_number_text(version, link->version),
		link->target, link->title, db_number_text(owner, link->owner),
		state_names[link->state], db_number_text(status, status_of(link)),
		link->forward_query ? "true" : "false", db_number_text(since, link->valid_since),
		db_number_text(until, link->valid_until), db_number_text(visits, link->max_visits),
		link->tags, event, details };

	return fetch(db, STATEMENT_link_replace, parameters, 14, LINK_CHANGED, link);
}

enum link_result link_clicks(struct db *db, int64_t id, int64_t *clicks)
{
	char text[DB_NUMBER];
	const char *parameter = db_number_text(text, id);
	struct db_rows *rows;

	if (db_query(db, STATEMENT_link_clicks, &parameter, 1, &rows) != DB_OK)
		return LINK_DOWN;
	*clicks = db_number(rows, 0, 0);
	db_rows_free(rows);
	return LINK_OK;
}

static enum link_result visit(struct db *db, enum db_statement statement, const struct link *link)
{
	const char *code = link->code;

	switch (db_run(db, statement, &code, 1)) {
	case DB_OK: return LINK_OK;
	case DB_NOT_FOUND: return LINK_GONE;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	return LINK_DOWN;
}

enum link_result link_visit(struct db *db, const struct link *link)
{
	return visit(db, STATEMENT_link_visit, link);
}

enum link_result link_visits_left(struct db *db, const struct link *link)
{
	return visit(db, STATEMENT_link_visits_left, link);
}

enum link_result link_verdict(const struct link *link, int64_t wall_ms)
{
	if (link->state == LINK_DELETED)
		return LINK_GONE;
	if (link->state == LINK_DISABLED)
		return LINK_UNKNOWN;
	if (link->valid_until && wall_ms >= link->valid_until)
		return LINK_GONE;
	if (link->valid_since && wall_ms < link->valid_since)
		return LINK_UNKNOWN;
	return LINK_OK;
}
