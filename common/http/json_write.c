#include "http/json_write.h"

#include <math.h>
#include <string.h>

struct json_writer json_writer(struct text *text)
{
	return (struct json_writer){ .text = text, .first = { true } };
}

/* What stands before a value: a comma unless it is the first, and its key. */
static void add_key(struct json_writer *json, const char *key)
{
	if (json->depth < JSON_DEPTH) {
		if (!json->first[json->depth])
			text_add_char(json->text, ',');
		json->first[json->depth] = false;
	}
	if (key == NULL)
		return;
	text_add_char(json->text, '"');
	text_add_json(json->text, key, strlen(key));
	text_add(json->text, "\":");
}

void json_open(struct json_writer *json, const char *key, char bracket)
{
	add_key(json, key);
	text_add_char(json->text, bracket);
	json->depth++;
	if (json->depth < JSON_DEPTH)
		json->first[json->depth] = true;
	else
		json->text->cut = true;
}

void json_close(struct json_writer *json, char bracket)
{
	if (json->depth > 0)
		json->depth--;
	text_add_char(json->text, bracket);
}

void json_text(struct json_writer *json, const char *key, const char *value)
{
	if (value == NULL) {
		json_null(json, key);
		return;
	}
	add_key(json, key);
	text_add_char(json->text, '"');
	text_add_json(json->text, value, strlen(value));
	text_add_char(json->text, '"');
}

void json_number(struct json_writer *json, const char *key, int64_t value)
{
	add_key(json, key);
	text_add_number(json->text, value);
}

void json_decimal(struct json_writer *json, const char *key, double value)
{
	if (!isfinite(value)) { /* JSON has no word for them */
		json_null(json, key);
		return;
	}
	add_key(json, key);
	if (fabs(value) >= 1e15) { /* no digits after the point are left, nor would they fit */
		text_addf(json->text, "%.0f", value);
		return;
	}
	/* printf's point would follow the locale. */
	int64_t hundredths = (int64_t)(value * 100 + (value < 0 ? -0.5 : 0.5));
	int64_t size = hundredths < 0 ? -hundredths : hundredths;
	text_addf(json->text, "%s%lld.%02lld", hundredths < 0 ? "-" : "", (long long)(size / 100),
		(long long)(size % 100));
}

void json_boolean(struct json_writer *json, const char *key, bool value)
{
	add_key(json, key);
	text_add(json->text, value ? "true" : "false");
}

void json_null(struct json_writer *json, const char *key)
{
	add_key(json, key);
	text_add(json->text, "null");
}

void json_raw(struct json_writer *json, const char *key, const char *value)
{
	add_key(json, key);
	text_add(json->text, value);
}
