#include "domain/filter.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum {
	PARAMETERS = FILTER_CONDITIONS + 3,
	WORD_LEAST = 4 /* letters that are found by what is within them */
};

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

static void add_as_it_is(struct text *pattern, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '%' || text[i] == '_' || text[i] == '\\')
			text_add_char(pattern, '\\');
		text_add_char(pattern, text[i]);
	}
}

void filter_pattern(char pattern[FILTER_PATTERN], const char *text)
{
	struct text out = text_fixed(pattern, FILTER_PATTERN);

	if (!*text)
		return;
	text_add_char(&out, '%');
	add_as_it_is(&out, text, strlen(text));
	text_add_char(&out, '%');
}

/* How many bytes from here on are those of a word, or are not. */
static size_t span(const char *text, bool word)
{
	size_t length = 0;

	while (text[length] &&
		((text[length] & 0x80) || isalnum((unsigned char)text[length])) == word)
		length++;
	return length;
}

void filter_words(char pattern[FILTER_PATTERN], const char *text)
{
	struct text out = text_fixed(pattern, FILTER_PATTERN);
	size_t before = 0;

	if (!*text)
		return;
	text_add_char(&out, '%');
	while (*text) {
		const size_t gap = span(text, false), word = span(text + gap, true);

		if (gap > 0 && before >= WORD_LEAST && word >= WORD_LEAST)
			text_add_char(&out, '%');
		else
			add_as_it_is(&out, text, gap);
		add_as_it_is(&out, text + gap, word);
		text += gap + word;
		before = word;
	}
	text_add_char(&out, '%');
}
