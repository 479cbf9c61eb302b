#include "domain/replica_tally.h"

#include <criterion/criterion.h>

static struct replica_tally tally;

static void clean(void)
{
	replica_tally_clear(&tally);
}

TestSuite(replica_tally, .fini = clean);

static void expect(
	const struct replica_total *total, int64_t active, int64_t disabled, int64_t deleted)
{
	cr_expect_eq(total->active, active);
	cr_expect_eq(total->disabled, disabled);
	cr_expect_eq(total->deleted, deleted);
}

Test(replica_tally, counts_by_owner_and_state)
{
	cr_assert(replica_tally_add(&tally, 7, LINK_ACTIVE, 2));
	cr_assert(replica_tally_add(&tally, 0, LINK_DELETED, 1));
	cr_assert(replica_tally_add(&tally, 7, LINK_DISABLED, 4));
	cr_assert(replica_tally_add(&tally, 7, LINK_ACTIVE, -3));
	expect(&tally.all, -1, 4, 1);
	replica_tally_sort(&tally);
	cr_assert_eq(tally.count, 2);
	cr_expect_eq(tally.owners[0].owner, 0);
	expect(&tally.owners[0].total, 0, 0, 1);
	cr_expect_eq(tally.owners[1].owner, 7);
	expect(&tally.owners[1].total, -1, 4, 0);
}

Test(replica_tally, keeps_each_of_many_owners)
{
	enum { OWNERS = 10000 };
	for (int64_t i = 0; i < 3 * OWNERS; i++)
		cr_assert(replica_tally_add(&tally, i * 7919 % OWNERS << 20, LINK_ACTIVE, 1));
	replica_tally_sort(&tally);
	cr_assert_eq(tally.count, OWNERS);
	for (int64_t i = 0; i < OWNERS; i++) {
		cr_assert_eq(tally.owners[i].owner, i << 20);
		cr_assert_eq(tally.owners[i].total.active, 3);
	}
}

Test(replica_tally, counts_whom_nobody_can_be_among_all_only)
{
	cr_assert(replica_tally_add(&tally, -1, LINK_ACTIVE, 1));
	cr_assert(replica_tally_add(&tally, INT64_MIN, LINK_ACTIVE, 1));
	cr_expect_eq(tally.count, 0);
	expect(&tally.all, 2, 0, 0);
}

Test(replica_tally, joins_another)
{
	struct replica_tally other = { 0 };
	cr_assert(replica_tally_join(&tally, &other), "both are empty");
	cr_assert(replica_tally_add(&tally, 1, LINK_ACTIVE, 5));
	cr_assert(replica_tally_add(&other, 1, LINK_ACTIVE, -1));
	for (int64_t owner = 2; owner < 1000; owner++)
		cr_assert(replica_tally_add(&other, owner, LINK_DELETED, owner));
	cr_assert(replica_tally_join(&tally, &other));
	replica_tally_clear(&other);
	cr_expect_eq(other.count, 0);
	expect(&tally.all, 4, 0, 999 * 1000 / 2 - 1);
	replica_tally_sort(&tally);
	cr_assert_eq(tally.count, 999);
	expect(&tally.owners[0].total, 4, 0, 0);
	expect(&tally.owners[998].total, 0, 0, 999);
}
