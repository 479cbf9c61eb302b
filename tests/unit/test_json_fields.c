#include "http/json_fields.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct thing {
	char name[9];
	char nick[5];
	int64_t count;
	bool open;
};

static const struct json_field fields[] = {
	{ .name = "name",
		.type = JSON_TEXT,
		.required = true,
		.min = 1,
		.max = 8,
		.offset = offsetof(struct thing, name) },
	{ .name = "nick",
		.type = JSON_TEXT,
		.min = 2,
		.max = 4,
		.offset = offsetof(struct thing, nick) },
	{ .name = "count",
		.type = JSON_NUMBER,
		.min = -3,
		.max = 9,
		.offset = offsetof(struct thing, count) },
	{ .name = "open", .type = JSON_BOOLEAN, .offset = offsetof(struct thing, open) },
	{ .name = "id", .type = JSON_REFUSED },
	{ 0 },
};

static struct thing thing;
static struct http_faults faults;
static uint32_t present;

static enum json_result read_json(const char *body)
{
	thing = (struct thing){ .name = "before", .nick = "old", .count = 7, .open = true };
	return json_read(body, strlen(body), fields, &thing, &present, &faults);
}

Test(json_fields, fills_a_struct_and_tells_what_was_there)
{
	cr_assert_eq(read_json("{\"name\":\"a\\u00fc\",\"count\":-3,\"open\":false,\"other\":[1]}"),
		JSON_OK);
	cr_expect_str_eq(thing.name, "a\u00fc");
	cr_expect_str_eq(thing.nick, "old", "absent members leave the default");
	cr_expect_eq(thing.count, -3);
	cr_expect_not(thing.open);
	cr_expect_eq(present, 1u | 4u | 8u);
}

Test(json_fields, counts_the_digits_that_a_number_has_without_its_exponent)
{
	static const struct json_field object_fields[] = {
		{ .name = "o", .type = JSON_OBJECT, .max = 32 }, { 0 }
	};
	static const struct {
		const char *body;
		enum json_result result;
	} rows[] = {
		{ "{\"o\":{\"aa\":1e20}}", JSON_OK },
		{ "{\"o\":{\"aaa\":1e20}}", JSON_FAULTY },
		{ "{\"o\":{\"aa\":1e-20}}", JSON_OK },
		{ "{\"o\":{\"aaa\":1e-20}}", JSON_FAULTY },
		{ "{\"o\":{\"a\":[1e300]}}", JSON_FAULTY },
		{ "{\"o\":{\"a\":0.5,\"b\":12345678901}}", JSON_OK },
		{ "{\"o\":{\"1e+300\":\"e+90\\\"e+90\"}}", JSON_OK },
		{ "{\"o\":{\"\\\"\":1e20}}", JSON_OK },
	};
	char object[33];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(json_read(rows[i].body, strlen(rows[i].body), object_fields, object,
				     NULL, &faults),
			rows[i].result, "%s", rows[i].body);
}

Test(json_fields, takes_null_for_absent)
{
	cr_assert_eq(
		read_json("{\"name\":\"a\",\"nick\":null,\"count\":null,\"id\":null}"), JSON_OK);
	cr_expect_str_eq(thing.nick, "old");
	cr_expect_eq(thing.count, 7);
	cr_expect_eq(present, 1u);
	cr_expect_eq(read_json("{\"name\":null}"), JSON_FAULTY);
}

Test(json_fields, says_in_words_what_is_wrong)
{
	static const struct {
		const char *body;
		const char *fault; /* field and text */
	} rows[] = {
		{ "{}", "name is required" },
		{ "{\"Name\":\"a\"}", "name is required" },
		{ "{\"name\":1}", "name must be a text" },
		{ "{\"name\":[\"a\"]}", "name must be a text" },
		{ "{\"name\":\"\"}", "name must not be empty" },
		{ "{\"name\":\"123456789\"}", "name must be at most 8 bytes long" },
		{ "{\"name\":\"\u00fc\u00fc\u00fc\u00fc\u00fc\"}",
			"name must be at most 8 bytes long" },
		{ "{\"name\":\"a\",\"nick\":\"a\"}", "nick must be at least 2 bytes long" },
		{ "{\"name\":\"a\",\"count\":10}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":-4}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":1.5}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":1e400}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":-1e999}",
			"count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":\"1\"}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"count\":true}", "count must be a whole number from -3 to 9" },
		{ "{\"name\":\"a\",\"open\":1}", "open must be true or false" },
		{ "{\"name\":\"a\",\"open\":\"true\"}", "open must be true or false" },
		{ "{\"name\":\"a\",\"id\":1}", "id may not be set" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char fault[256];
		cr_assert_eq(read_json(rows[i].body), JSON_FAULTY, "%s", rows[i].body);
		cr_assert_eq(faults.count, 1, "%s: %zu", rows[i].body, faults.count);
		snprintf(fault, sizeof(fault), "%s %s", faults.list[0].field, faults.list[0].what);
		cr_expect_str_eq(fault, rows[i].fault, "%s: %s", rows[i].body, fault);
	}
}

Test(json_fields, reports_all_faults_at_once)
{
	cr_assert_eq(read_json("{\"nick\":1,\"count\":\"x\",\"open\":0,\"id\":5}"), JSON_FAULTY);
	cr_expect_eq(faults.count, 5);
	cr_expect_str_eq(thing.name, "before", "nothing faulty is stored");
	cr_expect_eq(thing.count, 7);
}

Test(json_fields, takes_whole_numbers_however_they_are_written)
{
	static const char *const rows[] = { "4", "4.0", "4e0", "0.4e1", "40e-1" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[64];
		snprintf(body, sizeof(body), "{\"name\":\"a\",\"count\":%s}", rows[i]);
		cr_expect_eq(read_json(body), JSON_OK, "%s", body);
		cr_expect_eq(thing.count, 4, "%s", body);
	}
}

Test(json_fields, refuses_numbers_that_a_double_cannot_hold)
{
	static const struct json_field big[] = {
		{ .name = "count",
			.type = JSON_NUMBER,
			.min = INT64_MIN,
			.max = INT64_MAX,
			.offset = offsetof(struct thing, count) },
		{ 0 },
	};
	static const struct {
		const char *body;
		enum json_result result;
	} rows[] = {
		{ "{\"count\":9007199254740991}", JSON_OK },
		{ "{\"count\":-9007199254740991}", JSON_OK },
		{ "{\"count\":9007199254740992}", JSON_FAULTY },
		{ "{\"count\":9223372036854775808}", JSON_FAULTY },
		{ "{\"count\":-9223372036854775808}", JSON_FAULTY },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(
			json_read(rows[i].body, strlen(rows[i].body), big, &thing, NULL, &faults),
			rows[i].result, "%s", rows[i].body);
}

Test(json_fields, tells_what_is_no_json)
{
	static const char *const rows[] = {
		"",
		"{\"name\":\"a\"",
		"{\"name\":\"a\"}x",
		"{\"name\":\"\xff\"}",
		"\xef\xbb\xbf{\"name\":\"a\"}",
		"{\"name\":\"\\u0000\",}",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(read_json(rows[i]), JSON_INVALID, "%s", rows[i]);
		cr_expect_str_eq(thing.name, "before", "%s", rows[i]);
		cr_expect_eq(present, 0, "%s", rows[i]);
	}
}

Test(json_fields, refuses_json_that_is_no_object_or_ambiguous_in_words)
{
	static const struct {
		const char *body;
		const char *what;
	} rows[] = {
		{ "null", "object" },
		{ "[]", "object" },
		{ "[{\"name\":\"a\"}]", "object" },
		{ "\"name\"", "object" },
		{ "1", "object" },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "twice" },
		{ "{\"name\":\"a\",\"n\\u0061me\":\"b\"}", "twice" },
		{ "{\"name\":\"a\",\"x\":{\"y\":1,\"y\":2}}", "twice" },
		{ "{\"name\":\"a\",\"x\":[{\"y\":1,\"y\":2}]}", "twice" },
		{ "{\"name\":\"a\\u0000b\"}", "\\u0000" },
		{ "{\"name\":\"a\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "deeper than 16" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(read_json(rows[i].body), JSON_FAULTY, "%s", rows[i].body);
		cr_expect_eq(faults.count, 1, "%s", rows[i].body);
		cr_expect_str_eq(faults.list[0].field, "body");
		cr_expect_not_null(strstr(faults.list[0].what, rows[i].what), "%s", rows[i].body);
		cr_expect_str_eq(thing.name, "before", "%s", rows[i].body);
		cr_expect_eq(present, 0, "%s", rows[i].body);
	}
	cr_expect_eq(read_json("{\"name\":\"a\",\"x\":{\"name\":1},\"y\":{\"name\":1}}"), JSON_OK);
}

Test(json_fields, reads_no_byte_past_the_body)
{
	static const char body[] = "{\"name\":\"a\"}";
	char *exact = malloc(sizeof(body) - 1);
	memcpy(exact, body, sizeof(body) - 1);
	cr_expect_eq(json_read(exact, sizeof(body) - 1, fields, &thing, NULL, &faults), JSON_OK);
	free(exact);
}

Test(json_fields, stays_quick_on_a_body_full_of_keys)
{
	static char body[64 << 10];
	size_t len = (size_t)snprintf(body, sizeof(body), "{\"name\":\"a\"");
	for (int i = 0; len < sizeof(body) - 32; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, ",\"%x\":1", i);
	snprintf(body + len, sizeof(body) - len, "}");
	uint64_t begin = clock_monotonic();
	cr_expect_eq(read_json(body), JSON_OK);
	cr_expect_lt(clock_monotonic() - begin, 100 * CLOCK_MS);
}

static void note_leaf(const struct json_leaf *leaf, void *context)
{
	struct text *seen = context;
	text_addf(seen, "%s=", leaf->path);
	if (leaf->text != NULL)
		text_addf(seen, "'%s'", leaf->text);
	else
		text_addf(seen, "%g/%zu", leaf->number, leaf->list_count);
	text_add(seen, " ");
}

static const char *walked(const char *body)
{
	static char memory[512];
	struct text seen = text_fixed(memory, sizeof(memory));
	enum json_result result = json_walk(body, strlen(body), note_leaf, &seen, &faults);
	text_addf(&seen, "%d", (int)result);
	return memory;
}

Test(json_walk, shows_every_text_number_and_list_by_its_path)
{
	cr_expect_str_eq(
		walked("{\"a\": \"x\", \"b\": [{\"c\": 1.5}, \"y\", [2]], \"d\": {\"e\": []}}"),
		"a='x' b=0/3 b.0.c=1.5/0 b.1='y' b.2=0/1 b.2.0=2/0 d.e=0/0 0");
}

Test(json_walk, says_nothing_of_booleans_and_null)
{
	cr_expect_str_eq(walked("{\"a\": true, \"b\": null, \"c\": {}}"), "0");
}

Test(json_walk, leaves_out_what_lies_under_a_path_that_is_too_long_and_goes_on)
{
	char body[256];
	snprintf(body, sizeof(body), "{\"%0*d\": \"x\", \"b\": \"y\"}", JSON_PATH_MAX, 0);
	cr_expect_str_eq(walked(body), "b='y' 0");
}

Test(json_walk, shows_nothing_of_what_is_not_good)
{
	char invalid[8], faulty[8];
	snprintf(invalid, sizeof(invalid), "%d", (int)JSON_INVALID);
	snprintf(faulty, sizeof(faulty), "%d", (int)JSON_FAULTY);
	cr_expect_str_eq(walked("{\"a\": \"x\","), invalid);
	cr_expect_str_eq(walked("[\"a\"]"), faulty);
	cr_expect_str_eq(walked("{\"a\": \"x\", \"a\": \"y\"}"), faulty);
}
