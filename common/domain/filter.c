#include "domain/filter.h"

#include <string.h>

#include "base/text.h"

enum { PARAMETERS = FILTER_CONDITIONS + 3 };

enum db_result filter_list(struct db *db, const struct filter_statements *statements,
	const char *const *conditions, int count, const struct page *page, struct db_rows **rows)
{
	const char *parameters[PARAMETERS];
	char after[DB_NUMBER], limit[DB_NUMBER], offset[DB_NUMBER];

	memcpy(parameters, conditions, (size_t)count * sizeof(*conditions));
	parameters[count] = db_number_text(after, page->after);
	parameters[count + 1] = db_number_text(limit, page->limit);
	parameters[count + 2] = db_number_text(offset, page->offset);
	return db_query_anew(db, page->ascending ? statements->oldest : statements->newest,
		parameters, count + 3, rows);
}

enum db_result filter_total(struct db *db, const struct filter_statements *statements,
	const char *const *conditions, int count, struct total *total)
{
	const char *parameters[PARAMETERS];
	char limit[DB_NUMBER];
	struct db_rows *rows;
	enum db_result result;

	memcpy(parameters, conditions, (size_t)count * sizeof(*conditions));
	parameters[count] = "0";
	parameters[count + 1] = db_number_text(limit, FILTER_COUNT_MOST + 1);
	result = db_query_anew(db, statements->count, parameters, count + 2, &rows);
	if (result == DB_OK)
		*total = filter_total_from(db_number(rows, 0, 0));
	db_rows_free(rows);
	return result;
}

struct total filter_total_from(int64_t counted)
{
	bool exact = counted <= FILTER_COUNT_MOST;

	return (struct total){ .count = exact ? counted : FILTER_COUNT_MOST, .exact = exact };
}

void filter_pattern(char pattern[FILTER_PATTERN], const char *text)
{
	struct text out = text_fixed(pattern, FILTER_PATTERN);

	if (!*text)
		return;
	text_add_char(&out, '%');
	for (; *text; text++) {
		if (*text == '%' || *text == '_' || *text == '\\')
			text_add_char(&out, '\\');
		text_add_char(&out, *text);
	}
	text_add_char(&out, '%');
}
