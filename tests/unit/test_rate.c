#include "domain/rate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/segment.h"
#include "unit/scratch.h"

/* An interval of 100 ms and a burst of 150 for the API, of 1 s and 15 for new links. */
static void setup(void)
{
	char memory[1024];
	struct text error = text_fixed(memory, sizeof(memory));
	setenv("LINKSHRINK_RATE_API", "600", 1);
	setenv("LINKSHRINK_RATE_CREATE", "60", 1);
	setenv("LINKSHRINK_RATE_AUTH_FAIL", "2", 1);
	setenv("LINKSHRINK_RATE_REDIRECT", "0", 1);
	cr_assert(config_load(&error), "%s", memory);
	scratch_make();
	cr_assert(segment_open(scratch_path("segment")));
}

static void cleanup(void)
{
	segment_close();
	scratch_remove();
}

TestSuite(rate, .init = setup, .fini = cleanup);

/* How many calls go on at once before one is refused. */
static unsigned burst(enum rate_class class, const char *client)
{
	unsigned taken = 0;
	while (taken < 10000 && rate_take(class, client) == 0)
		taken++;
	return taken;
}

Test(rate, lets_a_quarter_of_a_minutes_calls_through_at_once)
{
	cr_expect_eq(burst(RATE_CREATE, "192.0.2.1"), 15);
}

Test(rate, says_how_many_seconds_to_wait)
{
	burst(RATE_CREATE, "192.0.2.1");
	cr_expect_eq(rate_take(RATE_CREATE, "192.0.2.1"), 1);
	burst(RATE_AUTH_FAIL, "192.0.2.1");
	cr_expect_eq(rate_take(RATE_AUTH_FAIL, "192.0.2.1"), 30);
}

Test(rate, never_lets_a_small_limit_burst_past_a_minutes_calls)
{
	cr_expect_eq(burst(RATE_AUTH_FAIL, "192.0.2.1"), 2);
}

Test(rate, lets_the_next_call_through_after_an_interval)
{
	unsigned taken = burst(RATE_API, "192.0.2.1");
	cr_expect_geq(taken, 150);
	usleep(120000);
	cr_expect_eq(rate_take(RATE_API, "192.0.2.1"), 0);
}

Test(rate, charges_calls_that_were_answered_already)
{
	rate_charge(RATE_CREATE, "192.0.2.1", 10);
	cr_expect_eq(burst(RATE_CREATE, "192.0.2.1"), 5);
}

Test(rate, charges_who_has_nothing_left_but_never_beyond_a_minute)
{
	burst(RATE_CREATE, "192.0.2.1");
	rate_charge(RATE_CREATE, "192.0.2.1", 10);
	unsigned wait = rate_take(RATE_CREATE, "192.0.2.1");
	cr_expect(wait >= 10 && wait <= 11, "%u", wait);
	rate_charge(RATE_CREATE, "192.0.2.1", 1000);
	cr_expect_leq(rate_take(RATE_CREATE, "192.0.2.1"), 60);
	rate_charge(RATE_REDIRECT, "192.0.2.1", 1000);
	cr_expect_eq(rate_take(RATE_REDIRECT, "192.0.2.1"), 0, "there is no limit");
}

Test(rate, takes_nothing_when_it_refuses)
{
	burst(RATE_CREATE, "192.0.2.1");
	for (int i = 0; i < 100; i++)
		rate_take(RATE_CREATE, "192.0.2.1");
	cr_expect_eq(rate_take(RATE_CREATE, "192.0.2.1"), 1);
}

Test(rate, knows_no_limit_where_it_is_zero)
{
	cr_expect_eq(burst(RATE_REDIRECT, "192.0.2.1"), 10000);
	cr_expect_eq(burst(RATE_NONE, "192.0.2.1"), 10000);
}

Test(rate, counts_each_client_and_each_class_apart)
{
	burst(RATE_CREATE, "192.0.2.1");
	cr_expect_eq(rate_take(RATE_CREATE, "192.0.2.2"), 0);
	cr_expect_eq(rate_take(RATE_API, "192.0.2.1"), 0);
	cr_expect_eq(rate_take(RATE_CREATE, "key:1"), 0);
	cr_expect_eq(rate_take(RATE_CREATE, ""), 0);
}

Test(rate, counts_ipv6_by_its_network_of_64_bits)
{
	burst(RATE_CREATE, "2001:db8:1:2::1");
	cr_expect_gt(rate_take(RATE_CREATE, "2001:db8:1:2:ffff::9"), 0);
	cr_expect_gt(rate_take(RATE_CREATE, "2001:0DB8:1:2::1"), 0);
	cr_expect_eq(rate_take(RATE_CREATE, "2001:db8:1:3::1"), 0);
	burst(RATE_CREATE, "::ffff:192.0.2.1");
	cr_expect_eq(rate_take(RATE_CREATE, "::ffff:192.0.2.2"), 0, "a mapped address is one host");
}

static void spend_in_another_process(void)
{
	segment_open(scratch_path("segment"));
	burst(RATE_CREATE, "192.0.2.1");
}

Test(rate, is_shared_by_all_processes_and_outlives_them)
{
	scratch_kill(scratch_fork(spend_in_another_process));
	cr_expect_gt(rate_take(RATE_CREATE, "192.0.2.1"), 0);
}

Test(rate, refuses_no_newcomer_for_longer_than_a_minute_in_a_crowd)
{
	char client[32];
	unsigned longest = 0, refused = 0;
	for (unsigned i = 0; i < 4 * RATE_CELLS; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		unsigned wait = rate_take(RATE_CREATE, client);
		rate_charge(RATE_CREATE, client, 14);
		refused += wait > 0;
		longest = wait > longest ? wait : longest;
	}
	cr_expect_leq(longest, 60);
	cr_expect_gt(refused, 0, "the crowd was none");
}

Test(rate, keeps_clients_apart_while_the_table_is_half_full)
{
	char client[32];
	unsigned refused = 0;
	for (unsigned i = 0; i < RATE_CELLS / 2; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		refused += rate_take(RATE_CREATE, client) > 0;
		rate_charge(RATE_CREATE, client, 14);
	}
	cr_expect_lt(refused, RATE_CELLS / 200, "%u", refused);
}

Test(rate, recovers_from_an_arrival_that_cannot_be)
{
	struct segment *segment = segment_get();
	rate_take(RATE_CREATE, "192.0.2.1");
	for (unsigned i = 0; i < RATE_CELLS; i++)
		segment->rates[i].arrival = UINT64_MAX / 2;
	cr_expect_eq(rate_take(RATE_CREATE, "192.0.2.1"), 0);
}
