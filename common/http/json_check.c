#include "http/json_check.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

struct cursor {
	const char *at;
	const char *end;
	unsigned depth;
	bool beyond; /* valid so far, but not for us */
};

static bool check_value(struct cursor *cursor);

static void skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end && memchr(" \t\n\r", *cursor->at, 4) != NULL)
		cursor->at++;
}

static bool take(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, word, len) != 0)
		return false;
	cursor->at += len;
	return true;
}

/* At least one digit. */
static bool take_digits(struct cursor *cursor)
{
	const char *begin = cursor->at;
	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
		cursor->at++;
	return cursor->at > begin;
}

static bool check_number(struct cursor *cursor)
{
	const char *begin = cursor->at;
	take(cursor, '-');
	if (!take(cursor, '0') && !take_digits(cursor))
		return false;
	if (take(cursor, '.') && !take_digits(cursor))
		return false;
	if (take(cursor, 'e') || take(cursor, 'E')) {
		if (!take(cursor, '+'))
			take(cursor, '-');
		if (!take_digits(cursor))
			return false;
	}
	if (cursor->at - begin > JSON_CHECK_NUMBER)
		cursor->beyond = true;
	return true;
}

/* The four digits of \uXXXX; -1 if they are not there. */
static int take_unit(struct cursor *cursor)
{
	int unit = 0;
	for (int i = 0; i < 4; i++, cursor->at++) {
		if (cursor->at == cursor->end || !isxdigit((unsigned char)*cursor->at))
			return -1;
		char c = *cursor->at;
		unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return unit;
}

/* After "\u". */
static bool check_unicode(struct cursor *cursor)
{
	int unit = take_unit(cursor);
	if (unit == 0)
		cursor->beyond = true;
	if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
		return false;
	if (unit < 0xD800 || unit > 0xDBFF)
		return true;
	if (!take_word(cursor, "\\u"))
		return false;
	unit = take_unit(cursor);
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

static bool check_escape(struct cursor *cursor)
{
	if (take(cursor, 'u'))
		return check_unicode(cursor);
	if (cursor->at == cursor->end || memchr("\"\\/bfnrt", *cursor->at, 8) == NULL)
		return false;
	cursor->at++;
	return true;
}

static bool check_string(struct cursor *cursor)
{
	if (!take(cursor, '"'))
		return false;
	while (cursor->at < cursor->end && *cursor->at != '"') {
		size_t len = text_utf8_length(cursor->at, (size_t)(cursor->end - cursor->at));
		if (len == 0 || (unsigned char)*cursor->at < 0x20)
			return false;
		cursor->at += len;
		if (cursor->at[-1] == '\\' && !check_escape(cursor))
			return false;
	}
	return take(cursor, '"');
}

static bool check_member(struct cursor *cursor)
{
	skip_space(cursor);
	if (!check_string(cursor))
		return false;
	skip_space(cursor);
	return take(cursor, ':') && check_value(cursor);
}

/* What stands between brackets: nothing, or items with commas between them. */
static bool check_items(struct cursor *cursor, char closing, bool (*check)(struct cursor *))
{
	if (++cursor->depth > JSON_CHECK_DEPTH)
		cursor->beyond = true;
	if (cursor->depth > JSON_CHECK_RECURSION)
		return false;
	skip_space(cursor);
	bool closed = take(cursor, closing);
	while (!closed) {
		if (!check(cursor))
			return false;
		closed = take(cursor, closing);
		if (!closed && !take(cursor, ','))
			return false;
	}
	cursor->depth--;
	return true;
}

/* A value with the white space around it. */
static bool check_value(struct cursor *cursor)
{
	bool good;
	skip_space(cursor);
	if (cursor->at == cursor->end)
		return false;
	switch (*cursor->at) {
	case '{':
		cursor->at++;
		good = check_items(cursor, '}', check_member);
		break;
	case '[':
		cursor->at++;
		good = check_items(cursor, ']', check_value);
		break;
	case '"': good = check_string(cursor); break;
	case 't': good = take_word(cursor, "true"); break;
	case 'f': good = take_word(cursor, "false"); break;
	case 'n': good = take_word(cursor, "null"); break;
	default: good = check_number(cursor); break;
	}
	skip_space(cursor);
	return good;
}

enum json_verdict json_judge(const char *bytes, size_t len)
{
	struct cursor cursor = { .at = bytes, .end = bytes + len };
	if (!check_value(&cursor) || cursor.at != cursor.end)
		return JSON_IS_INVALID;
	return cursor.beyond ? JSON_IS_BEYOND_US : JSON_IS_GOOD;
}

bool json_check(const char *bytes, size_t len)
{
	return json_judge(bytes, len) == JSON_IS_GOOD;
}
