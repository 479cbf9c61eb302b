#include "base/hints.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "unit/scratch.h"

enum { ROOM = 8 };

static char taken[2 * HINT_CELLS][HINT_MAX + 1];
static bool lost;

static void prepare(void)
{
	scratch_make();
	cr_assert(segment_open(scratch_path("segment")));
}

static void cleanup(void)
{
	segment_close();
	scratch_remove();
}

TestSuite(hints, .init = prepare, .fini = cleanup);

static void add_one(void)
{
	if (segment_open(scratch_path("segment")))
		hints_add("from-a-process-that-is-killed");
}

Test(hints, come_in_their_order_and_once)
{
	hints_add("abc");
	hints_add("defg");
	cr_assert_eq(hints_take(taken, ROOM, &lost), 2);
	cr_expect_str_eq(taken[0], "abc");
	cr_expect_str_eq(taken[1], "defg");
	cr_expect_eq(hints_take(taken, ROOM, &lost), 0);
	cr_expect_not(lost);
}

Test(hints, outlive_who_gave_them)
{
	scratch_kill(scratch_fork(add_one));
	cr_assert_eq(hints_take(taken, ROOM, &lost), 1);
	cr_expect_str_eq(taken[0], "from-a-process-that-is-killed");
}

Test(hints, that_do_not_fit_now_come_the_next_time)
{
	char text[16];
	for (int i = 0; i < ROOM + 2; i++) {
		snprintf(text, sizeof(text), "code%d", i);
		hints_add(text);
	}
	cr_assert_eq(hints_take(taken, ROOM, &lost), ROOM);
	cr_assert_eq(hints_take(taken, ROOM, &lost), 2);
	cr_expect_str_eq(taken[1], "code9");
}

Test(hints, have_as_many_bytes_as_the_longest_code)
{
	char longest[HINT_MAX + 1];
	memset(longest, 'x', HINT_MAX);
	longest[HINT_MAX] = '\0';
	hints_add(longest);
	cr_assert_eq(hints_take(taken, ROOM, &lost), 1);
	cr_expect_str_eq(taken[0], longest);
}

Test(hints, are_lost_from_the_oldest_when_nobody_takes_them)
{
	char text[16];
	for (int i = 0; i < HINT_CELLS + 5; i++) {
		snprintf(text, sizeof(text), "code%d", i);
		hints_add(text);
	}
	cr_assert_eq(hints_take(taken, 2 * HINT_CELLS, &lost), HINT_CELLS);
	cr_expect_str_eq(taken[0], "code5");
	cr_expect(lost);
}
