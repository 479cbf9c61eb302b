/*
 * link_wish - what a client may say of a link, and what it means: one place for every way in.
 */
#ifndef SERVICE_LINK_WISH_H
#define SERVICE_LINK_WISH_H

#include "domain/link.h"
#include "http/json_fields.h"

enum { LINK_WISH_URL_MAX = 2 * TARGET_URL_MAX /* as typed; the canonical form may be shorter */ };

/* The rows of every table of link_wish_fields, and the bits of what was there. */
enum link_wish_member {
	WISH_URL, /* what /shorten calls it; elsewhere another word for original_url */
	WISH_ORIGINAL_URL,
	WISH_SHORT_CODE,
	WISH_TITLE,
	WISH_FIND_IF_EXISTS,
	WISH_REDIRECT_STATUS,
	WISH_FORWARD_QUERY,
	WISH_VALID_SINCE,
	WISH_VALID_UNTIL,
	WISH_MAX_VISITS,
	WISH_TAGS,
	WISH_IS_ACTIVE,
	WISH_USER_ID,
	WISH_ID,
	WISH_CREATED_AT,
	WISH_UPDATED_AT,
	WISH_SHORT_URL,
	WISH_CLICK_COUNT,
	WISH_COUNT
};

#define WISH_HAS(mask, member) (((mask) >> (member)&1) != 0)

struct link_wish {
	char url[LINK_WISH_URL_MAX + 1];
	char original_url[LINK_WISH_URL_MAX + 1];
	char short_code[CODE_MAX + 1];
	char title[LINK_TITLE_MAX + 1];
	bool find_if_exists;
	int64_t redirect_status;
	bool forward_query;
	int64_t valid_since; /* milliseconds since 1970, as all times here */
	int64_t valid_until;
	int64_t max_visits;
	struct json_texts tags;
	bool is_active;
	int64_t user_id;
	int64_t id, created_at, updated_at; /* of an import alone */
};

extern const struct json_field link_wish_shorten[]; /* the public way in */
extern const struct json_field link_wish_create[];
extern const struct json_field link_wish_change[];
extern const struct json_field link_wish_bulk[];   /* a row of many */
extern const struct json_field link_wish_import[]; /* likewise, that keeps ids and times */

/*
 * Puts into the link what the members of seen say, and takes away those of cleared; the owner is the
 * caller's affair, and so is whether a target is there at all. What is wrong is added to the faults.
 * False if that is the target.
 */
bool link_wish_apply(const struct link_wish *wish, uint32_t seen, uint32_t cleared,
	struct link *link, struct http_faults *faults);

#endif
