#include "db/db_array.h"

#include <string.h>

static void begin_value(struct text *array)
{
	text_add_char(array, array->len ? ',' : '{');
}

void db_array_text(struct text *array, const char *value)
{
	begin_value(array);
	text_add_char(array, '"');
	while (*value) {
		size_t plain = strcspn(value, "\"\\");

		text_add_bytes(array, value, plain);
		value += plain;
		if (*value) {
			text_add_char(array, '\\');
			text_add_char(array, *value++);
		}
	}
	text_add_char(array, '"');
}

void db_array_number(struct text *array, int64_t value)
{
	begin_value(array);
	text_add_number(array, value);
}

const char *db_array_end(struct text *array)
{
	if (!array->len)
		text_add_char(array, '{');
	text_add_char(array, '}');
	return array->data ? array->data : "{}";
}
