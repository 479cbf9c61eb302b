/*
 * text - bounded text: a builder that never writes past its limit, and the few parsers of plain
 * values that everything else uses instead of strcpy, strcat, sprintf and atoi.
 *
 * A struct text either writes into memory of the caller (text_fixed) or grows memory of its own up
 * to a limit (text_growing, released by text_free). What does not fit is dropped whole, `cut` is
 * set and stays set until text_clear: check it once at the end. data is always terminated by a zero
 * byte. Sizes are in bytes.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data;
	size_t len;
	size_t room;  /* bytes allocated, the terminating zero included */
	size_t limit; /* room never exceeds it */
	bool cut;     /* something did not fit */
	bool owned;   /* data came from malloc */
};

/* A builder over the caller's memory; it stays the caller's. room is at least 1. */
struct text text_fixed(char *memory, size_t room);

/* A builder that allocates as it grows, to at most limit bytes with the zero. No memory: cut. */
struct text text_growing(size_t limit);

void text_free(struct text *text);
void text_clear(struct text *text);

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t len);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, int64_t number);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The inside of a JSON string: quotes and backslashes escaped, every byte below 0x20 and 0x7f as
 * \uXXXX, bytes that are not UTF-8 as U+FFFD. The result is always valid JSON. Source: RFC 8259.
 */
void text_add_json(struct text *text, const char *bytes, size_t len);

/*
 * Text inside HTML or SVG, in an element or a quoted attribute: & < > " ' become references, bytes
 * below 0x20 spaces, and bytes that are not UTF-8 U+FFFD.
 */
void text_add_html(struct text *text, const char *string);

/* Copies a string that fits into room with its zero; otherwise makes `to` empty and returns false. */
bool text_copy(char *to, size_t room, const char *from);

/* A whole decimal number from min to max, nothing around it: else false and *number unchanged. */
bool text_to_number(const char *string, int64_t min, int64_t max, int64_t *number);

bool text_is_utf8(const char *bytes, size_t len);
bool text_starts_with(const char *string, const char *prefix);

/* Length of the valid UTF-8 sequence at the start of bytes, 0 when there is none. */
size_t text_utf8_length(const char *bytes, size_t len);

#endif
