/*
 * api - what the files of the program api share: its handlers, and how they find what they are about.
 *
 * A key with an owner sees what is the owner's and nothing else, as if there were nothing else; one
 * without, of the operators, sees everything.
 */
#ifndef CGI_BIN_API_H
#define CGI_BIN_API_H

#include "domain/event.h"
#include "domain/link_list.h"
#include "domain/user.h"
#include "http/json_fields.h"
#include "service/caller.h"

/* A captured number; 0, which nothing has as its id, for anything else. */
int64_t api_id(const struct http_request *req);

/*
 * The link of a captured id or code, in any state but deleted unless `deleted`. False: answered, 404
 * or 503.
 */
bool api_find_link(struct worker *worker, const struct http_request *req, struct http_response *res,
	bool deleted, struct link *link);

/* The same of what was found: whether the caller may go on with it. */
bool api_take_link(struct worker *worker, struct http_response *res, enum link_result result,
	bool deleted, const struct link *link);

/* The user of a captured id. False: answered, 404 or 503. */
bool api_find_user(struct worker *worker, const struct http_request *req, struct http_response *res,
	struct user *user);

/* Reads a JSON body by a table; *seen and *cleared as json_read_change() says, NULL if no matter.
 * False: answered with 400. */
bool api_read(const struct http_request *req, struct http_response *res,
	const struct json_field *fields, void *into, uint32_t *seen, uint32_t *cleared,
	struct http_faults *faults);

/* 400 with these faults; false if there are none. */
bool api_refuse(struct http_response *res, const struct http_faults *faults);

/* 200 {"deleted": true} */
void api_answer_deleted(struct http_response *res);

/* How many links a filter has. False: that cannot be said now. */
bool api_count_links(struct worker *worker, const struct link_filter *filter, struct total *total);

/* Who follows a link and then looks sees the click, waiting that long at most. */
enum { API_OWN_CLICK_MS = 250 };

/* Lists of api_links.c and api_events.c that are shown below another object as well. */
void api_list_links(struct worker *worker, const struct http_request *req,
	struct http_response *res, int64_t owner);
void api_list_events(struct worker *worker, const struct http_request *req,
	struct http_response *res, int64_t link, int64_t owner);

#define HANDLER(name)                                                                              \
	void api_##name(                                                                           \
		struct worker *worker, const struct http_request *req, struct http_response *res)
HANDLER(link_create);
HANDLER(link_list);
HANDLER(link_show);
HANDLER(link_change);
HANDLER(link_delete);
HANDLER(link_restore);
HANDLER(link_events);
HANDLER(link_stats);
HANDLER(user_create);
HANDLER(user_list);
HANDLER(user_show);
HANDLER(user_change);
HANDLER(user_delete);
HANDLER(user_links);
HANDLER(user_events);
HANDLER(user_stats);
HANDLER(event_create);
HANDLER(event_list);
HANDLER(event_show);
HANDLER(event_delete);
HANDLER(event_stats);
HANDLER(key_create);
HANDLER(key_list);
HANDLER(key_delete);
#undef HANDLER

#endif
