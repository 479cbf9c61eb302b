/* Users, many at once. */
#include "cgi-bin/bulk.h"

#include <stddef.h>
#include <string.h>

#include "domain/user.h"
#include "service/bulk.h"

enum { COLUMNS = 4 };

struct user_row {
	int64_t id;
	char username[USER_NAME_MAX + 1];
	char email[USER_EMAIL_MAX + 1];
	int64_t created_at; /* milliseconds since 1970 */
};

static const struct json_field fields[] = { { "id", JSON_NUMBER, false, 1, BATCH_ID_MAX,
						    offsetof(struct user_row, id) },
	{ "username", JSON_TEXT, true, 1, USER_NAME_MAX, offsetof(struct user_row, username) },
	{ "email", JSON_TEXT, true, USER_EMAIL_MIN, USER_EMAIL_MAX,
		offsetof(struct user_row, email) },
	{ "created_at", JSON_TIME, false, 0, 0, offsetof(struct user_row, created_at) }, { 0 } };

static void add(struct worker *worker, const void *row, uint32_t seen, struct batch *batch,
	struct http_faults *faults)
{
	const struct user_row *user = row;
	const char *bad_name = user_name_refusal(user->username);
	const char *bad_email = user_email_refusal(user->email);
	(void)worker;
	(void)seen;
	if (bad_name != NULL)
		http_fault(faults, "username", "%s", bad_name);
	if (bad_email != NULL)
		http_fault(faults, "email", "%s", bad_email);
	if (faults->count > 0)
		return;
	batch_add_id(batch, user->id);
	db_array_text(&batch->arrays[1], user->username);
	db_array_text(&batch->arrays[2], user->email);
	db_array_number(&batch->arrays[3], user->created_at);
}

static const char *why(const char *word)
{
	if (strcmp(word, "there") == 0)
		return NULL;
	if (strcmp(word, "elsewhere") == 0)
		return "user is here under another id";
	if (strcmp(word, "username") == 0)
		return "username is taken";
	return strcmp(word, "email") == 0 ? "email is taken" : "id is taken";
}

void bulk_users(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	static const struct bulk_kind kind = { .fields = fields,
		.wish_size = sizeof(struct user_row),
		.statement = STATEMENT_users_store,
		.pass_id = STATEMENT_users_pass_id,
		.columns = COLUMNS,
		.add = add,
		.why = why };
	/* Users come and go by the operators' hands alone. */
	if (worker->key.owner != 0)
		http_problem(res, 403, "forbidden");
	else
		bulk_take(worker, req, res, &kind);
}
