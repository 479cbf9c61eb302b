#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(text, never_writes_past_the_callers_memory)
{
	char memory[9] = "########";
	struct text text = text_fixed(memory, 8);
	text_add(&text, "1234567");
	cr_expect_not(text.cut);
	text_add_char(&text, '8');
	cr_expect(text.cut);
	cr_expect_str_eq(memory, "1234567");
	cr_expect_eq(memory[8], '\0');
}

Test(text, drops_whole_what_does_not_fit_and_remembers_it)
{
	char memory[8];
	struct text text = text_fixed(memory, sizeof(memory));
	text_add(&text, "abc");
	text_add(&text, "too long");
	text_addf(&text, "%s", "too long");
	text_add(&text, "de");
	cr_expect_str_eq(memory, "abcde");
	cr_expect(text.cut);
	text_clear(&text);
	cr_expect_not(text.cut);
	cr_expect_str_empty(memory);
}

Test(text, grows_to_its_limit_and_no_further)
{
	struct text text = text_growing(1000);
	for (int i = 0; i < 999; i++)
		text_add_char(&text, 'x');
	cr_expect_not(text.cut);
	cr_expect_eq(text.len, 999);
	text_add_char(&text, 'x');
	cr_expect(text.cut);
	cr_expect_leq(text.room, 1000);
	text_free(&text);
	text_free(&text);
	cr_expect_null(text.data);
}

Test(text, formats_numbers_at_their_extremes)
{
	char memory[64];
	struct text text = text_fixed(memory, sizeof(memory));
	text_add_number(&text, INT64_MIN);
	text_add_number(&text, 0);
	cr_expect_str_eq(memory, "-92233720368547758080");
}

Test(text, reads_whole_numbers_within_limits_only)
{
	static const struct {
		const char *string;
		bool good;
		int64_t number;
	} rows[] = {
		{ "0", true, 0 },
		{ "-5", true, -5 },
		{ "007", true, 7 },
		{ "99", true, 99 },
		{ "100", false, 0 },
		{ "-6", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "--5", false, 0 },
		{ "+5", false, 0 },
		{ " 5", false, 0 },
		{ "5 ", false, 0 },
		{ "5a", false, 0 },
		{ "0x5", false, 0 },
		{ "5.0", false, 0 },
		{ "1e1", false, 0 },
		{ "18446744073709551617", false, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t number = 1234;
		cr_expect_eq(text_to_number(rows[i].string, -5, 99, &number), rows[i].good, "%s",
			rows[i].string);
		cr_expect_eq(number, rows[i].good ? rows[i].number : 1234, "%s", rows[i].string);
	}
}

Test(text, knows_well_formed_utf8)
{
	static const struct {
		const char *bytes;
		size_t length;
	} rows[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "", 0 },
		{ "\x80", 0 },
		{ "\xbf", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2", 0 },
		{ "\xc2\x41", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe1\x80", 0 },
		{ "\xe1\x80\xc0", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf0\x90\x80", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].bytes);
		/* Over a copy of exactly its length, so that a sanitizer sees a read past the end.
		 */
		char *exact = malloc(len == 0 ? 1 : len);
		memcpy(exact, rows[i].bytes, len);
		cr_expect_eq(text_utf8_length(exact, len), rows[i].length, "row %zu", i);
		cr_expect_eq(text_is_utf8(exact, len), rows[i].length == len, "row %zu", i);
		free(exact);
	}
}

Test(text, escapes_for_json_all_that_must_be)
{
	char memory[128];
	struct text text = text_fixed(memory, sizeof(memory));
	text_add_json(&text, "a\"b\\c\n\x01\x7f\xff\u00fc\0d", 13);
	cr_expect_str_eq(memory, "a\\\"b\\\\c\\u000a\\u0001\\u007f\\ufffd\u00fc\\u0000d");
}

Test(text, copies_what_fits_or_nothing)
{
	char to[4] = "###";
	cr_expect(text_copy(to, sizeof(to), "abc"));
	cr_expect_str_eq(to, "abc");
	cr_expect_not(text_copy(to, sizeof(to), "abcd"));
	cr_expect_str_empty(to);
}

Test(text, compares_beginnings)
{
	cr_expect(text_starts_with("abc", "ab"));
	cr_expect(text_starts_with("abc", ""));
	cr_expect_not(text_starts_with("ab", "abc"));
	cr_expect_not(text_starts_with("xab", "ab"));
}

Test(text, makes_html_of_anything)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\"a\" & 'b'", "&quot;a&quot; &amp; &#39;b&#39;" },
		{ "&lt;", "&amp;lt;" },
		{ "a\tb\nc\x7f", "a b c " },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xff<", "\xef\xbf\xbd&lt;" },
		{ "\xc3", "\xef\xbf\xbd" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char memory[128];
		struct text text = text_fixed(memory, sizeof(memory));
		text_add_html(&text, rows[i].from);
		cr_expect_str_eq(memory, rows[i].to);
	}
}
