#include "http/json_array.h"

#include <stdlib.h>
#include <string.h>

enum state {
	AT_OPEN,    /* before [ */
	AT_FIRST,   /* before the first element, or ] */
	AT_NEXT,    /* before an element, after a comma */
	IN_VALUE,   /* of an element, outside its strings */
	IN_STRING,  /* of an element */
	AT_ESCAPED, /* after a backslash in it */
	AT_CLOSED,  /* after ] */
	IN_OTHER    /* this is no JSON array */
};

struct json_array {
	json_element_taker take;
	void *context;
	enum state state;
	size_t number; /* of the last element shown */
	size_t depth;  /* of brackets open in the element */
	size_t len;    /* of the element so far; of one that is too long, JSON_ELEMENT_MAX + 1 */
	char bytes[JSON_ELEMENT_MAX];
};

struct json_array *json_array_new(json_element_taker take, void *context)
{
	struct json_array *array = calloc(1, sizeof(*array));
	if (array != NULL) {
		array->take = take;
		array->context = context;
	}
	return array;
}

void json_array_free(struct json_array *array)
{
	free(array);
}

static void keep(struct json_array *array, const char *bytes, size_t len)
{
	if (array->len > JSON_ELEMENT_MAX || len > JSON_ELEMENT_MAX - array->len) {
		array->len = JSON_ELEMENT_MAX + 1;
		return;
	}
	memcpy(array->bytes + array->len, bytes, len);
	array->len += len;
}

static void end_element(struct json_array *array)
{
	bool whole = array->len <= JSON_ELEMENT_MAX;
	const struct json_element element = {
		.number = ++array->number,
		.bytes = whole ? array->bytes : NULL,
		.len = whole ? array->len : 0,
		.fault = whole ? NULL : "is longer than 64 KiB",
	};
	array->take(&element, array->context);
	array->len = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A bracket, comma or anything else of an element outside its strings. */
static void take_value(struct json_array *array, char c)
{
	if (array->depth == 0 && (c == ',' || c == ']')) {
		end_element(array);
		array->state = c == ',' ? AT_NEXT : AT_CLOSED;
		return;
	}
	keep(array, &c, 1);
	if (c == '"')
		array->state = IN_STRING;
	else if (c == '{' || c == '[')
		array->depth++;
	else if ((c == '}' || c == ']') && array->depth > 0)
		array->depth--;
}

static void take_string(struct json_array *array, char c)
{
	keep(array, &c, 1);
	if (c == '"')
		array->state = IN_VALUE;
	else if (c == '\\')
		array->state = AT_ESCAPED;
}

/* The first byte of an element. */
static void begin_element(struct json_array *array, char c)
{
	if (c == ',' || c == ']') {
		array->state = IN_OTHER;
		return;
	}
	array->state = IN_VALUE;
	array->depth = 0;
	take_value(array, c);
}

static void take_byte(struct json_array *array, char c)
{
	switch (array->state) {
	case AT_OPEN:
		if (!is_blank(c))
			array->state = c == '[' ? AT_FIRST : IN_OTHER;
		break;
	case AT_FIRST:
		if (c == ']')
			array->state = AT_CLOSED;
		else if (!is_blank(c))
			begin_element(array, c);
		break;
	case AT_NEXT:
		if (!is_blank(c))
			begin_element(array, c);
		break;
	case IN_VALUE: take_value(array, c); break;
	case IN_STRING: take_string(array, c); break;
	case AT_ESCAPED:
		keep(array, &c, 1);
		array->state = IN_STRING;
		break;
	case AT_CLOSED:
		if (!is_blank(c))
			array->state = IN_OTHER;
		break;
	case IN_OTHER: break;
	}
}

/* How many of the bytes are nothing but text where the reader is: they are taken at once. */
static size_t text_run(enum state state, const char *bytes, size_t len)
{
	static const bool stops[2][256] = {
		{ ['"'] = true,
			[','] = true,
			['{'] = true,
			['['] = true,
			['}'] = true,
			[']'] = true },
		{ ['"'] = true, ['\\'] = true },
	};
	size_t run = 0;
	if (state != IN_VALUE && state != IN_STRING)
		return 0;
	while (run < len && !stops[state == IN_STRING][(unsigned char)bytes[run]])
		run++;
	return run;
}

bool json_array_feed(struct json_array *array, const char *bytes, size_t len)
{
	while (len > 0 && array->state != IN_OTHER) {
		size_t run = text_run(array->state, bytes, len);
		if (run > 0)
			keep(array, bytes, run);
		else
			take_byte(array, bytes[run++]);
		bytes += run;
		len -= run;
	}
	return array->state != IN_OTHER;
}

bool json_array_end(struct json_array *array)
{
	return array->state == AT_CLOSED;
}
