#include "http/query.h"

#include <criterion/criterion.h>
#include <string.h>

Test(query, finds_and_decodes_the_first_value)
{
	static const struct {
		const char *query;
		const char *value; /* of "q"; NULL: it does not exist */
	} rows[] = {
		{ "q=1", "1" },
		{ "a=0&q=1&q=2", "1" },
		{ "q=", "" },
		{ "q", "" },
		{ "&&q=1&", "1" },
		{ "q=a+b%20c", "a b c" },
		{ "q=a=b", "a=b" },
		{ "%71=1", "1" },
		{ "q=%C3%bc", "\u00fc" },
		{ "q=\u00fc", "\u00fc" },
		{ "q=%26%3D%25", "&=%" },
		{ "q=?;/", "?;/" },
		{ "", NULL },
		{ "Q=1", NULL },
		{ "qq=1&aq=2", NULL },
		{ "=q", NULL },
		{ "q=%", NULL },
		{ "q=%4", NULL },
		{ "q=%4&", NULL },
		{ "q=%zz", NULL },
		{ "q=%00", NULL },
		{ "q=a%00b", NULL },
		{ "q=%ff", NULL },
		{ "q=%c3", NULL },
		{ "q=\xff", NULL },
		{ "q=%zz&q=good", "good" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char value[32] = "before";
		bool found = query_find(rows[i].query, "q", value, sizeof(value));
		cr_expect_eq(found, rows[i].value != NULL, "%s", rows[i].query);
		cr_expect_str_eq(
			value, rows[i].value == NULL ? "" : rows[i].value, "%s", rows[i].query);
	}
}

Test(query, refuses_a_value_longer_than_room_and_writes_nothing_past_it)
{
	char value[6] = "xxxxx";
	cr_expect(query_find("q=%61bcd", "q", value, 5));
	cr_expect_str_eq(value, "abcd");
	cr_expect_not(query_find("q=abcde", "q", value, 5));
	cr_expect_str_empty(value);
	cr_expect_eq(value[5], '\0');
	cr_expect_not(query_find("q=abcdefghij&q=a", "q", value, 5), "the first is meant");
}

Test(query, tells_that_a_name_is_there_whatever_its_value)
{
	cr_expect(query_has("api_key=%zz", "api_key"));
	cr_expect(query_has("a&api%5fkey", "api_key"));
	cr_expect_not(query_has("a=api_key", "api_key"));
	cr_expect_not(query_has("api_keys=1", "api_key"));
	cr_expect_not(query_has("", ""));
}

Test(query, survives_names_longer_than_any_of_ours)
{
	char query[3000];
	memset(query, 'n', sizeof(query) - 1);
	query[sizeof(query) - 1] = '\0';
	cr_expect_not(query_has(query, "n"));
	memcpy(query + 2990, "&q=1", 5);
	char value[4];
	cr_expect(query_find(query, "q", value, sizeof(value)));
}
