#include "http/text_fields.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

enum {
	DATE_LEN = 10, /* "2026-01-31" */
	TIME_ROOM = 64 /* more than any time that json_field_time() takes */
};

static bool read_number(const struct json_field *field, const char *value, int64_t *into)
{
	int64_t number;
	if (!text_to_number(value, field->min, field->max, &number) || number <= -JSON_NUMBER_END ||
		number >= JSON_NUMBER_END)
		return false;
	*into = number;
	return true;
}

static bool read_boolean(const char *value, bool *into)
{
	bool yes = strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (!yes && strcasecmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return false;
	*into = yes;
	return true;
}

/* Spreadsheets and databases write a blank after the date, and no offset when they mean UTC. */
static bool read_time(const char *value, int64_t *into)
{
	char memory[TIME_ROOM];
	struct text utc = text_fixed(memory, sizeof(memory));
	if (json_field_time(value, into))
		return true;
	if (strlen(value) <= DATE_LEN || value[DATE_LEN] != ' ')
		return false;
	text_add(&utc, value);
	text_add_char(&utc, 'Z');
	return !utc.cut && json_field_time(utc.data, into);
}

static void read_texts(const struct json_field *field, const char *value, struct json_texts *into,
	struct http_faults *faults)
{
	const char *what = NULL;
	into->count = 0;
	while (what == NULL && *value != '\0') {
		size_t len = strcspn(value, ",");
		what = json_texts_add(field, value, len, into);
		value += len + (value[len] == ',');
	}
	if (what != NULL)
		http_fault(faults, field->name, "%s", what);
}

bool text_field_read(
	const struct json_field *field, const char *value, void *into, struct http_faults *faults)
{
	void *place = (char *)into + field->offset;
	bool good = false;
	if (*value == '\0')
		return false;
	switch (field->type) {
	case JSON_TEXT: json_field_copy(field, value, place, faults); return true;
	case JSON_NUMBER: good = read_number(field, value, place); break;
	case JSON_BOOLEAN: good = read_boolean(value, place); break;
	case JSON_TIME: good = read_time(value, place); break;
	case JSON_TEXTS: read_texts(field, value, place, faults); return true;
	case JSON_OBJECT: json_field_object(field, value, place, faults); return true;
	case JSON_IGNORED: return true;
	case JSON_REFUSED: break;
	}
	if (!good)
		json_field_refuse(field, faults);
	return true;
}

void text_fields_missing(const struct json_field *fields, uint32_t seen, struct http_faults *faults)
{
	for (size_t i = 0; fields[i].name != NULL; i++) {
		if (fields[i].required && (seen & UINT32_C(1) << i) == 0)
			http_fault(faults, fields[i].name, "is required");
	}
}

static int find_row(const struct json_field *fields, const char *name)
{
	for (int i = 0; fields[i].name != NULL; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

void text_fields_columns(const struct csv_record *header, const struct json_field *fields,
	struct text_columns *columns, struct http_faults *faults)
{
	uint32_t seen = 0;
	columns->count = header->count;
	if (header->fault != NULL) {
		http_fault(faults, "row", "%s", header->fault);
		return;
	}
	for (size_t i = 0; i < header->count; i++) {
		int row = find_row(fields, header->cells[i]);
		columns->row[i] = row;
		if (row < 0)
			continue;
		if ((seen & UINT32_C(1) << row) != 0)
			http_fault(faults, fields[row].name, "is the name of two columns");
		seen |= UINT32_C(1) << row;
	}
	text_fields_missing(fields, seen, faults);
}

bool text_fields_read(const struct csv_record *record, const struct text_columns *columns,
	const struct json_field *fields, void *into, uint32_t *present, struct http_faults *faults)
{
	uint32_t seen = 0;
	faults->count = 0;
	if (record->count > columns->count)
		http_fault(faults, "row", "has more cells than there are columns");
	for (size_t i = 0; i < record->count && i < columns->count; i++) {
		int row = columns->row[i];
		if (row >= 0 && text_field_read(&fields[row], record->cells[i], into, faults))
			seen |= UINT32_C(1) << row;
	}
	text_fields_missing(fields, seen, faults);
	if (present != NULL)
		*present = seen;
	return faults->count == 0;
}
