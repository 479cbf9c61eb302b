/* Users: who owns links and keys. */
#include <stddef.h>

#include "cgi-bin/api.h"
#include "domain/link_list.h"
#include "http/json_fields.h"
#include "service/list.h"
#include "service/member.h"

/* What a client may say of a user. */
struct user_wish {
	char username[USER_NAME_MAX + 1];
	char email[USER_EMAIL_MAX + 1];
};

#define USER_FIELDS(required)                                                                      \
	{ "username", JSON_TEXT, required, 1, USER_NAME_MAX,                                       \
		offsetof(struct user_wish, username) },                                            \
		{ "email", JSON_TEXT, required, USER_EMAIL_MIN, USER_EMAIL_MAX,                    \
			offsetof(struct user_wish, email) },                                       \
		{ "id", JSON_REFUSED, false, 0, 0, 0 },                                            \
		{ "created_at", JSON_REFUSED, false, 0, 0, 0 },                                    \
	{                                                                                          \
		0                                                                                  \
	}
static const struct json_field create_fields[] = { USER_FIELDS(true) };
static const struct json_field change_fields[] = { USER_FIELDS(false) };

static void user_json(struct json_writer *json, const struct user *user)
{
	json_open(json, NULL, '{');
	json_number(json, "id", user->id);
	json_text(json, "username", user->name);
	json_text(json, "email", user->email);
	member_time(json, "created_at", user->created_at);
	json_close(json, '}');
}

static void answer_user(struct http_response *res, int status, const struct user *user)
{
	http_begin(res, status, "application/json");
	struct json_writer json = json_writer(&res->body);
	user_json(&json, user);
}

static void answer(
	struct http_response *res, int status, enum user_result result, const struct user *user)
{
	switch (result) {
	case USER_OK: answer_user(res, status, user); return;
	case USER_UNKNOWN: http_problem(res, 404, "user not found"); return;
	case USER_NAME_TAKEN: http_problem(res, 409, "username is taken"); return;
	case USER_EMAIL_TAKEN: http_problem(res, 409, "email is taken"); return;
	case USER_BUSY:
	case USER_DOWN: http_unavailable(res, 1); return;
	}
}

/* Puts what is there into the user. False: answered with all that is wrong. */
static bool read_user(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, struct user *user)
{
	struct user_wish wish = { 0 };
	struct http_faults faults = { 0 };
	if (!api_read(req, res, fields, &wish, NULL, NULL, &faults))
		return false;
	const char *bad_name = *wish.username != '\0' ? user_name_refusal(wish.username) : NULL;
	const char *bad_email = *wish.email != '\0' ? user_email_refusal(wish.email) : NULL;
	if (bad_name != NULL)
		http_fault(&faults, "username", "%s", bad_name);
	if (bad_email != NULL)
		http_fault(&faults, "email", "%s", bad_email);
	if (*wish.username != '\0')
		text_copy(user->name, sizeof(user->name), wish.username);
	if (*wish.email != '\0')
		text_copy(user->email, sizeof(user->email), wish.email);
	return !api_refuse(res, &faults);
}

/* Users come and go by the operators' hands alone. */
static bool is_operator(const struct worker *worker, struct http_response *res)
{
	if (worker->key.owner == 0)
		return true;
	http_problem(res, 403, "forbidden");
	return false;
}

void api_user_create(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user = { 0 };
	if (is_operator(worker, res) && read_user(req, res, create_fields, &user))
		answer(res, 201, user_create(worker->db, &user), &user);
}

struct user_query {
	char search[FILTER_TEXT_MAX + 1];
	char username[USER_NAME_MAX + 1];
	char email[USER_EMAIL_MAX + 1];
};

static const struct json_field query_fields[] = {
	{ "search", JSON_TEXT, false, FILTER_SEARCH_LEAST, FILTER_TEXT_MAX,
		offsetof(struct user_query, search) },
	{ "username", JSON_TEXT, false, 1, USER_NAME_MAX, offsetof(struct user_query, username) },
	{ "email", JSON_TEXT, false, 1, USER_EMAIL_MAX, offsetof(struct user_query, email) }, { 0 }
};

static void show_users(struct http_response *res, const struct list_query *list,
	const struct db_rows *rows, const struct total *total)
{
	const int count = rows != NULL ? db_rows_count(rows) : 0;
	char next[LIST_CURSOR_MAX] = "";
	struct user user;
	struct list_answer answer;
	list_begin(&answer, res);
	while (list_has(&answer, list, count) && user_from_row(rows, answer.shown, &user)) {
		user_json(&answer.json, &user);
		db_number_text(next, user.id);
		answer.shown++;
	}
	list_end(&answer, count, total, next);
}

void api_user_list(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user_query query = { 0 };
	struct list_query list;
	if (!list_read(req, res, query_fields, &query, NULL, &list))
		return;
	const struct user_filter filter = { .page = list.page,
		.id = worker->key.owner,
		.search = query.search,
		.name = query.username,
		.email = query.email };
	struct db_rows *rows = NULL;
	struct total total;
	enum db_result result = user_list(worker->db, &filter, &rows);
	if ((result == DB_OK || result == DB_NOT_FOUND) &&
		user_list_total(worker->db, &filter, &total) == DB_OK)
		show_users(res, &list, rows, &total);
	else
		http_unavailable(res, 1);
	db_rows_free(rows);
}

void api_user_show(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	if (api_find_user(worker, req, res, &user))
		answer_user(res, 200, &user);
}

void api_user_change(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	if (!api_find_user(worker, req, res, &user))
		return;
	struct user change = { .id = user.id };
	if (read_user(req, res, change_fields, &change))
		answer(res, 200, user_change(worker->db, &change), &change);
}

void api_user_delete(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	if (!is_operator(worker, res) || !api_find_user(worker, req, res, &user))
		return;
	enum user_result result = user_delete(worker->db, user.id);
	if (result == USER_OK)
		api_answer_deleted(res);
	else
		answer(res, 200, result, &user);
}

void api_user_links(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	if (api_find_user(worker, req, res, &user))
		api_list_links(worker, req, res, user.id);
}

void api_user_events(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	if (api_find_user(worker, req, res, &user))
		api_list_events(worker, req, res, 0, user.id);
}

static bool count_links(
	struct worker *worker, int64_t owner, const char *state, struct total *total)
{
	const struct link_filter filter = {
		.owner = owner, .search = "", .state = state, .code = "", .tag = ""
	};
	return api_count_links(worker, &filter, total);
}

static bool count_events(struct worker *worker, int64_t owner, int64_t *count)
{
	const struct event_filter filter = { .owner = owner, .type = "" };
	struct db_rows *rows = NULL;
	int64_t clicks;
	enum db_result result = event_count_types(worker->db, &filter, &rows, count);
	db_rows_free(rows);
	if ((result != DB_OK && result != DB_NOT_FOUND) ||
		event_count_clicks(worker->db, &filter, &clicks) != DB_OK)
		return false;
	*count += clicks;
	return true;
}

void api_user_stats(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct user user;
	struct total all, active;
	int64_t events;
	if (!api_find_user(worker, req, res, &user))
		return;
	if (!count_links(worker, user.id, "", &all) ||
		!count_links(worker, user.id, "active", &active) ||
		!count_events(worker, user.id, &events)) {
		http_unavailable(res, 1);
		return;
	}
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_number(&json, "user_id", user.id);
	json_number(&json, "url_count", all.count);
	json_number(&json, "active_url_count", active.count);
	json_number(&json, "event_count", events);
	json_close(&json, '}');
}
