/* Links: what their owners do with them. */
#include <stddef.h>
#include <string.h>

#include "cgi-bin/api.h"
#include "domain/link_list.h"
#include "domain/replica.h"
#include "service/link_json.h"
#include "service/link_make.h"
#include "service/list.h"

enum { CHANGE_TRIES = 100 /* each was lost to somebody else's, which went through */ };

/* An owner that the caller may name. False: answered. */
static bool take_owner(
	const struct worker *worker, struct http_response *res, int64_t wanted, struct link *link)
{
	if (!caller_may_see(worker, wanted)) {
		http_problem(res, 404, "user not found");
		return false;
	}
	link->owner = wanted;
	return true;
}

void api_link_create(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link_wish wish;
	struct link link = { .owner = worker->key.owner };
	if (!link_make_read(req, res, link_wish_create, &wish, &link))
		return;
	if (wish.user_id != 0 && !take_owner(worker, res, wish.user_id, &link))
		return;
	link_make(worker, res, &wish, &link);
}

/* What may be asked of a list of links. */
struct link_query {
	char search[FILTER_TEXT_MAX + 1];
	int64_t user_id;
	bool is_active;
	char short_code[CODE_MAX + 1];
	char tag[LINK_TAG_MAX + 1];
};

enum { QUERY_IS_ACTIVE = 2 /* the row of that name */ };

static const struct json_field query_fields[] = { { "search", JSON_TEXT, false, FILTER_SEARCH_LEAST,
							  FILTER_TEXT_MAX,
							  offsetof(struct link_query, search) },
	{ "user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX, offsetof(struct link_query, user_id) },
	[QUERY_IS_ACTIVE] = { "is_active", JSON_BOOLEAN, false, 0, 0,
		offsetof(struct link_query, is_active) },
	{ "short_code", JSON_TEXT, false, 1, CODE_MAX, offsetof(struct link_query, short_code) },
	{ "tag", JSON_TEXT, false, 1, LINK_TAG_MAX, offsetof(struct link_query, tag) }, { 0 } };

static void show_links(struct http_response *res, const struct list_query *list,
	const struct db_rows *rows, const struct total *total)
{
	const int count = rows != NULL ? db_rows_count(rows) : 0;
	char next[LIST_CURSOR_MAX] = "";
	struct link link;
	int64_t clicks;
	struct list_answer answer;
	list_begin(&answer, res);
	while (list_has(&answer, list, count) &&
		link_list_row(rows, answer.shown, &link, &clicks)) {
		link_json(&answer.json, &link, clicks);
		db_number_text(next, link.id);
		answer.shown++;
	}
	list_end(&answer, count, total, next);
}

/* Where nothing but owner and state matters this node's copy of all links has counted them. */
static bool is_kept(const struct link_filter *filter)
{
	return *filter->search == '\0' && *filter->code == '\0' && *filter->tag == '\0' &&
	       filter->owner >= 0;
}

bool api_count_links(struct worker *worker, const struct link_filter *filter, struct total *total)
{
	struct replica_total kept;
	if (!is_kept(filter) ||
		!replica_total(worker->replica, filter->owner != 0 ? filter->owner : -1, &kept))
		return link_list_total(worker->db, filter, total) == DB_OK;
	total->exact = true;
	total->count = 0;
	if (strcmp(filter->state, "disabled") != 0)
		total->count += kept.active;
	if (strcmp(filter->state, "active") != 0)
		total->count += kept.disabled;
	return true;
}

/* To count what a search finds costs as much again as to find it: so many as were seen, then. */
static struct total total_seen(const struct list_query *list, const struct db_rows *rows)
{
	const int64_t count = rows != NULL ? db_rows_count(rows) : 0;
	const bool last = count <= list->per_page;
	return (struct total){ .count = list->page.offset + (last ? count : list->per_page),
		.exact = last && list->page.after == 0 };
}

static bool is_read(enum db_result result)
{
	return result == DB_OK || result == DB_NOT_FOUND;
}

void api_list_links(struct worker *worker, const struct http_request *req,
	struct http_response *res, int64_t owner)
{
	struct link_query query = { 0 };
	struct list_query list;
	uint32_t present;
	if (!list_read(req, res, query_fields, &query, &present, &list))
		return;
	const bool by_state = (present >> QUERY_IS_ACTIVE & 1) != 0;
	const int64_t asked = owner != 0 ? owner : query.user_id;
	const struct link_filter filter = { .page = list.page,
		.owner = caller_owner_shown(worker, asked),
		.search = query.search,
		.state = by_state ? query.is_active ? "active" : "disabled" : "",
		.code = query.short_code,
		.tag = query.tag };
	struct db_rows *rows = NULL;
	struct total total;
	bool good = is_read(link_list(worker->db, &filter, &rows));
	if (*filter.search != '\0')
		total = total_seen(&list, rows);
	else
		good = good && api_count_links(worker, &filter, &total);
	if (good)
		show_links(res, &list, rows, &total);
	else
		http_unavailable(res, 1);
	db_rows_free(rows);
}

void api_link_list(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	api_list_links(worker, req, res, 0);
}

static void answer(struct worker *worker, struct http_response *res, const struct link *link)
{
	int64_t clicks;
	if (link_clicks(worker->db, link->id, &clicks) == LINK_OK)
		link_make_answer(res, 200, link, clicks);
	else
		http_unavailable(res, 1);
}

void api_link_show(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	if (api_find_link(worker, req, res, false, &link))
		answer(worker, res, &link);
}

/* Whether one of the tags of If-Match is the version's, or there is none. RFC 9110, section 13.1.1. */
static bool may_change(const struct http_request *req, int64_t version)
{
	char memory[DB_NUMBER + 2];
	struct text wanted = text_fixed(memory, sizeof(memory));
	const char *tag = req->if_match;
	if (*tag == '\0' || strcmp(tag, "*") == 0)
		return true;
	text_addf(&wanted, "\"%lld\"", (long long)version);
	while (*tag != '\0') {
		tag += strspn(tag, " \t,");
		size_t len = strcspn(tag, " \t,");
		if (len == wanted.len && memcmp(tag, wanted.data, len) == 0)
			return true;
		tag += len;
	}
	return false;
}

/* What a link becomes. False: answered. */
struct change {
	bool (*apply)(const struct change *change, struct worker *worker, struct http_response *res,
		struct link *link);
	const char *event;
	bool of_deleted; /* it may be one that is deleted */
	const struct link_wish *wish;
	uint32_t seen, cleared;
};

/* The details of an update: which fields are not what they were; "" if all are. */
static void tell_fields(const struct link *was, const struct link *is, struct text *details)
{
	const struct {
		const char *name;
		bool differs;
	} fields[] = { { "original_url", strcmp(was->target, is->target) != 0 },
		{ "title", strcmp(was->title, is->title) != 0 },
		{ "user_id", was->owner != is->owner }, { "is_active", was->state != is->state },
		{ "redirect_status", was->redirect_status != is->redirect_status },
		{ "forward_query", was->forward_query != is->forward_query },
		{ "valid_since", was->valid_since != is->valid_since },
		{ "valid_until", was->valid_until != is->valid_until },
		{ "max_visits", was->max_visits != is->max_visits },
		{ "tags", strcmp(was->tags, is->tags) != 0 } };
	struct json_writer json = json_writer(details);
	bool any = false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!fields[i].differs)
			continue;
		if (!any) {
			json_open(&json, NULL, '{');
			json_open(&json, "fields", '[');
		}
		any = true;
		json_text(&json, NULL, fields[i].name);
	}
	if (any) {
		json_close(&json, ']');
		json_close(&json, '}');
	}
}

static void answer_changed(
	struct worker *worker, struct http_response *res, const struct link *link)
{
	const char *code = link->code;
	replica_settle(&code, 1);
	(void)replica_wait(worker->replica, link, LINK_SETTLE_MS);
	if (link->state == LINK_DELETED)
		api_answer_deleted(res);
	else
		answer(worker, res, link);
}

/* One try; LINK_CHANGED: somebody else was faster, nothing is answered. */
static enum link_result try_change(struct worker *worker, const struct http_request *req,
	struct http_response *res, const struct change *change)
{
	char memory[512];
	struct text details = text_fixed(memory, sizeof(memory));
	struct link was, link;
	if (!api_find_link(worker, req, res, change->of_deleted, &was))
		return LINK_OK;
	link = was;
	if (!may_change(req, was.version)) {
		http_problem(res, 412, "the link has changed");
		return LINK_OK;
	}
	if (!change->apply(change, worker, res, &link))
		return LINK_OK;
	tell_fields(&was, &link, &details);
	if (details.len == 0) {
		answer(worker, res, &link);
		return LINK_OK;
	}
	enum link_result result = link_replace(worker->db, &link, change->event, details.data);
	if (result == LINK_OK)
		answer_changed(worker, res, &link);
	return result;
}

/* Changes of one link at the same moment go one after another, each upon what the last one left. */
static void change_link(struct worker *worker, const struct http_request *req,
	struct http_response *res, const struct change *change)
{
	enum link_result result = LINK_CHANGED;
	for (int tries = 0; tries < CHANGE_TRIES && result == LINK_CHANGED; tries++)
		result = try_change(worker, req, res, change);
	if (result == LINK_NOBODY)
		http_problem(res, 404, "user not found");
	else if (result != LINK_OK)
		http_unavailable(res, 1);
}

static bool apply_wish(const struct change *change, struct worker *worker,
	struct http_response *res, struct link *link)
{
	struct http_faults faults = { 0 };
	bool good_target =
		link_wish_apply(change->wish, change->seen, change->cleared, link, &faults);
	if (WISH_HAS(change->cleared, WISH_USER_ID) && worker->key.owner != 0)
		http_fault(&faults, "user_id", "may not be taken away");
	if (faults.count > 0) {
		link_make_refuse(res, good_target, &faults);
		return false;
	}
	if (WISH_HAS(change->cleared, WISH_USER_ID))
		link->owner = 0;
	return !WISH_HAS(change->seen, WISH_USER_ID) ||
	       take_owner(worker, res, change->wish->user_id, link);
}

void api_link_change(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link_wish wish = { 0 };
	struct http_faults faults = { 0 };
	struct change change = { .apply = apply_wish, .event = "updated", .wish = &wish };
	struct link scratch = { .redirect_status = 302 };
	if (!api_read(req, res, link_wish_change, &wish, &change.seen, &change.cleared, &faults))
		return;
	if (faults.count > 0) {
		/* So that all faults are told at once, those of the meaning as well. */
		bool good_target =
			link_wish_apply(&wish, change.seen, change.cleared, &scratch, &faults);
		link_make_refuse(res, good_target, &faults);
		return;
	}
	change_link(worker, req, res, &change);
}

static bool apply_delete(const struct change *change, struct worker *worker,
	struct http_response *res, struct link *link)
{
	(void)change;
	(void)worker;
	(void)res;
	link->state = LINK_DELETED;
	return true;
}

void api_link_delete(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const struct change change = { .apply = apply_delete, .event = "deleted" };
	change_link(worker, req, res, &change);
}

static bool apply_restore(const struct change *change, struct worker *worker,
	struct http_response *res, struct link *link)
{
	(void)change;
	(void)worker;
	(void)res;
	if (link->state == LINK_DELETED)
		link->state = LINK_ACTIVE;
	return true;
}

void api_link_restore(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	const struct change change = {
		.apply = apply_restore, .event = "restored", .of_deleted = true
	};
	change_link(worker, req, res, &change);
}

void api_link_events(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct link link;
	if (api_find_link(worker, req, res, false, &link))
		api_list_events(worker, req, res, link.id, 0);
}
