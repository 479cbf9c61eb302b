/*
 * shorten - the public way in: a URL goes in, a short link comes out.
 */
#include <stddef.h>

#include "base/config.h"
#include "base/metrics.h"
#include "domain/link.h"
#include "domain/target_url.h"
#include "http/json_fields.h"
#include "service/link_json.h"
#include "service/service.h"

enum { URL_MAX = 2 * TARGET_URL_MAX /* as typed; the canonical form may be shorter */ };

struct wish {
	char url[URL_MAX + 1];
	char short_code[CODE_MAX + 1];
	char title[LINK_TITLE_MAX + 1];
	bool find_if_exists;
};

static const struct json_field fields[] = { { "url", JSON_TEXT, true, 1, URL_MAX,
						    offsetof(struct wish, url) },
	{ "short_code", JSON_TEXT, false, CODE_MIN, CODE_MAX, offsetof(struct wish, short_code) },
	{ "title", JSON_TEXT, false, 0, LINK_TITLE_MAX, offsetof(struct wish, title) },
	{ "find_if_exists", JSON_BOOLEAN, false, 0, 0, offsetof(struct wish, find_if_exists) },
	{ "id", JSON_REFUSED, false, 0, 0, 0 }, { "user_id", JSON_REFUSED, false, 0, 0, 0 },
	{ "click_count", JSON_REFUSED, false, 0, 0, 0 },
	{ "created_at", JSON_REFUSED, false, 0, 0, 0 },
	{ "updated_at", JSON_REFUSED, false, 0, 0, 0 }, { 0 } };

/* Body to link; every fault of every field is collected before anything is said. */
static bool read_wish(const struct http_request *req, struct http_response *res, struct wish *wish,
	struct link *link)
{
	struct http_faults faults = { 0 };
	uint32_t present;
	if (json_read(req->body, req->body_len, fields, wish, &present, &faults) == JSON_INVALID) {
		http_problem_detail(
			res, 400, "invalid_json", "The body must be a JSON object.", NULL);
		return false;
	}
	const char *bad_url = NULL, *bad_code = NULL;
	if (*wish->url != '\0')
		bad_url = target_url_read(wish->url, link->target);
	if (*wish->short_code != '\0')
		bad_code = code_refusal(wish->short_code);
	if (bad_url != NULL)
		http_fault(&faults, "url", "%s", bad_url);
	if (bad_code != NULL)
		http_fault(&faults, "short_code", "%s", bad_code);
	if (faults.count == 0)
		return true;
	http_problem_detail(res, 400, bad_url != NULL ? "invalid_url" : "invalid_fields",
		"Some fields are wrong.", &faults);
	return false;
}

static void answer_link(struct http_response *res, int status, const struct link *link)
{
	http_begin(res, status, "application/json");
	link_json(&res->body, link);
}

/* An existing link to the same target where one is wanted; else a new one. */
static enum link_result find_or_create(
	struct worker *worker, const struct wish *wish, struct link *link, bool *created)
{
	*created = false;
	if (wish->find_if_exists && *wish->short_code == '\0') {
		enum link_result found = link_find_same(worker->db, link);
		if (found != LINK_UNKNOWN)
			return found;
	}
	*created = true;
	return link_create(worker->db, link);
}

static void shorten(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct wish wish = { 0 };
	struct link link = { .owner = worker->key.owner, .redirect_status = 302 };
	bool created;
	if (!read_wish(req, res, &wish, &link))
		return;
	text_copy(link.code, sizeof(link.code), wish.short_code);
	text_copy(link.title, sizeof(link.title), wish.title);
	enum link_result result = find_or_create(worker, &wish, &link, &created);
	text_copy(worker->code, sizeof(worker->code), link.code);
	switch (result) {
	case LINK_OK:
		if (created)
			metrics_add(METRIC_links_created, 0, 0, 1);
		answer_link(res, created ? 201 : 200, &link);
		return;
	case LINK_TAKEN: http_problem(res, 409, "short_code is taken"); return;
	case LINK_UNKNOWN:
	case LINK_GONE:
	case LINK_DOWN: http_unavailable(res, 1); return;
	}
}

static const struct route routes[] = { { HTTP_POST, "/shorten", LABEL_handler_SHORTEN,
					       SCOPE_LINKS_WRITE, RATE_CREATE, 0,
					       ROUTE_JSON | ROUTE_ANONYMOUS_CREATE, shorten },
	{ 0 } };

const struct service shorten_service = {
	.name = "shorten", .routes = routes, .threads = 4, .database = true
};
