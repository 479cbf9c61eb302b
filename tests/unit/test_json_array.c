#include "http/json_array.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "unit/pieces.h"

static struct text seen;

static void note(const struct json_element *element, void *context)
{
	(void)context;
	text_addf(&seen, "%zu", element->number);
	if (element->fault != NULL)
		text_addf(&seen, "!%s", element->fault);
	text_add_char(&seen, '<');
	text_add_bytes(&seen, element->len > 0 ? element->bytes : "", element->len);
	text_add(&seen, "> ");
}

static void feed(const char *bytes, size_t len, void *context)
{
	json_array_feed(context, bytes, len);
}

/* The elements, then whether it was an array. */
static const char *elements(const char *bytes, size_t len, uint32_t kind)
{
	struct json_array *array = json_array_new(note, NULL);
	text_free(&seen);
	seen = text_growing(1 << 20);
	feed_pieces(bytes, len, kind, feed, array);
	text_add(&seen, json_array_end(array) ? "array" : "other");
	json_array_free(array);
	cr_assert_not(seen.cut);
	return seen.data;
}

static void expect_elements(const char *body, const char *expected)
{
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++)
		cr_expect_str_eq(elements(body, strlen(body), kind), expected, "%s: cut by %u: %s",
			body, kind, seen.data);
	text_free(&seen);
}

Test(json_array, shows_each_element)
{
	static const struct {
		const char *body;
		const char *elements;
	} rows[] = {
		{ "[]", "array" },
		{ " \t\r\n[ ] \t\r\n", "array" },
		{ "[1]", "1<1> array" },
		{ "[ 1 ,\n2 ]", "1<1 > 2<2 > array" },
		{ "[{},[],null,\"\",-1.5]", "1<{}> 2<[]> 3<null> 4<\"\"> 5<-1.5> array" },
		{ "[{\"a\":[1,{\"b\":2}]},[[3,4]]]", "1<{\"a\":[1,{\"b\":2}]}> 2<[[3,4]]> array" },
		{ "[\",\",\"]\",{\"}\":\"{\"}]", "1<\",\"> 2<\"]\"> 3<{\"}\":\"{\"}> array" },
		{ "[\"\\\"]\",\"\\\\\",\"\\\\\\\",\"]",
			"1<\"\\\"]\"> 2<\"\\\\\"> 3<\"\\\\\\\",\"> array" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_elements(rows[i].body, rows[i].elements);
}

Test(json_array, leaves_an_element_that_is_wrong_within_its_bounds_to_others)
{
	static const struct {
		const char *body;
		const char *elements;
	} rows[] = {
		{ "[{\"a\":},2]", "1<{\"a\":}> 2<2> array" },
		{ "[{],2]", "1<{]> 2<2> array" },
		{ "[[},2]", "1<[}> 2<2> array" },
		{ "[{}},2]", "1<{}}> 2<2> array" },
		{ "[},2]", "1<}> 2<2> array" },
		{ "[1 2,3]", "1<1 2> 2<3> array" },
		{ "[x,\xff,3]", "1<x> 2<\xff> 3<3> array" },
		{ "[:,\\,3]", "1<:> 2<\\> 3<3> array" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_elements(rows[i].body, rows[i].elements);
}

Test(json_array, tells_what_is_no_array)
{
	static const struct {
		const char *body;
		const char *elements;
	} rows[] = {
		{ "", "other" },
		{ " \n", "other" },
		{ "{}", "other" },
		{ "1", "other" },
		{ "\"[]\"", "other" },
		{ "\xef\xbb\xbf[]", "other" },
		{ "[", "other" },
		{ "[1", "other" },
		{ "[1,", "1<1> other" },
		{ "[1,]", "1<1> other" },
		{ "[,1]", "other" },
		{ "[1,,2]", "1<1> other" },
		{ "[]x", "other" },
		{ "[][]", "other" },
		{ "[1]]", "1<1> other" },
		{ "[1],[2]", "1<1> other" },
		{ "[\"a]", "other" },
		{ "[\"a\\\"]", "other" },
		{ "[1,{\"a\":1,{\"b\":2}]", "1<1> other" },
		{ "[1,{\"a\":\"x},{\"b\":2}]", "1<1> other" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_elements(rows[i].body, rows[i].elements);
}

Test(json_array, shows_nothing_more_once_it_is_certain)
{
	static const struct {
		const char *body;
		bool certain; /* that it is none */
	} rows[] = {
		{ " ", false },
		{ "x", true },
		{ " [", false },
		{ "[,", true },
		{ "[1,", false },
		{ "[1,]", true },
		{ "[\"", false },
		{ "[1] ", false },
		{ "[1] ,", true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_array *array = json_array_new(note, NULL);
		bool good = json_array_feed(array, rows[i].body, strlen(rows[i].body));
		cr_expect_eq(good, !rows[i].certain, "%s", rows[i].body);
		text_free(&seen);
		seen = text_growing(64);
		if (!good)
			cr_expect_not(json_array_feed(array, "[1,2]", 5));
		cr_expect_eq(seen.len, 0, "%s", rows[i].body);
		json_array_free(array);
		text_free(&seen);
	}
}

/* Shows only how long the elements are. */
static void note_len(const struct json_element *element, void *context)
{
	(void)context;
	text_addf(&seen, "%zu %s, ", element->len, element->fault == NULL ? "" : element->fault);
}

static const char *lengths(size_t len, uint32_t kind)
{
	struct json_array *array = json_array_new(note_len, NULL);
	struct text body = text_growing(1 << 20);
	text_add(&body, "[1,\"");
	for (size_t i = 2; i < len; i++)
		text_add_char(&body, i % 80 == 0 ? ',' : 'x');
	text_add(&body, "\",{}]");
	text_free(&seen);
	seen = text_growing(1024);
	feed_pieces(body.data, body.len, kind, feed, array);
	cr_expect(json_array_end(array));
	json_array_free(array);
	text_free(&body);
	return seen.data;
}

Test(json_array, takes_elements_of_64_KiB_and_tells_which_are_longer)
{
	for (uint32_t kind = 0; kind < PIECES_KINDS; kind++) {
		cr_expect_str_eq(lengths(JSON_ELEMENT_MAX, kind), "1 , 65536 , 2 , ");
		cr_expect_str_eq(lengths(JSON_ELEMENT_MAX + 1, kind),
			"1 , 0 is longer than 64 KiB, 2 , ", "%s", seen.data);
		cr_expect_str_eq(lengths(300000, kind), "1 , 0 is longer than 64 KiB, 2 , ");
	}
	text_free(&seen);
}
