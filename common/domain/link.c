#include "domain/link.h"

#include <string.h>

#include "base/metrics.h"
#include "base/text.h"

enum {
	CODE_TRIES = 5, /* of random codes; even with 10^9 links one in 1,900 is taken */
	REDIRECT_STATUS = 302
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

/* The columns are LINK_COLUMNS of statements.def. False when a text is longer than it may be. */
static bool read_row(struct link *link, const struct db_rows *rows)
{
	link->id = db_number(rows, 0, 0);
	link->owner = db_number(rows, 0, 4);
	link->state = state_from(db_text(rows, 0, 5));
	link->redirect_status = (int)db_number(rows, 0, 6);
	link->forward_query = db_boolean(rows, 0, 7);
	link->valid_since = db_number(rows, 0, 8);
	link->valid_until = db_number(rows, 0, 9);
	link->max_visits = db_number(rows, 0, 10);
	link->created_at = db_number(rows, 0, 11);
	link->updated_at = db_number(rows, 0, 12);
	link->version = db_number(rows, 0, 13);
	return text_copy(link->code, sizeof(link->code), db_text(rows, 0, 1)) &&
	       text_copy(link->target, sizeof(link->target), db_text(rows, 0, 2)) &&
	       text_copy(link->title, sizeof(link->title), db_text(rows, 0, 3));
}

/* Runs a statement that answers with at most one link; absent is what no row means. */
static enum link_result fetch(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, enum link_result absent, struct link *link)
{
	struct db_rows *rows;
	enum link_result result = LINK_DOWN;

	switch (db_query(db, statement, parameters, count, &rows)) {
	case DB_OK:
		if (read_row(link, rows))
			result = LINK_OK;
		break;
	case DB_NOT_FOUND: result = absent; break;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	db_rows_free(rows);
	return result;
}

static enum link_result store(struct db *db, const char *code, struct link *link)
{
	char owner[DB_NUMBER], status[DB_NUMBER], since[DB_NUMBER], until[DB_NUMBER],
		visits[DB_NUMBER];
	const char *const parameters[] = { code, link->target, link->title,
		db_number_text(owner, link->owner),
		db_number_text(
			status, link->redirect_status ? link->redirect_status : REDIRECT_STATUS),
		link->forward_query ? "true" : "false", db_number_text(since, link->valid_since),
		db_number_text(until, link->valid_until),
		db_number_text(visits, link->max_visits) };

	return fetch(db, STATEMENT_link_create, parameters, 9, LINK_TAKEN, link);
}

enum link_result link_create(struct db *db, struct link *link)
{
	char code[CODE_RANDOM + 1];
	enum link_result result;

	if (*link->code)
		return store(db, link->code, link);
	for (int tries = 0; tries < CODE_TRIES; tries++) {
		code_random(code);
		result = store(db, code, link);
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

enum link_result link_visit(struct db *db, const struct link *link)
{
	const char *code = link->code;

	switch (db_run(db, STATEMENT_link_visit, &code, 1)) {
	case DB_OK: return LINK_OK;
	case DB_NOT_FOUND: return LINK_GONE;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	return LINK_DOWN;
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
