#include "service/link_json.h"

#include <string.h>

#include "service/member.h"

void link_json_short_url(struct text *text, const char *code)
{
	text_addf(text, "%s/%s", config_get()->base_url, code);
}

static void add_tags(struct json_writer *json, const char *tags)
{
	json_open(json, "tags", '[');
	while (*tags != '\0') {
		char tag[LINK_TAGS_MAX];
		size_t len = strcspn(tags, ",");
		memcpy(tag, tags, len);
		tag[len] = '\0';
		json_text(json, NULL, tag);
		tags += len + (tags[len] == ',');
	}
	json_close(json, ']');
}

void link_json_members(struct json_writer *json, const struct link *link, int64_t clicks)
{
	char memory[SHORT_URL_MAX];
	struct text short_url = text_fixed(memory, sizeof(memory));
	link_json_short_url(&short_url, link->code);
	json_number(json, "id", link->id);
	json_text(json, "short_code", link->code);
	json_text(json, "short_url", short_url.data);
	json_text(json, "original_url", link->target);
	json_text(json, "title", *link->title != '\0' ? link->title : NULL);
	member_number_or_null(json, "user_id", link->owner);
	json_boolean(json, "is_active", link->state == LINK_ACTIVE);
	json_number(json, "redirect_status", link->redirect_status);
	json_boolean(json, "forward_query", link->forward_query);
	member_time(json, "valid_since", link->valid_since);
	member_time(json, "valid_until", link->valid_until);
	member_number_or_null(json, "max_visits", link->max_visits);
	add_tags(json, link->tags);
	json_number(json, "click_count", clicks);
	member_time(json, "created_at", link->created_at);
	member_time(json, "updated_at", link->updated_at);
}

void link_json(struct json_writer *json, const struct link *link, int64_t clicks)
{
	json_open(json, NULL, '{');
	link_json_members(json, link, clicks);
	json_close(json, '}');
}
