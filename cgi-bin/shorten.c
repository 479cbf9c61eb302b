/*
 * shorten - the public way in: a URL goes in, a short link comes out.
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "domain/link.h"
#include "domain/replica.h"
#include "domain/target_url.h"
#include "http/json_fields.h"
#include "service/link_json.h"
#include "service/service.h"

enum {
	URL_MAX = 2 * TARGET_URL_MAX, /* as typed; the canonical form may be shorter */
	REPLICA_WAIT_MS = 100,        /* for a creator to be able to follow the own link */
	REFUSING_RETRY_S = 30         /* an operator has to decide something first */
};

struct wish {
	char url[URL_MAX + 1];
	char short_code[CODE_MAX + 1];
	char title[LINK_TITLE_MAX + 1];
	bool find_if_exists;
	int64_t redirect_status;
	bool forward_query;
	int64_t valid_since; /* milliseconds since 1970 */
	int64_t valid_until;
	int64_t max_visits;
};

static const struct json_field fields[] = { { "url", JSON_TEXT, true, 1, URL_MAX,
						    offsetof(struct wish, url) },
	{ "short_code", JSON_TEXT, false, CODE_MIN, CODE_MAX, offsetof(struct wish, short_code) },
	{ "title", JSON_TEXT, false, 0, LINK_TITLE_MAX, offsetof(struct wish, title) },
	{ "find_if_exists", JSON_BOOLEAN, false, 0, 0, offsetof(struct wish, find_if_exists) },
	{ "redirect_status", JSON_NUMBER, false, 301, 308, offsetof(struct wish, redirect_status) },
	{ "forward_query", JSON_BOOLEAN, false, 0, 0, offsetof(struct wish, forward_query) },
	{ "valid_since", JSON_TIME, false, 0, 0, offsetof(struct wish, valid_since) },
	{ "valid_until", JSON_TIME, false, 0, 0, offsetof(struct wish, valid_until) },
	{ "max_visits", JSON_NUMBER, false, 1, INT32_MAX, offsetof(struct wish, max_visits) },
	{ "id", JSON_REFUSED, false, 0, 0, 0 }, { "user_id", JSON_REFUSED, false, 0, 0, 0 },
	{ "is_active", JSON_REFUSED, false, 0, 0, 0 }, { "tags", JSON_REFUSED, false, 0, 0, 0 },
	{ "click_count", JSON_REFUSED, false, 0, 0, 0 },
	{ "created_at", JSON_REFUSED, false, 0, 0, 0 },
	{ "updated_at", JSON_REFUSED, false, 0, 0, 0 }, { 0 } };

/*
 * A title is shown beside the target, so it must not be able to show itself in another order:
 * controls and the marks of direction (U+202A to 202E, U+2066 to 2069) are refused.
 */
static const char *title_refusal(const char *title)
{
	size_t blanks = strspn(title, " ");
	if (title[0] != '\0' && title[blanks] == '\0')
		return "must not be blank";
	for (const char *at = title; *at != '\0'; at++) {
		unsigned char c = (unsigned char)at[0];
		bool embedding = strncmp(at, "\u202A", 2) == 0 && (unsigned char)at[2] >= 0xAA &&
				 (unsigned char)at[2] <= 0xAE;
		bool isolate = strncmp(at, "\u2066", 2) == 0 && (unsigned char)at[2] >= 0xA6 &&
			       (unsigned char)at[2] <= 0xA9;
		if (c < 0x20 || c == 0x7f || embedding || isolate)
			return "must not contain control characters or marks of direction";
	}
	return NULL;
}

static void check_times(const struct wish *wish, struct http_faults *faults)
{
	if (wish->valid_until == 0)
		return;
	if (wish->valid_until <= clock_wall_ms())
		http_fault(faults, "valid_until", "must not be over yet");
	else if (wish->valid_until <= wish->valid_since)
		http_fault(faults, "valid_until", "must be later than valid_since");
}

/* What a table of fields cannot say about them. False if the URL itself is refused. */
static bool check_meaning(const struct wish *wish, struct link *link, struct http_faults *faults)
{
	const char *bad_url = *wish->url != '\0' ? target_url_read(wish->url, link->target) : NULL;
	const char *bad_code = *wish->short_code != '\0' ? code_refusal(wish->short_code) : NULL;
	int64_t status = wish->redirect_status;
	const char *bad_title = title_refusal(wish->title);
	if (bad_url != NULL)
		http_fault(faults, "url", "%s", bad_url);
	if (bad_title != NULL)
		http_fault(faults, "title", "%s", bad_title);
	if (bad_code != NULL)
		http_fault(faults, "short_code", "%s", bad_code);
	if (status != 301 && status != 302 && status != 307 && status != 308)
		http_fault(faults, "redirect_status", "must be 301, 302, 307 or 308");
	check_times(wish, faults);
	return bad_url == NULL;
}

/* Every fault of every field is collected before anything is said. */
static bool read_wish(const struct http_request *req, struct http_response *res, struct wish *wish,
	struct link *link)
{
	struct http_faults faults = { 0 };
	if (json_read(req->body, req->body_len, fields, wish, NULL, &faults) == JSON_INVALID) {
		http_problem_detail(res, 400, "invalid_json", "The body is not valid JSON.", NULL);
		return false;
	}
	bool good_url = check_meaning(wish, link, &faults);
	if (faults.count == 0)
		return true;
	http_problem_detail(res, 400, good_url ? "invalid_fields" : "invalid_url",
		"Some fields are wrong.", &faults);
	return false;
}

static void fill(struct link *link, const struct wish *wish)
{
	text_copy(link->code, sizeof(link->code), wish->short_code);
	text_copy(link->title, sizeof(link->title), wish->title);
	link->redirect_status = (int)wish->redirect_status;
	link->forward_query = wish->forward_query;
	link->valid_since = wish->valid_since;
	link->valid_until = wish->valid_until;
	link->max_visits = wish->max_visits;
}

static void answer_link(struct http_response *res, int status, const struct link *link)
{
	http_begin(res, status, "application/json");
	link_json(&res->body, link);
}

/* Only a link without conditions of its own can be somebody else's wish as well. */
static bool may_be_found(const struct wish *wish)
{
	return wish->find_if_exists && *wish->short_code == '\0' && wish->valid_since == 0 &&
	       wish->valid_until == 0 && wish->max_visits == 0;
}

/*
 * An existing link to the same target where one is wanted; else a new one. A code that PostgreSQL
 * does not know but the replica does was lost there: it is nobody else's.
 */
static enum link_result find_or_create(
	struct worker *worker, const struct wish *wish, struct link *link, bool *created)
{
	*created = false;
	if (may_be_found(wish)) {
		enum link_result found = link_find_same(worker->db, link);
		if (found != LINK_UNKNOWN)
			return found;
	}
	if (*link->code != '\0' && replica_holds(worker->replica, link->code))
		return LINK_TAKEN;
	*created = true;
	return link_create_settled(worker->db, link, replica_settle);
}

static void answer_stored(
	struct worker *worker, struct http_response *res, int status, const struct link *link)
{
	if (status == 201)
		metrics_add(METRIC_links_created, 0, 0, 1);
	/* Stored it is in any case; without the replica it only takes longer to be followed. */
	(void)replica_wait(worker->replica, link, REPLICA_WAIT_MS);
	answer_link(res, status, link);
}

static void shorten(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct wish wish = { .redirect_status = 302 };
	struct link link = { .owner = worker->key.owner };
	bool created;
	if (!read_wish(req, res, &wish, &link))
		return;
	/* A database that nobody trusts yet would give the codes and ids of lost links away. */
	if (replica_state() == LABEL_state_REFUSING) {
		http_unavailable(res, REFUSING_RETRY_S);
		return;
	}
	fill(&link, &wish);
	enum link_result result = find_or_create(worker, &wish, &link, &created);
	text_copy(worker->code, sizeof(worker->code), link.code);
	switch (result) {
	case LINK_OK: answer_stored(worker, res, created ? 201 : 200, &link); return;
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

/* Many threads on few connections: they wait for PostgreSQL and the replica together, in groups. */
const struct service shorten_service = { .name = "shorten",
	.routes = routes,
	.threads = 32,
	.connections = 4,
	.needs = NEEDS_DATABASE | NEEDS_REPLICA,
	.timed = LABEL_timed_SHORTEN };
