/*
 * api - links, users, events and keys, for programs that have a key.
 */
#include "cgi-bin/api.h"

#include "http/json_fields.h"
#include "http/json_write.h"

int64_t api_id(const struct http_request *req)
{
	int64_t id = 0;
	(void)text_to_number(req->capture, 1, INT64_MAX, &id);
	return id;
}

/* All digits are an id, anything else is a code. */
static enum link_result find_link(struct worker *worker, const char *name, struct link *link)
{
	int64_t id;
	if (text_to_number(name, 1, INT64_MAX, &id))
		return link_find_id(worker->db, id, link);
	return code_is_valid(name) ? link_find(worker->db, name, link) : LINK_UNKNOWN;
}

bool api_take_link(struct worker *worker, struct http_response *res, enum link_result result,
	bool deleted, const struct link *link)
{
	if (result == LINK_OK && (deleted || link->state != LINK_DELETED) &&
		caller_may_see(worker, link->owner)) {
		text_copy(worker->code, sizeof(worker->code), link->code);
		return true;
	}
	if (result == LINK_OK || result == LINK_UNKNOWN)
		http_problem(res, 404, "url not found");
	else
		http_unavailable(res, 1);
	return false;
}

bool api_find_link(struct worker *worker, const struct http_request *req, struct http_response *res,
	bool deleted, struct link *link)
{
	enum link_result result = find_link(worker, req->capture, link);
	return api_take_link(worker, res, result, deleted, link);
}

bool api_find_user(struct worker *worker, const struct http_request *req, struct http_response *res,
	struct user *user)
{
	int64_t id = api_id(req);
	enum user_result result = id != 0 && caller_may_see(worker, id)
					  ? user_find(worker->db, id, user)
					  : USER_UNKNOWN;
	if (result == USER_OK)
		return true;
	if (result == USER_UNKNOWN)
		http_problem(res, 404, "user not found");
	else
		http_unavailable(res, 1);
	return false;
}

bool api_refuse(struct http_response *res, const struct http_faults *faults)
{
	if (faults->count > 0)
		http_problem_detail(res, 400, "invalid_fields", "Some fields are wrong.", faults);
	return faults->count > 0;
}

bool api_read(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, void *into, uint32_t *seen, uint32_t *cleared,
	struct http_faults *faults)
{
	if (json_read_change(req->body, req->body_len, fields, into, seen, cleared, faults) !=
		JSON_INVALID)
		return true;
	http_problem_detail(res, 400, "invalid_json", "The body is not valid JSON.", NULL);
	return false;
}

void api_answer_deleted(struct http_response *res)
{
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_boolean(&json, "deleted", true);
	json_close(&json, '}');
}

#define GET_OR_HEAD  (HTTP_GET | HTTP_HEAD)
#define PUT_OR_PATCH (HTTP_PUT | HTTP_PATCH)
#define ROUTE(methods, path, label, scope, rate, flags, handler)                                   \
	{                                                                                          \
		methods, path, LABEL_handler_##label, SCOPE_##scope, RATE_##rate, 0, flags,        \
			api_##handler                                                              \
	}
#define READ(path, label, scope, handler) ROUTE(GET_OR_HEAD, path, label, scope, API, 0, handler)
#define MAKE(path, label, scope, rate, handler)                                                    \
	ROUTE(HTTP_POST, path, label, scope, rate, ROUTE_JSON, handler)
#define CHANGE(path, label, scope, handler)                                                        \
	ROUTE(PUT_OR_PATCH, path, label, scope, API, ROUTE_JSON, handler)
#define DELETE(path, label, scope, handler) ROUTE(HTTP_DELETE, path, label, scope, API, 0, handler)

static const struct route routes[] = {
	MAKE("/urls", LINKS, LINKS_WRITE, CREATE, link_create),
	READ("/urls", LINKS_LIST, LINKS_READ, link_list),
	READ("/urls/:id", LINKS, LINKS_READ, link_show),
	CHANGE("/urls/:id", LINKS, LINKS_WRITE, link_change),
	DELETE("/urls/:id", LINKS, LINKS_WRITE, link_delete),
	ROUTE(HTTP_POST, "/urls/:id/restore", LINKS, LINKS_WRITE, API, 0, link_restore),
	READ("/urls/:id/events", EVENTS, STATS_READ, link_events),
	READ("/urls/:id/stats", LINKS_STATS, STATS_READ, link_stats),

	MAKE("/users", USERS, USERS_ADMIN, API, user_create),
	READ("/users", USERS, USERS_ADMIN, user_list),
	READ("/users/:id", USERS, USERS_ADMIN, user_show),
	CHANGE("/users/:id", USERS, USERS_ADMIN, user_change),
	DELETE("/users/:id", USERS, USERS_ADMIN, user_delete),
	READ("/users/:id/urls", LINKS_LIST, LINKS_READ, user_links),
	READ("/users/:id/events", EVENTS, STATS_READ, user_events),
	READ("/users/:id/stats", USERS, STATS_READ, user_stats),

	MAKE("/events", EVENTS, EVENTS_WRITE, API, event_create),
	READ("/events", EVENTS, STATS_READ, event_list),
	READ("/events/stats", EVENTS, STATS_READ, event_stats),
	READ("/events/:id", EVENTS, STATS_READ, event_show),
	DELETE("/events/:id", EVENTS, EVENTS_WRITE, event_delete),

	MAKE("/keys", KEYS, KEYS_ADMIN, API, key_create),
	READ("/keys", KEYS, KEYS_ADMIN, key_list),
	DELETE("/keys/:id", KEYS, KEYS_ADMIN, key_delete),
	{ 0 },
};

const struct service api_service = { .name = "api",
	.routes = routes,
	.threads = 4,
	.needs = NEEDS_DATABASE | NEEDS_REPLICA | NEEDS_BLOCKLIST,
	.timed = LABEL_timed_API };
