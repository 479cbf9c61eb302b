/* Links, many at once. */
#include "cgi-bin/bulk.h"

#include <string.h>

#include "domain/replica.h"
#include "service/bulk.h"
#include "service/link_make.h"

enum { COLUMNS = 14 };

static void begin(void *wish)
{
	((struct link_wish *)wish)->redirect_status = 302;
	((struct link_wish *)wish)->is_active = true;
}

/* The parameters of STATEMENT_links_store. */
static void add_link(struct batch *batch, const struct link_wish *wish, const struct link *link,
	const char *other_code)
{
	struct text *columns = batch->arrays;
	batch_add_id(batch, wish->id);
	db_array_text(&columns[1], link->code);
	db_array_text(&columns[2], link->target);
	db_array_text(&columns[3], link->title);
	db_array_number(&columns[4], link->owner);
	db_array_text(&columns[5], link->state == LINK_ACTIVE ? "active" : "disabled");
	db_array_number(&columns[6], link->redirect_status);
	db_array_text(&columns[7], link->forward_query ? "t" : "f");
	db_array_number(&columns[8], link->valid_since);
	db_array_number(&columns[9], link->valid_until);
	db_array_number(&columns[10], link->max_visits);
	db_array_text(&columns[11], link->tags);
	db_array_number(&columns[12], wish->created_at);
	db_array_text(&columns[13], other_code);
}

static void add(struct worker *worker, const void *row, uint32_t seen, struct batch *batch,
	struct http_faults *faults)
{
	const struct link_wish *wish = row;
	struct link link = { .owner = worker->key.owner, .redirect_status = 302 };
	char other_code[CODE_RANDOM + 1] = "";
	if (*wish->url == '\0' && *wish->original_url == '\0')
		http_fault(faults, "original_url", "is required");
	(void)link_wish_apply(wish, seen, 0, &link, faults);
	if (wish->user_id != 0 && !caller_may_see(worker, wish->user_id))
		http_fault(faults, "user_id", "is not known");
	if (faults->count > 0)
		return;
	if (wish->user_id != 0)
		link.owner = wish->user_id;
	if (*link.code == '\0') {
		/* Of 57^7: beside ten million links one of two hundred thousand is taken. */
		code_random(link.code);
		code_random(other_code);
	}
	add_link(batch, wish, &link, other_code);
}

static const char *why(const char *word)
{
	if (strcmp(word, "user") == 0)
		return "user not found";
	return strcmp(word, "id") == 0 ? "id is taken" : "short_code is taken";
}

void bulk_links(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const struct bulk_kind kind = { .fields = worker->key.owner == 0 ? link_wish_import
									 : link_wish_bulk,
		.wish_size = sizeof(struct link_wish),
		.statement = STATEMENT_links_store,
		.pass_id = STATEMENT_links_pass_id,
		.columns = COLUMNS,
		.begin = begin,
		.add = add,
		.why = why };
	if (replica_state() == LABEL_state_REFUSING) {
		http_unavailable(res, LINK_REFUSING_RETRY_S);
		return;
	}
	bulk_take(worker, req, res, &kind);
	if (res->status == 201)
		replica_lags();
}
