#include "service/link_json.h"

#include "base/clock.h"
#include "http/json_write.h"

void link_json_short_url(struct text *text, const char *code)
{
	text_addf(text, "%s/%s", config_get()->base_url, code);
}

/* A moment, or null where it is 0: no limit. */
static void add_time(struct json_writer *json, const char *key, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];
	clock_format(wall_ms, moment);
	json_text(json, key, wall_ms == 0 ? NULL : moment);
}

static void add_number_or_null(struct json_writer *json, const char *key, int64_t number)
{
	if (number == 0)
		json_null(json, key);
	else
		json_number(json, key, number);
}

void link_json(struct text *text, const struct link *link)
{
	char memory[SHORT_URL_MAX];
	struct text short_url = text_fixed(memory, sizeof(memory));
	link_json_short_url(&short_url, link->code);

	struct json_writer json = json_writer(text);
	json_open(&json, NULL, '{');
	json_number(&json, "id", link->id);
	json_text(&json, "short_code", link->code);
	json_text(&json, "short_url", short_url.data);
	json_text(&json, "original_url", link->target);
	json_text(&json, "title", *link->title != '\0' ? link->title : NULL);
	add_number_or_null(&json, "user_id", link->owner);
	json_boolean(&json, "is_active", link->state == LINK_ACTIVE);
	json_number(&json, "redirect_status", link->redirect_status);
	json_boolean(&json, "forward_query", link->forward_query);
	add_time(&json, "valid_since", link->valid_since);
	add_time(&json, "valid_until", link->valid_until);
	add_number_or_null(&json, "max_visits", link->max_visits);
	add_time(&json, "created_at", link->created_at);
	add_time(&json, "updated_at", link->updated_at);
	json_close(&json, '}');
}
