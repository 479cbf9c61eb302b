#include "base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(clock, writes_rfc_3339_in_utc)
{
	static const struct {
		int64_t wall_ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951827696789, "2000-02-29T12:34:56.789Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ -1, "1970-01-01T00:00:00.000Z" },
	};
	setenv("TZ", "Asia/Kathmandu", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[CLOCK_TEXT];
		clock_format(rows[i].wall_ms, text);
		cr_expect_str_eq(text, rows[i].text, "%s", text);
	}
}

Test(clock, reads_rfc_3339_with_any_offset_and_fraction)
{
	static const struct {
		const char *text;
		int64_t wall_ms;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:34:56.789Z", 951827696789 },
		{ "2000-02-29T14:34:56.789+02:00", 951827696789 },
		{ "2000-02-29T07:04:56.789-05:30", 951827696789 },
		{ "2000-02-29t12:34:56.789z", 951827696789 },
		{ "2000-02-29T12:34:56.7891234Z", 951827696789 },
		{ "2000-02-29T12:34:56.7Z", 951827696700 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};
	setenv("TZ", "Asia/Kathmandu", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t wall_ms = -1;
		cr_expect(clock_parse(rows[i].text, &wall_ms), "%s", rows[i].text);
		cr_expect_eq(
			wall_ms, rows[i].wall_ms, "%s: %lld", rows[i].text, (long long)wall_ms);
	}
}

Test(clock, refuses_moments_that_do_not_exist)
{
	static const char *const rows[] = { "", "now", "2001-02-29T00:00:00Z",
		"2000-13-01T00:00:00Z", "2000-00-01T00:00:00Z", "2000-01-00T00:00:00Z",
		"2000-01-32T00:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T00:60:00Z",
		"2000-01-01T00:00:61Z", "2000-01-01T00:00:00", "2000-01-01",
		"2000-01-01T00:00:00.Z", "2000-01-01T00:00:00.1234567891Z",
		"2000-01-01T00:00:00+24:00", "2000-01-01T00:00:00+0100",
		"2000-01-01T00:00:00+01:60", "2000-01-01T00:00:00Zx", " 2000-01-01T00:00:00Z",
		"-200-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00",
		"20000-01-01T00:00:00Z" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t wall_ms = 42;
		cr_expect_not(clock_parse(rows[i], &wall_ms), "%s", rows[i]);
		cr_expect_eq(wall_ms, 42, "%s", rows[i]);
	}
}

Test(clock, reads_what_it_writes)
{
	for (int64_t moment = 1; moment < INT64_C(253402300799999);
		moment = moment * 3 + 86399999) {
		char text[CLOCK_TEXT];
		int64_t again = 0;
		clock_format(moment, text);
		cr_assert(clock_parse(text, &again), "%s", text);
		cr_assert_eq(again, moment, "%s", text);
	}
}

Test(clock, agrees_with_the_system_on_now)
{
	uint64_t before = clock_monotonic();
	cr_expect_geq(clock_monotonic(), before);
	cr_expect_gt(clock_wall_ms(), INT64_C(1577836800000), "before 2020");
}
