#include "domain/user.h"

#include <string.h>

#include "base/text.h"

enum {
	CONDITIONS = 4,
	LEAVE_AT_ONCE = 500 /* rows of a statement: none may last long, see docs/decisions/0013 */
};

static const struct filter_statements statements = { .newest = STATEMENT_users_newest,
	.oldest = STATEMENT_users_oldest,
	.count = STATEMENT_users_count };

struct conditions {
	char id[DB_NUMBER], pattern[FILTER_PATTERN];
	const char *list[CONDITIONS];
};

static bool has_controls(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

const char *user_name_refusal(const char *name)
{
	if (name[strspn(name, " ")] == '\0')
		return "must not be blank";
	return has_controls(name) ? "must not contain control characters" : NULL;
}

const char *user_email_refusal(const char *email)
{
	const char *at = strchr(email, '@');

	if (!at || at == email || at[1] == '\0' || strchr(at + 1, '@') || strchr(email, ' ') ||
		has_controls(email))
		return "must be an address such as ada@example.org";
	return NULL;
}

bool user_from_row(const struct db_rows *rows, int row, struct user *user)
{
	user->id = db_number(rows, row, 0);
	user->created_at = db_number(rows, row, 3);
	return text_copy(user->name, sizeof(user->name), db_text(rows, row, 1)) &&
	       text_copy(user->email, sizeof(user->email), db_text(rows, row, 2));
}

/* Runs a statement that answers with at most one user; absent is what no row means. */
static enum user_result fetch(struct db *db, enum db_statement statement,
	const char *const *parameters, int count, enum user_result absent, struct user *user)
{
	struct db_rows *rows;
	enum user_result result = USER_DOWN;

	switch (db_query(db, statement, parameters, count, &rows)) {
	case DB_OK:
		if (user_from_row(rows, 0, user))
			result = USER_OK;
		break;
	case DB_NOT_FOUND: result = absent; break;
	case DB_CONFLICT: result = USER_NAME_TAKEN; break;
	case DB_BUSY:
	case DB_DOWN: break;
	}
	db_rows_free(rows);
	return result;
}

/* Which of the two somebody else has. */
static enum user_result find_taken(struct db *db, const struct user *user)
{
	char id[DB_NUMBER];
	const char *const parameters[] = { user->name, user->email, db_number_text(id, user->id) };
	struct db_rows *rows;
	enum user_result result = USER_DOWN;

	switch (db_query(db, STATEMENT_user_taken, parameters, 3, &rows)) {
	case DB_OK: result = db_boolean(rows, 0, 0) ? USER_NAME_TAKEN : USER_EMAIL_TAKEN; break;
	case DB_NOT_FOUND: /* who had it has just been deleted */
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	db_rows_free(rows);
	return result;
}

enum user_result user_create(struct db *db, struct user *user)
{
	const char *const parameters[] = { user->name, user->email };
	enum user_result result =
		fetch(db, STATEMENT_user_create, parameters, 2, USER_NAME_TAKEN, user);

	return result == USER_NAME_TAKEN ? find_taken(db, user) : result;
}

enum user_result user_find(struct db *db, int64_t id, struct user *found)
{
	char text[DB_NUMBER];
	const char *parameter = db_number_text(text, id);

	return fetch(db, STATEMENT_user_find, &parameter, 1, USER_UNKNOWN, found);
}

enum user_result user_change(struct db *db, struct user *user)
{
	char id[DB_NUMBER];
	const char *const parameters[] = { db_number_text(id, user->id), user->name, user->email };
	enum user_result result =
		fetch(db, STATEMENT_user_change, parameters, 3, USER_UNKNOWN, user);

	return result == USER_NAME_TAKEN ? find_taken(db, user) : result;
}

/* Until none is left, or the time is over. */
static enum user_result leave(struct db *db, enum db_statement statement, int64_t id)
{
	char text[DB_NUMBER], most[DB_NUMBER];
	const char *const parameters[] = { db_number_text(text, id),
		db_number_text(most, LEAVE_AT_ONCE) };
	enum db_result result = DB_OK;

	while (result == DB_OK)
		result = db_run(db, statement, parameters, 2);
	return result == DB_NOT_FOUND ? USER_OK : USER_BUSY;
}

enum user_result user_delete(struct db *db, int64_t id)
{
	char text[DB_NUMBER];
	const char *parameter = db_number_text(text, id);

	if (leave(db, STATEMENT_user_leave_links, id) != USER_OK ||
		leave(db, STATEMENT_user_leave_events, id) != USER_OK)
		return USER_BUSY;
	switch (db_run(db, STATEMENT_user_delete, &parameter, 1)) {
	case DB_OK: return USER_OK;
	case DB_NOT_FOUND: return USER_UNKNOWN;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: break;
	}
	return USER_DOWN;
}

static void set_conditions(struct conditions *conditions, const struct user_filter *filter)
{
	filter_pattern(conditions->pattern, filter->search);
	conditions->list[0] = db_number_text(conditions->id, filter->id);
	conditions->list[1] = conditions->pattern;
	conditions->list[2] = filter->name;
	conditions->list[3] = filter->email;
}

enum db_result user_list(struct db *db, const struct user_filter *filter, struct db_rows **rows)
{
	struct conditions conditions;

	set_conditions(&conditions, filter);
	return filter_list(db, &statements, conditions.list, CONDITIONS, &filter->page, rows);
}

enum db_result user_list_total(struct db *db, const struct user_filter *filter, struct total *total)
{
	struct conditions conditions;

	set_conditions(&conditions, filter);
	return filter_total(db, &statements, conditions.list, CONDITIONS, total);
}
