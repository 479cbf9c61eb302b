#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_fixed(char *memory, size_t room)
{
	memory[0] = '\0';
	return (struct text){ .data = memory, .room = room, .limit = room };
}

struct text text_growing(size_t limit)
{
	return (struct text){ .limit = limit, .owned = true };
}

void text_free(struct text *text)
{
	if (text->owned)
		free(text->data);
	*text = (struct text){ 0 };
}

void text_clear(struct text *text)
{
	text->len = 0;
	text->cut = false;
	if (text->data != NULL)
		text->data[0] = '\0';
}

/* Makes room for extra bytes and the zero, or sets cut. */
static bool has_room(struct text *text, size_t extra)
{
	if (extra >= text->limit - text->len) {
		text->cut = true;
		return false;
	}
	size_t need = text->len + extra + 1;
	if (need <= text->room)
		return true;
	size_t room = text->room < 256 ? 256 : text->room;
	while (room < need)
		room *= 2;
	if (room > text->limit)
		room = text->limit;
	char *data = realloc(text->data, room);
	if (data == NULL) {
		text->cut = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
	if (!has_room(text, len))
		return;
	memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	if (!has_room(text, 1))
		return;
	text->data[text->len++] = c;
	text->data[text->len] = '\0';
}

void text_add_number(struct text *text, int64_t number)
{
	text_addf(text, "%lld", (long long)number);
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	size_t left = text->room - text->len;
	va_start(arguments, format);
	va_copy(again, arguments);
	/* Mostly it fits into the room that there is; then once is enough. */
	int len = vsnprintf(left > 0 ? text->data + text->len : NULL, left, format, arguments);
	va_end(arguments);
	if (len >= 0 && (size_t)len < left) {
		text->len += (size_t)len;
	} else {
		if (left > 0)
			text->data[text->len] = '\0';
		if (len < 0)
			text->cut = true;
		else if (has_room(text, (size_t)len)) {
			vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
			text->len += (size_t)len;
		}
	}
	va_end(again);
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The table of well-formed sequences of the Unicode standard (3.9, table 3-7), row by row. */
size_t text_utf8_length(const char *bytes, size_t len)
{
	const unsigned char *byte = (const unsigned char *)bytes;
	if (len == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	if (byte[0] >= 0xC2 && byte[0] <= 0xDF)
		return len >= 2 && is_continuation(byte[1]) ? 2 : 0;
	if (byte[0] >= 0xE0 && byte[0] <= 0xEF) {
		unsigned char least = byte[0] == 0xE0 ? 0xA0 : 0x80;
		unsigned char most = byte[0] == 0xED ? 0x9F : 0xBF; /* no surrogates */
		bool fits = len >= 3 && byte[1] >= least && byte[1] <= most;
		return fits && is_continuation(byte[2]) ? 3 : 0;
	}
	if (byte[0] >= 0xF0 && byte[0] <= 0xF4) {
		unsigned char least = byte[0] == 0xF0 ? 0x90 : 0x80;
		unsigned char most = byte[0] == 0xF4 ? 0x8F : 0xBF; /* not above U+10FFFF */
		bool fits = len >= 4 && byte[1] >= least && byte[1] <= most;
		return fits && is_continuation(byte[2]) && is_continuation(byte[3]) ? 4 : 0;
	}
	return 0;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	while (len > 0) {
		size_t step = text_utf8_length(bytes, len);
		if (step == 0)
			return false;
		bytes += step;
		len -= step;
	}
	return true;
}

void text_add_json(struct text *text, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t step = text_utf8_length(bytes, len);
		unsigned char c = (unsigned char)*bytes;
		if (step == 0) {
			text_add(text, "\\ufffd");
			step = 1;
		} else if (c == '"' || c == '\\') {
			text_add_bytes(text, (const char[]){ '\\', (char)c }, 2);
		} else if (c < 0x20 || c == 0x7f) {
			text_addf(text, "\\u%04x", c);
		} else {
			text_add_bytes(text, bytes, step);
		}
		bytes += step;
		len -= step;
	}
}

/* What stands for a byte in HTML; NULL where it stands for itself. */
static const char *html_reference(unsigned char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return c < 0x20 || c == 0x7f ? " " : NULL;
	}
}

void text_add_html(struct text *text, const char *string)
{
	size_t len = strlen(string);
	while (len > 0) {
		size_t step = text_utf8_length(string, len);
		const char *reference =
			step == 0 ? "\uFFFD" : html_reference((unsigned char)*string);
		if (step == 0)
			step = 1;
		if (reference != NULL)
			text_add(text, reference);
		else
			text_add_bytes(text, string, step);
		string += step;
		len -= step;
	}
}

bool text_copy(char *to, size_t room, const char *from)
{
	size_t len = strlen(from);
	bool fits = len < room;
	if (!fits)
		len = 0;
	memcpy(to, from, len);
	to[len] = '\0';
	return fits;
}

bool text_to_number(const char *string, int64_t min, int64_t max, int64_t *number)
{
	const char *digits = string + (*string == '-');
	if (strspn(digits, "0123456789") == 0 || digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	long long value = strtoll(string, NULL, 10);
	if (errno != 0 || value < min || value > max)
		return false;
	*number = value;
	return true;
}

bool text_starts_with(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}
