/*
 * json_write - writes one JSON document into a bounded text, commas and escapes kept right.
 * What does not fit sets text->cut. Nesting is at most JSON_DEPTH.
 */
#ifndef HTTP_JSON_WRITE_H
#define HTTP_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum { JSON_DEPTH = 16 };

struct json_writer {
	struct text *text;
	unsigned depth;
	bool first[JSON_DEPTH];
};

struct json_writer json_writer(struct text *text);

/* key is NULL inside an array and for the document itself. */
void json_open(struct json_writer *json, const char *key, char bracket);      /* '{' or '[' */
void json_close(struct json_writer *json, char bracket);                      /* '}' or ']' */
void json_text(struct json_writer *json, const char *key, const char *value); /* NULL: null */
void json_number(struct json_writer *json, const char *key, int64_t value);
void json_decimal(struct json_writer *json, const char *key, double value); /* two digits */
void json_boolean(struct json_writer *json, const char *key, bool value);
void json_raw(struct json_writer *json, const char *key, const char *value); /* is JSON already */
void json_null(struct json_writer *json, const char *key);

#endif
