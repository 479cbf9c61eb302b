/* Keys: who may do what. */
#include <stddef.h>

#include "base/clock.h"
#include "cgi-bin/api.h"
#include "domain/apikey.h"
#include "http/json_fields.h"
#include "service/list.h"
#include "service/member.h"

/* What a client may say of a key. */
struct key_wish {
	char name[APIKEY_NAME_MAX + 1];
	struct json_texts scopes;
	int64_t user_id;
	int64_t expires_at; /* milliseconds since 1970 */
};

static const struct json_field create_fields[] = { { "name", JSON_TEXT, true, 1, APIKEY_NAME_MAX,
							   offsetof(struct key_wish, name) },
	{ "scopes", JSON_TEXTS, true, 1, JSON_TEXTS_BYTES, offsetof(struct key_wish, scopes) },
	{ "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX, offsetof(struct key_wish, user_id) },
	{ "expires_at", JSON_TIME, false, 0, 0, offsetof(struct key_wish, expires_at) },
	{ "id", JSON_REFUSED, false, 0, 0, 0 }, { "key", JSON_REFUSED, false, 0, 0, 0 },
	{ "created_at", JSON_REFUSED, false, 0, 0, 0 },
	{ "revoked_at", JSON_REFUSED, false, 0, 0, 0 }, { 0 } };

/* token NULL: the secret is not told. */
static void key_json(
	struct json_writer *json, const struct apikey_record *record, const char *token)
{
	const char *name;
	unsigned bit;
	json_open(json, NULL, '{');
	json_number(json, "id", record->key.id);
	if (token != NULL)
		json_text(json, "key", token);
	json_text(json, "name", record->name);
	json_open(json, "scopes", '[');
	for (unsigned i = 0; (name = apikey_scope_name(i, &bit)) != NULL; i++)
		if ((record->key.scopes & bit) != 0)
			json_text(json, NULL, name);
	json_close(json, ']');
	member_number_or_null(json, "user_id", record->key.owner);
	member_time(json, "created_at", record->created_at);
	member_time(json, "expires_at", record->expires_at);
	member_time(json, "revoked_at", record->revoked_at);
	json_close(json, '}');
}

/* Nobody gives away more than they have. */
static unsigned read_scopes(
	const struct worker *worker, const struct json_texts *texts, struct http_faults *faults)
{
	unsigned scopes = SCOPE_NONE;
	for (unsigned i = 0; i < texts->count; i++) {
		unsigned scope = apikey_scope(texts->list[i]);
		if (scope == SCOPE_NONE)
			http_fault(faults, "scopes", "has an unknown scope: %s", texts->list[i]);
		else if ((worker->key.scopes & scope) == 0)
			http_fault(faults, "scopes", "has one that your own key lacks: %s",
				texts->list[i]);
		scopes |= scope;
	}
	return scopes;
}

static bool read_wish(struct worker *worker, const struct http_request *req,
	struct http_response *res, struct apikey_record *record)
{
	struct key_wish wish = { 0 };
	struct http_faults faults = { 0 };
	if (!api_read(req, res, create_fields, &wish, NULL, NULL, &faults))
		return false;
	record->key.scopes = read_scopes(worker, &wish.scopes, &faults);
	if (record->key.scopes == SCOPE_NONE && faults.count == 0)
		http_fault(&faults, "scopes", "must not be empty");
	if (wish.expires_at != 0 && wish.expires_at <= clock_wall_ms())
		http_fault(&faults, "expires_at", "must not be over yet");
	record->key.owner = wish.user_id != 0 ? wish.user_id : worker->key.owner;
	record->expires_at = wish.expires_at;
	text_copy(record->name, sizeof(record->name), wish.name);
	return !api_refuse(res, &faults);
}

void api_key_create(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct apikey_record record = { 0 };
	char token[APIKEY_TOKEN];
	if (!read_wish(worker, req, res, &record))
		return;
	enum db_result result = DB_NOT_FOUND;
	if (caller_may_see(worker, record.key.owner))
		result = apikey_create(worker->db, &record, token);
	if (result == DB_NOT_FOUND) {
		http_problem(res, 404, "user not found");
	} else if (result != DB_OK) {
		http_unavailable(res, 1);
	} else {
		http_begin(res, 201, "application/json");
		struct json_writer json = json_writer(&res->body);
		key_json(&json, &record, token);
	}
}

static const struct json_field no_filters[] = { { 0 } };

static void show_keys(struct http_response *res, const struct list_query *list,
	const struct db_rows *rows, const struct total *total)
{
	const int count = rows != NULL ? db_rows_count(rows) : 0;
	char next[LIST_CURSOR_MAX] = "";
	struct apikey_record record;
	struct list_answer answer;
	list_begin(&answer, res);
	while (list_has(&answer, list, count) && apikey_from_row(rows, answer.shown, &record)) {
		key_json(&answer.json, &record, NULL);
		db_number_text(next, record.key.id);
		answer.shown++;
	}
	list_end(&answer, count, total, next);
}

void api_key_list(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct list_query list;
	if (!list_read(req, res, no_filters, NULL, NULL, &list))
		return;
	const struct apikey_filter filter = { .page = list.page, .owner = worker->key.owner };
	struct db_rows *rows = NULL;
	struct total total;
	enum db_result result = apikey_list(worker->db, &filter, &rows);
	if ((result == DB_OK || result == DB_NOT_FOUND) &&
		apikey_list_total(worker->db, &filter, &total) == DB_OK)
		show_keys(res, &list, rows, &total);
	else
		http_unavailable(res, 1);
	db_rows_free(rows);
}

void api_key_delete(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	int64_t id = api_id(req);
	switch (id != 0 ? apikey_revoke(worker->db, id, worker->key.owner) : DB_NOT_FOUND) {
	case DB_OK: api_answer_deleted(res); return;
	case DB_NOT_FOUND: http_problem(res, 404, "key not found"); return;
	case DB_CONFLICT:
	case DB_BUSY:
	case DB_DOWN: http_unavailable(res, 1); return;
	}
}
