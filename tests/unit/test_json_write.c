#include "http/json_write.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "http/json_check.h"

static char memory[4096];
static struct text text;
static struct json_writer json;

static void setup(void)
{
	text = text_fixed(memory, sizeof(memory));
	json = json_writer(&text);
}

TestSuite(json_write, .init = setup);

Test(json_write, keeps_commas_right_at_every_level)
{
	json_open(&json, NULL, '{');
	json_text(&json, "a", "b");
	json_open(&json, "list", '[');
	json_number(&json, NULL, -1);
	json_open(&json, NULL, '[');
	json_close(&json, ']');
	json_open(&json, NULL, '{');
	json_boolean(&json, "yes", true);
	json_null(&json, "nothing");
	json_close(&json, '}');
	json_boolean(&json, NULL, false);
	json_close(&json, ']');
	json_text(&json, "none", NULL);
	json_close(&json, '}');
	cr_expect_str_eq(memory,
		"{\"a\":\"b\",\"list\":[-1,[],{\"yes\":true,\"nothing\":null},false],"
		"\"none\":null}");
}

Test(json_write, escapes_keys_and_values_so_that_any_bytes_are_valid)
{
	char hostile[256];
	for (int i = 0; i < 255; i++)
		hostile[i] = (char)(i + 1);
	hostile[255] = '\0';
	json_open(&json, NULL, '{');
	json_text(&json, hostile, hostile);
	json_close(&json, '}');
	cr_expect_not(text.cut);
	cr_expect(json_check(memory, text.len), "%s", memory);
}

Test(json_write, writes_decimals_with_two_digits_whatever_the_locale)
{
	static const struct {
		double value;
		const char *written;
	} rows[] = {
		{ 0, "0.00" },
		{ 1.5, "1.50" },
		{ 99.994, "99.99" },
		{ 99.996, "100.00" },
		{ -0.5, "-0.50" },
		{ -12.34, "-12.34" },
		{ -0.001, "0.00" },
		{ 123456789012.25, "123456789012.25" },
		{ 1e15, "1000000000000000" },
		{ -1e300, NULL }, /* some 300 digits: valid is enough */
		{ INFINITY, "null" },
		{ -INFINITY, "null" },
		{ NAN, "null" },
	};
	setlocale(LC_ALL, "de_DE.UTF-8");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setup();
		json_decimal(&json, NULL, rows[i].value);
		if (rows[i].written != NULL)
			cr_expect_str_eq(memory, rows[i].written, "%s", memory);
		cr_expect_null(strchr(memory, ','), "%s", memory);
	}
}

Test(json_write, writes_the_extremes_of_numbers)
{
	json_open(&json, NULL, '[');
	json_number(&json, NULL, INT64_MIN);
	json_number(&json, NULL, INT64_MAX);
	json_close(&json, ']');
	cr_expect_str_eq(memory, "[-9223372036854775808,9223372036854775807]");
}

Test(json_write, sets_cut_when_it_nests_too_deep_or_runs_full)
{
	for (int i = 0; i < JSON_DEPTH + 40; i++)
		json_open(&json, NULL, '[');
	for (int i = 0; i < JSON_DEPTH + 40; i++)
		json_close(&json, ']');
	cr_expect(text.cut);
	char little[8];
	text = text_fixed(little, sizeof(little));
	json = json_writer(&text);
	json_text(&json, NULL, "longer than eight");
	cr_expect(text.cut);
}
