#include "http/query.h"

#include <string.h>

#include "base/text.h"
#include "http/text_fields.h"

enum { NAME_MAX_BYTES = 64 };

/* One parameter as it stands in the query string, not decoded. */
struct parameter {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* Reads the parameter at *query and moves on; false at the end. */
static bool next_parameter(const char **query, struct parameter *found)
{
	if (**query == '\0')
		return false;
	size_t len = strcspn(*query, "&");
	const char *equals = memchr(*query, '=', len);
	found->name = *query;
	found->name_len = equals == NULL ? len : (size_t)(equals - *query);
	found->value = equals == NULL ? *query + len : equals + 1;
	found->value_len = equals == NULL ? 0 : len - found->name_len - 1;
	*query += len + ((*query)[len] == '&');
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that a percent sign and two digits stand for; -1 if they don't, or for a zero. */
static int percent_byte(const char *from, size_t len)
{
	if (len < 3)
		return -1;
	int high = hex_digit(from[1]), low = hex_digit(from[2]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -1;
	return high * 16 + low;
}

enum decoded { DECODED, MALFORMED, TOO_LONG };

static enum decoded decode(const char *from, size_t len, char *to, size_t room)
{
	struct text text = text_fixed(to, room);
	while (len > 0) {
		size_t step = 1;
		int byte = *from == '+' ? ' ' : (unsigned char)*from;
		if (*from == '%') {
			byte = percent_byte(from, len);
			step = 3;
		}
		if (byte < 0)
			return MALFORMED;
		text_add_char(&text, (char)byte);
		from += step;
		len -= step;
	}
	if (text.cut)
		return TOO_LONG;
	return text_is_utf8(text.data, text.len) ? DECODED : MALFORMED;
}

static bool is_named(const struct parameter *parameter, const char *name)
{
	char decoded[NAME_MAX_BYTES + 1];
	return decode(parameter->name, parameter->name_len, decoded, sizeof(decoded)) == DECODED &&
	       strcmp(decoded, name) == 0;
}

static bool find_parameter(const char *query, const char *name, struct parameter *found)
{
	while (next_parameter(&query, found)) {
		if (is_named(found, name))
			return true;
	}
	return false;
}

/* Reads the value of the first parameter of the field's name; false if that is absent or empty. */
static bool read_parameter(
	const char *query, const struct json_field *field, void *into, struct http_faults *faults)
{
	char value[QUERY_VALUE_MAX + 1];
	struct parameter parameter;
	if (!find_parameter(query, field->name, &parameter))
		return false;
	switch (decode(parameter.value, parameter.value_len, value, sizeof(value))) {
	case DECODED: return text_field_read(field, value, into, faults);
	case MALFORMED:
		http_fault(faults, field->name, "must be percent-encoded UTF-8 without zero bytes");
		break;
	case TOO_LONG: http_fault(faults, field->name, "is too long"); break;
	}
	return true;
}

bool query_read(const char *query, const struct json_field *fields, void *into, uint32_t *present,
	struct http_faults *faults)
{
	const size_t before = faults->count;
	uint32_t seen = 0;
	for (size_t i = 0; fields[i].name != NULL; i++) {
		if (read_parameter(query, &fields[i], into, faults))
			seen |= UINT32_C(1) << i;
	}
	text_fields_missing(fields, seen, faults);
	if (present != NULL)
		*present = seen;
	return faults->count == before;
}

bool query_find(const char *query, const char *name, char *value, size_t room)
{
	struct parameter parameter;
	while (next_parameter(&query, &parameter)) {
		if (!is_named(&parameter, name))
			continue;
		enum decoded result = decode(parameter.value, parameter.value_len, value, room);
		if (result == DECODED)
			return true;
		if (result == TOO_LONG)
			break;
	}
	value[0] = '\0';
	return false;
}

bool query_has(const char *query, const char *name)
{
	struct parameter parameter;
	return find_parameter(query, name, &parameter);
}
