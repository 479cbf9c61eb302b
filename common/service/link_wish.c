#include "service/link_wish.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "domain/batch.h"

#define AT(member) offsetof(struct link_wish, member)

/* A row of a table; where it is not the caller's to write, REFUSED says so. */
#define URL(needed)                                                                                \
	{                                                                                          \
		"url", JSON_TEXT, needed, 1, LINK_WISH_URL_MAX, AT(url)                            \
	}
#define ORIGINAL_URL                                                                               \
	{                                                                                          \
		"original_url", JSON_TEXT, false, 1, LINK_WISH_URL_MAX, AT(original_url)           \
	}
#define SHORT_CODE                                                                                 \
	{                                                                                          \
		"short_code", JSON_TEXT, false, CODE_MIN, CODE_MAX, AT(short_code)                 \
	}
#define FIND                                                                                       \
	{                                                                                          \
		"find_if_exists", JSON_BOOLEAN, false, 0, 0, AT(find_if_exists)                    \
	}
#define IS_ACTIVE                                                                                  \
	{                                                                                          \
		"is_active", JSON_BOOLEAN, false, 0, 0, AT(is_active)                              \
	}
#define USER_ID                                                                                    \
	{                                                                                          \
		"user_id", JSON_NUMBER, false, 1, JSON_NUMBER_MAX, AT(user_id)                     \
	}
#define ID                                                                                         \
	{                                                                                          \
		"id", JSON_NUMBER, false, 1, BATCH_ID_MAX, AT(id)                                  \
	}
#define TIME(name)                                                                                 \
	{                                                                                          \
#name, JSON_TIME, false, 0, 0, AT(name)                                            \
	}
#define REFUSED(name)                                                                              \
	{                                                                                          \
		name, JSON_REFUSED, false, 0, 0, 0                                                 \
	}
#define IGNORED(name)                                                                              \
	{                                                                                          \
		name, JSON_IGNORED, false, 0, 0, 0                                                 \
	}

/* What is the same for all. */
#define DESCRIPTION                                                                                \
	[WISH_TITLE] = { "title", JSON_TEXT, false, 0, LINK_TITLE_MAX, AT(title) },                \
	[WISH_REDIRECT_STATUS] = { "redirect_status", JSON_NUMBER, false, 301, 308,                \
		AT(redirect_status) },                                                             \
	[WISH_FORWARD_QUERY] = { "forward_query", JSON_BOOLEAN, false, 0, 0, AT(forward_query) },  \
	[WISH_VALID_SINCE] = TIME(valid_since), [WISH_VALID_UNTIL] = TIME(valid_until),            \
	[WISH_MAX_VISITS] = { "max_visits", JSON_NUMBER, false, 1, INT32_MAX, AT(max_visits) },    \
	[WISH_TAGS] = { "tags", JSON_TEXTS, false, 1, LINK_TAG_MAX, AT(tags) }
#define SHOWN_ONLY                                                                                 \
	[WISH_SHORT_URL] = REFUSED("short_url"), [WISH_CLICK_COUNT] = REFUSED("click_count")
#define KEPT                                                                                       \
	[WISH_ID] = REFUSED("id"), [WISH_CREATED_AT] = REFUSED("created_at"),                      \
	[WISH_UPDATED_AT] = REFUSED("updated_at")

const struct json_field link_wish_shorten[WISH_COUNT + 1] = { DESCRIPTION, SHOWN_ONLY,
	KEPT, [WISH_URL] = URL(true), [WISH_ORIGINAL_URL] = IGNORED("original_url"),
	[WISH_SHORT_CODE] = SHORT_CODE, [WISH_FIND_IF_EXISTS] = FIND,
	[WISH_IS_ACTIVE] = REFUSED("is_active"), [WISH_USER_ID] = REFUSED("user_id") };

const struct json_field link_wish_create[WISH_COUNT + 1] = { DESCRIPTION, SHOWN_ONLY,
	KEPT, [WISH_URL] = URL(false), [WISH_ORIGINAL_URL] = ORIGINAL_URL,
	[WISH_SHORT_CODE] = SHORT_CODE, [WISH_FIND_IF_EXISTS] = FIND,
	[WISH_IS_ACTIVE] = REFUSED("is_active"), [WISH_USER_ID] = USER_ID };

const struct json_field link_wish_change[WISH_COUNT + 1] = { DESCRIPTION, SHOWN_ONLY,
	KEPT, [WISH_URL] = URL(false), [WISH_ORIGINAL_URL] = ORIGINAL_URL,
	[WISH_SHORT_CODE] = REFUSED("short_code"),
	[WISH_FIND_IF_EXISTS] = IGNORED("find_if_exists"), [WISH_IS_ACTIVE] = IS_ACTIVE,
	[WISH_USER_ID] = USER_ID };

/* What was exported comes back: what it only shows is passed over. */
#define ROW                                                                                        \
	[WISH_URL] = URL(false), [WISH_ORIGINAL_URL] = ORIGINAL_URL,                               \
	[WISH_SHORT_CODE] = SHORT_CODE, [WISH_FIND_IF_EXISTS] = IGNORED("find_if_exists"),         \
	[WISH_IS_ACTIVE] = IS_ACTIVE, [WISH_USER_ID] = USER_ID,                                    \
	[WISH_SHORT_URL] = IGNORED("short_url"), [WISH_CLICK_COUNT] = IGNORED("click_count")

const struct json_field link_wish_bulk[WISH_COUNT + 1] = { DESCRIPTION, ROW, KEPT };

const struct json_field link_wish_import[WISH_COUNT + 1] = { DESCRIPTION, ROW, [WISH_ID] = ID,
	[WISH_CREATED_AT] = TIME(created_at), [WISH_UPDATED_AT] = TIME(updated_at) };

/*
 * A title is shown beside the target, so it must not be able to show itself in another order:
 * controls and the marks of direction (U+202A to 202E, U+2066 to 2069) are refused.
 */
static const char *text_refusal(const char *text)
{
	size_t blanks = strspn(text, " ");
	if (text[0] != '\0' && text[blanks] == '\0')
		return "must not be blank";
	for (const char *at = text; *at != '\0'; at++) {
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

static bool apply_target(
	const struct link_wish *wish, uint32_t seen, struct link *link, struct http_faults *faults)
{
	bool original = WISH_HAS(seen, WISH_ORIGINAL_URL);
	const char *url = original ? wish->original_url : wish->url;
	/* Not read because of a fault that is told already. */
	if (*url == '\0')
		return true;
	const char *what = target_url_read(url, link->target);
	if (what != NULL)
		http_fault(faults, original ? "original_url" : "url", "%s", what);
	return what == NULL;
}

static void apply_code(const struct link_wish *wish, struct link *link, struct http_faults *faults)
{
	const char *what = *wish->short_code != '\0' ? code_refusal(wish->short_code) : NULL;
	if (what != NULL)
		http_fault(faults, "short_code", "%s", what);
	text_copy(link->code, sizeof(link->code), wish->short_code);
}

static void apply_title(const struct link_wish *wish, struct link *link, struct http_faults *faults)
{
	const char *what = text_refusal(wish->title);
	if (what != NULL)
		http_fault(faults, "title", "%s", what);
	text_copy(link->title, sizeof(link->title), wish->title);
}

static void apply_status(
	const struct link_wish *wish, struct link *link, struct http_faults *faults)
{
	int64_t status = wish->redirect_status;
	if (status != 0 && status != 301 && status != 302 && status != 307 && status != 308)
		http_fault(faults, "redirect_status", "must be 301, 302, 307 or 308");
	link->redirect_status = (int)status;
}

static void apply_tags(const struct link_wish *wish, struct link *link, struct http_faults *faults)
{
	struct text tags = text_fixed(link->tags, sizeof(link->tags));
	for (unsigned i = 0; i < wish->tags.count; i++) {
		const char *tag = wish->tags.list[i], *what = text_refusal(tag);
		if (what == NULL && strchr(tag, ',') != NULL)
			what = "must not contain commas";
		if (what != NULL) {
			http_fault(faults, "tags", "%s", what);
			return;
		}
		text_addf(&tags, "%s%s", i > 0 ? "," : "", tag);
	}
}

static void check_times(bool ends_anew, const struct link *link, struct http_faults *faults)
{
	if (link->valid_until == 0)
		return;
	if (ends_anew && link->valid_until <= clock_wall_ms())
		http_fault(faults, "valid_until", "must not be over yet");
	else if (link->valid_until <= link->valid_since)
		http_fault(faults, "valid_until", "must be later than valid_since");
}

/* What goes into the link as it is. A member that is cleared is 0 or empty in the wish. */
static void apply_plain(const struct link_wish *wish, uint32_t touched, struct link *link)
{
	if (WISH_HAS(touched, WISH_FORWARD_QUERY))
		link->forward_query = wish->forward_query;
	if (WISH_HAS(touched, WISH_VALID_SINCE))
		link->valid_since = wish->valid_since;
	if (WISH_HAS(touched, WISH_VALID_UNTIL))
		link->valid_until = wish->valid_until;
	if (WISH_HAS(touched, WISH_MAX_VISITS))
		link->max_visits = wish->max_visits;
}

bool link_wish_apply(const struct link_wish *wish, uint32_t seen, uint32_t cleared,
	struct link *link, struct http_faults *faults)
{
	const uint32_t touched = seen | cleared;
	bool good = apply_target(wish, seen, link, faults);
	if (WISH_HAS(seen, WISH_SHORT_CODE))
		apply_code(wish, link, faults);
	if (WISH_HAS(touched, WISH_TITLE))
		apply_title(wish, link, faults);
	if (WISH_HAS(seen, WISH_REDIRECT_STATUS))
		apply_status(wish, link, faults);
	if (WISH_HAS(touched, WISH_TAGS))
		apply_tags(wish, link, faults);
	if (WISH_HAS(seen, WISH_IS_ACTIVE))
		link->state = wish->is_active ? LINK_ACTIVE : LINK_DISABLED;
	apply_plain(wish, touched, link);
	/* What was made before may be over. */
	check_times(
		WISH_HAS(seen, WISH_VALID_UNTIL) && !WISH_HAS(seen, WISH_CREATED_AT), link, faults);
	return good;
}
