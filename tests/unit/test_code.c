#include "domain/code.h"

#include <criterion/criterion.h>
#include <string.h>

#define SIXTY_FOUR "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

Test(code, takes_its_alphabet_and_lengths)
{
	static const char *const rows[] = { "abc", "A-_", "000", "---", "abcdefg", SIXTY_FOUR };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect(code_is_valid(rows[i]), "%s", rows[i]);
}

Test(code, refuses_letters_outside_the_alphabet)
{
	static const char *const rows[] = { "", "a", "ab", SIXTY_FOUR "e", "a b", "abc ", "a.b",
		"abc+", "a/b", "abc\n", "a%62c", "\u00fcber", "abc\x7f", "../etc", "a'b", "abc?" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_not(code_is_valid(rows[i]), "%s", rows[i]);
}

Test(code, refuses_codes_that_mean_something_else)
{
	static const struct {
		const char *code;
		const char *word; /* of the refusal */
	} rows[] = {
		{ "12345", "digits" },
		{ "007", "digits" },
		{ "health", "reserved" },
		{ "HEALTH", "reserved" },
		{ "sHoRtEn", "reserved" },
		{ "server-status", "reserved" },
		{ "export", "reserved" },
		{ "Bulk", "reserved" },
		{ "a", "letters" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *refusal = code_refusal(rows[i].code);
		cr_expect(refusal != NULL && strstr(refusal, rows[i].word) != NULL, "%s: %s",
			rows[i].code, refusal);
	}
}

Test(code, reserves_every_path_of_the_site)
{
	static const char *const paths[] = {
#define PATH(segment, listener, program) segment,
#include "base/paths.def"
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		cr_expect_not_null(code_refusal(paths[i]), "%s", paths[i]);
}

Test(code, lets_people_choose_what_only_resembles_those)
{
	static const char *const rows[] = { "123a", "12-3", "healthy", "my-health", "r-1", "1e3" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_null(code_refusal(rows[i]), "%s", rows[i]);
}

Test(code, makes_random_codes_of_every_letter_without_look_alikes)
{
	unsigned seen[256] = { 0 };
	unsigned letters = 0;
	for (int i = 0; i < 10000; i++) {
		char code[CODE_RANDOM + 1];
		code_random(code);
		cr_assert_eq(strlen(code), CODE_RANDOM);
		cr_assert_null(code_refusal(code), "%s", code);
		cr_assert_null(strpbrk(code, "0O1Il-_"), "%s", code);
		for (int j = 0; j < CODE_RANDOM; j++)
			seen[(unsigned char)code[j]]++;
	}
	/* 1,228 of each are expected; six standard deviations are 209. */
	for (int c = 0; c < 256; c++) {
		letters += seen[c] > 0;
		cr_expect(seen[c] == 0 || (seen[c] > 1019 && seen[c] < 1437), "%c: %u", c, seen[c]);
	}
	cr_expect_eq(letters, 57);
}
