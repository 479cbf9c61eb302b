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

struct filter {
	char search[9];
	int64_t page;
	bool active;
	int64_t from;
};

static const struct json_field fields[] = {
	{ "search", JSON_TEXT, false, 3, 8, offsetof(struct filter, search) },
	{ "page", JSON_NUMBER, false, 1, 100, offsetof(struct filter, page) },
	{ "is_active", JSON_BOOLEAN, false, 0, 0, offsetof(struct filter, active) },
	{ "from", JSON_TIME, false, 0, 0, offsetof(struct filter, from) },
	{ 0 },
};

static struct filter filter;
static struct http_faults faults;
static uint32_t present;

static bool read_query(const char *query)
{
	faults.count = 0;
	filter = (struct filter){ .search = "before", .page = 1 };
	return query_read(query, fields, &filter, &present, &faults);
}

Test(query, reads_all_parameters_of_a_table)
{
	cr_expect(read_query(
		"x=%zz&page=7&is_active=true&se%61rch=%C3%bc+b&from=1970-01-01T00:00:01Z"));
	cr_expect_str_eq(filter.search, "\u00fc b");
	cr_expect(filter.page == 7 && filter.active && filter.from == 1000);
	cr_expect_eq(present, 15u);
}

Test(query, leaves_what_is_absent_or_empty_as_it_was)
{
	static const char *const rows[] = { "", "page", "page=", "search=&page=&page=9", "Page=2" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect(read_query(rows[i]), "%s", rows[i]);
		cr_expect_eq(present, 0, "%s", rows[i]);
		cr_expect(filter.page == 1 && strcmp(filter.search, "before") == 0, "%s", rows[i]);
	}
}

Test(query, says_which_parameters_are_wrong)
{
	static const struct {
		const char *query;
		const char *field;
		const char *what;
	} rows[] = {
		{ "page=0", "page", "must be a whole number from 1 to 100" },
		{ "page=101&page=1", "page", "must be a whole number from 1 to 100" },
		{ "page=+1", "page", "must be a whole number from 1 to 100" },
		{ "is_active=yes", "is_active", "must be true or false" },
		{ "from=2026", "from", "must be a time such as 2026-12-31T23:59:59Z" },
		{ "search=ab", "search", "must be at least 3 bytes long" },
		{ "search=abcdefghi", "search", "must be at most 8 bytes long" },
		{ "search=%zz", "search", "must be percent-encoded UTF-8 without zero bytes" },
		{ "search=abc%00", "search", "must be percent-encoded UTF-8 without zero bytes" },
		{ "search=%ff%ff%ff", "search",
			"must be percent-encoded UTF-8 without zero bytes" },
		{ "page=%3", "page", "must be percent-encoded UTF-8 without zero bytes" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_not(read_query(rows[i].query), "%s", rows[i].query);
		cr_assert_eq(faults.count, 1, "%s", rows[i].query);
		cr_expect_str_eq(faults.list[0].field, rows[i].field);
		cr_expect_str_eq(faults.list[0].what, rows[i].what, "%s", faults.list[0].what);
		cr_expect(filter.page == 1 && strcmp(filter.search, "before") == 0);
	}
	cr_expect_not(read_query("page=0&search=%&is_active=2"));
	cr_expect_eq(faults.count, 3, "all faults at once");
	cr_expect_eq(present, 7u);
}

Test(query, asks_for_required_parameters)
{
	static const struct json_field required[] = {
		{ "page", JSON_NUMBER, true, 1, 100, offsetof(struct filter, page) },
		{ 0 },
	};
	cr_expect_not(query_read("page=", required, &filter, NULL, &faults));
	cr_expect_str_eq(faults.list[0].what, "is required");
	cr_expect(query_read("page=2", required, &filter, NULL, &faults));
	cr_expect_eq(filter.page, 2);
}

Test(query, refuses_a_value_that_is_too_long_to_read)
{
	static const struct json_field wide[] = { { "q", JSON_TEXT, false, 0, 100000, 0 }, { 0 } };
	char query[QUERY_VALUE_MAX + 4] = "q=", value[QUERY_VALUE_MAX + 2] = "";
	memset(query + 2, 'x', QUERY_VALUE_MAX);
	query[QUERY_VALUE_MAX + 2] = '\0';
	cr_expect(query_read(query, wide, value, NULL, &faults));
	cr_expect_eq(strlen(value), QUERY_VALUE_MAX);
	query[QUERY_VALUE_MAX + 2] = 'x';
	query[QUERY_VALUE_MAX + 3] = '\0';
	cr_expect_not(query_read(query, wide, value, NULL, &faults));
	cr_expect_str_eq(faults.list[0].what, "is too long");
}
