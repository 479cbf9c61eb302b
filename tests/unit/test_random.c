#include "base/random.h"

#include <criterion/criterion.h>
#include <string.h>

Test(random, is_uniform_below_a_bound)
{
	unsigned seen[7] = { 0 };
	for (int i = 0; i < 70000; i++) {
		uint32_t value = random_below(7);
		cr_assert_lt(value, 7);
		seen[value]++;
	}
	/* 10,000 each are expected; six standard deviations are 556. */
	for (int i = 0; i < 7; i++)
		cr_expect(seen[i] > 9444 && seen[i] < 10556, "%d: %u", i, seen[i]);
}

Test(random, stays_below_the_smallest_and_largest_bounds)
{
	for (int i = 0; i < 100; i++) {
		cr_expect_eq(random_below(1), 0);
		cr_expect_lt(random_below(UINT32_MAX), UINT32_MAX);
		cr_expect_lt(random_below(UINT32_C(0x80000001)), UINT32_C(0x80000001));
	}
}

Test(random, writes_exactly_as_many_hex_digits_as_asked_for)
{
	static const size_t lengths[] = { 0, 1, 16, 63, 64, 65, 200 };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char hex[402];
		memset(hex, '#', sizeof(hex));
		random_hex(hex, lengths[i]);
		cr_expect_eq(strlen(hex), 2 * lengths[i]);
		cr_expect_eq(strspn(hex, "0123456789abcdef"), 2 * lengths[i]);
		cr_expect_eq(hex[2 * lengths[i] + 1], '#');
	}
}

Test(random, fills_every_byte_and_differs_each_time)
{
	unsigned char bytes[64], again[64];
	unsigned zeros[64] = { 0 };
	for (int round = 0; round < 64; round++) {
		memset(bytes, 0, sizeof(bytes));
		random_bytes(bytes, sizeof(bytes));
		for (int i = 0; i < 64; i++)
			zeros[i] += bytes[i] == 0;
	}
	for (int i = 0; i < 64; i++)
		cr_expect_lt(zeros[i], 16, "byte %d is hardly ever written", i);
	random_bytes(again, sizeof(again));
	cr_expect_neq(memcmp(bytes, again, sizeof(again)), 0);
}
