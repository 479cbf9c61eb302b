#include "http/json_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Over a copy of exactly its length, so that a sanitizer sees a read past the end. */
static bool check(const char *bytes, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);
	memcpy(copy, bytes, len);
	bool good = json_check(copy, len);
	free(copy);
	return good;
}

Test(json_check, takes_every_valid_document)
{
	static const char *const rows[] = {
		"{}",
		"[]",
		"0",
		"-0",
		"\"\"",
		"true",
		"false",
		"null",
		" \t\r\n{ } \n",
		"[1, 2,3 ,4]",
		"{\"a\":1,\"b\":[{}]}",
		"{\"a\":1,\"a\":2}",
		"1.5e+10",
		"1E-2",
		"-0.0e0",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"\u00fc\U0001f600\"",
		"\"\\ud83d\\ude00\"",
		"\"\\uD83D\\uDE00\"",
		"\"\x7f\"",
		"{\"\":\"\"}",
		"\"\\u0001\"",
		"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
		"12345678901234567890123456789012345678901234567890123456789012",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect(check(rows[i], strlen(rows[i])), "%s", rows[i]);
}

Test(json_check, refuses_every_invalid_document)
{
	static const char *const rows[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[1,,2]",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:1}",
		"{'a':1}",
		"{\"a\" 1}",
		"{\"a\":1 \"b\":2}",
		"{}{}",
		"{} x",
		"[1}",
		"{\"a\":1]",
		"01",
		"-",
		"-01",
		"+1",
		".5",
		"1.",
		"1.e1",
		"1e",
		"1e+",
		"0x1",
		"1a",
		"NaN",
		"Infinity",
		"-Infinity",
		"tru",
		"TRUE",
		"nulll",
		"truefalse",
		"\"",
		"\"a",
		"\"\\\"",
		"\"\\x41\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\ud800x\"",
		"\"\\ud800\\n\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"\"\\ud800\\ud800\"",
		"\"\n\"",
		"\"\t\"",
		"\"\x01\"",
		"\"\xff\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xc3\"",
		"\xef\xbb\xbf{}",
		"/**/{}",
		"{}//",
		"[1]\x0b",
		"\xc2\xa0{}",
		"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
		"{\"a\":1",
		"[1,",
		"[\"a\",",
		"{\"a\":",
		"\"\\",
		"\"\\u",
		"123456789012345678901234567890123456789012345678901234567890123",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_not(check(rows[i], strlen(rows[i])), "%s", rows[i]);
}

Test(json_check, refuses_a_zero_byte_anywhere)
{
	cr_expect_not(check("{}\0", 3));
	cr_expect_not(check("\0{}", 3));
	cr_expect_not(check("\"a\0b\"", 5));
	cr_expect_not(check("\"\\\0\"", 4));
	cr_expect_not(check("[\0]", 3));
}

Test(json_check, does_not_run_out_of_stack_on_a_wall_of_brackets)
{
	static char wall[64 << 10];
	memset(wall, '[', sizeof(wall));
	cr_expect_not(check(wall, sizeof(wall)));
}

Test(json_check, never_takes_a_document_that_was_cut_short)
{
	static const char whole[] =
		"{\"a\":[1.5e3,\"\\ud83d\\ude00\u00fc\",true,null,{\"b\":false}]}";
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		cr_expect_not(check(whole, len), "%.*s", (int)len, whole);
	cr_expect(check(whole, sizeof(whole) - 1));
}
