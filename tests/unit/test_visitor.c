#include "domain/visitor.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/segment.h"
#include "unit/scratch.h"

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
static struct visitor_hasher *hasher;

static void setup(void)
{
	scratch_make();
	cr_assert(segment_open(scratch_path("segment")));
	hasher = visitor_hasher_new();
	cr_assert_not_null(hasher);
}

static void cleanup(void)
{
	visitor_hasher_free(hasher);
	segment_close();
	scratch_remove();
}

TestSuite(visitor, .init = setup, .fini = cleanup);

static int64_t number_at(int64_t day)
{
	return visitor_number(hasher, day * day_ms, "192.0.2.1", "Firefox");
}

Test(visitor, is_one_number_all_day)
{
	int64_t number = number_at(20000);
	cr_expect_neq(number, 0);
	cr_expect_eq(number_at(20000), number);
	cr_expect_eq(visitor_number(hasher, 20001 * day_ms - 1, "192.0.2.1", "Firefox"), number);
}

Test(visitor, is_another_number_for_another_address_or_agent)
{
	int64_t number = number_at(20000);
	cr_expect_neq(visitor_number(hasher, 20000 * day_ms, "192.0.2.2", "Firefox"), number);
	cr_expect_neq(visitor_number(hasher, 20000 * day_ms, "192.0.2.1", "Chrome"), number);
	cr_expect_neq(visitor_number(hasher, 20000 * day_ms, "192.0.2.1F", "irefox"), number);
}

Test(visitor, is_another_number_every_day)
{
	int64_t numbers[5];
	for (int64_t day = 0; day < 5; day++)
		numbers[day] = number_at(20000 + day);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < i; j++)
			cr_expect_neq(numbers[i], numbers[j], "%u %u", i, j);
}

Test(visitor, cannot_be_found_again_once_the_key_is_wiped)
{
	int64_t yesterday = number_at(20000), today = number_at(20001);
	visitor_forget(20000 * day_ms + 5);
	cr_expect_eq(number_at(20000), yesterday, "the day is not over");
	cr_expect_eq(number_at(20001), today, "a clock may be ahead");
	visitor_forget(20001 * day_ms);
	cr_expect_eq(number_at(20001), today);
	cr_expect_eq(segment_get()->visitor_keys[20000 % VISITOR_KEYS].half[0], 0);
	cr_expect_eq(segment_get()->visitor_keys[20000 % VISITOR_KEYS].half[1], 0);
	cr_expect_neq(number_at(20000), yesterday);
}

Test(visitor, is_forgotten_even_where_a_day_went_by_unseen)
{
	int64_t before = number_at(20000);
	visitor_forget(20002 * day_ms);
	cr_expect_neq(number_at(20000), before);
}

static void see_in_another_process(void)
{
	segment_open(scratch_path("segment"));
	number_at(20000);
}

Test(visitor, is_the_same_in_all_processes_and_after_their_death)
{
	scratch_kill(scratch_fork(see_in_another_process));
	uint64_t half = segment_get()->visitor_keys[20000 % VISITOR_KEYS].half[0];
	cr_expect_neq(half, 0);
	number_at(20000);
	cr_expect_eq(segment_get()->visitor_keys[20000 % VISITOR_KEYS].half[0], half);
}

Test(visitor, does_not_repeat_among_a_hundred_thousand)
{
	/* Counted by their lowest 32 bits: of 100,000 random ones about one pair shares them. */
	static uint32_t seen[1 << 18];
	unsigned repeated = 0;
	char client[32];
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		uint32_t low = (uint32_t)visitor_number(hasher, 0, client, "Firefox");
		unsigned at = low % (1 << 18);
		while (seen[at] != 0 && seen[at] != low)
			at = (at + 1) % (1 << 18);
		repeated += seen[at] == low;
		seen[at] = low;
	}
	cr_expect_leq(repeated, 20, "%u", repeated);
}
