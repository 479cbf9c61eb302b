#include "service/link_make.h"

#include "domain/replica.h"
#include "service/link_json.h"

void link_make_refuse(struct http_response *res, bool good_target, const struct http_faults *faults)
{
	http_problem_detail(res, 400, good_target ? "invalid_fields" : "invalid_url",
		"Some fields are wrong.", faults);
}

/* Every fault of every field is collected before anything is said. */
bool link_make_read(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, struct link_wish *wish, struct link *link)
{
	struct http_faults faults = { 0 };
	uint32_t seen;
	*wish = (struct link_wish){ .redirect_status = 302 };
	enum json_result result = json_read(req->body, req->body_len, fields, wish, &seen, &faults);
	if (result == JSON_INVALID) {
		http_problem_detail(res, 400, "invalid_json", "The body is not valid JSON.", NULL);
		return false;
	}
	bool readable = faults.count == 0 || seen != 0;
	if (readable && !WISH_HAS(seen, WISH_URL) && !WISH_HAS(seen, WISH_ORIGINAL_URL) &&
		!fields[WISH_URL].required)
		http_fault(&faults, "original_url", "is required");
	bool good_target = link_wish_apply(wish, seen, 0, link, &faults);
	if (faults.count > 0)
		link_make_refuse(res, good_target, &faults);
	return faults.count == 0;
}

void link_make_answer(
	struct http_response *res, int status, const struct link *link, int64_t clicks)
{
	char memory[32];
	struct text tag = text_fixed(memory, sizeof(memory));
	text_addf(&tag, "\"%lld\"", (long long)link->version);
	http_begin(res, status, "application/json");
	http_header(res, "ETag", tag.data);
	struct json_writer json = json_writer(&res->body);
	link_json(&json, link, clicks);
}

/* Only a link without conditions of its own can be somebody else's wish as well. */
static bool may_be_found(const struct link_wish *wish)
{
	return wish->find_if_exists && *wish->short_code == '\0' && wish->valid_since == 0 &&
	       wish->valid_until == 0 && wish->max_visits == 0;
}

/* LINK_UNKNOWN: there is none, or none may be taken. */
static enum link_result find(
	struct worker *worker, const struct link_wish *wish, struct link *link, int64_t *clicks)
{
	struct link found = *link;
	enum link_result result =
		may_be_found(wish) ? link_find_same(worker->db, &found) : LINK_UNKNOWN;
	if (result == LINK_OK)
		result = link_clicks(worker->db, found.id, clicks);
	if (result == LINK_OK)
		*link = found;
	return result;
}

/* A code that PostgreSQL does not know but the replica does was lost there: it is nobody else's. */
static enum link_result create(struct worker *worker, struct link *link)
{
	if (*link->code != '\0' && replica_holds(worker->replica, link->code))
		return LINK_TAKEN;
	return link_create_settled(worker->db, link, replica_settle);
}

static void answer_made(struct worker *worker, struct http_response *res, int status,
	const struct link *link, int64_t clicks)
{
	if (status == 201)
		metrics_add(METRIC_links_created, 0, 0, 1);
	/* Stored it is in any case; without the replica it only takes longer to be followed. */
	(void)replica_wait(worker->replica, link, LINK_SETTLE_MS);
	link_make_answer(res, status, link, clicks);
}

void link_make(struct worker *worker, struct http_response *res, const struct link_wish *wish,
	struct link *link)
{
	int64_t clicks = 0;
	int status = 200;
	/* A database that nobody trusts yet would give the codes and ids of lost links away. */
	if (replica_state() == LABEL_state_REFUSING) {
		http_unavailable(res, LINK_REFUSING_RETRY_S);
		return;
	}
	enum link_result result = find(worker, wish, link, &clicks);
	if (result == LINK_UNKNOWN) {
		status = 201;
		result = create(worker, link);
	}
	text_copy(worker->code, sizeof(worker->code), link->code);
	switch (result) {
	case LINK_OK: answer_made(worker, res, status, link, clicks); return;
	case LINK_TAKEN: http_problem(res, 409, "short_code is taken"); return;
	case LINK_NOBODY: http_problem(res, 404, "user not found"); return;
	case LINK_UNKNOWN:
	case LINK_GONE:
	case LINK_CHANGED:
	case LINK_DOWN: http_unavailable(res, 1); return;
	}
}
