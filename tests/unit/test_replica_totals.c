#include "domain/replica_totals.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/segment.h"
#include "unit/replica_scratch.h"
#include "unit/replica_truth.h"

enum { OWNERS = 5, MANY = 25000 /* records: a count of several pieces */ };

static struct replica_writer *writer;
static struct replica *replica;

static void make(void)
{
	replica_scratch_make();
	writer = replica_scratch_writer();
	replica = replica_new(replica_scratch_directory());
	cr_assert_not_null(replica);
}

static void clean(void)
{
	replica_free(replica);
	replica_writer_free(writer);
	replica_scratch_remove();
}

TestSuite(replica_totals, .init = make, .fini = clean);

static struct replica_record record_of(unsigned n, int64_t owner, enum link_state state)
{
	struct replica_record record = replica_scratch_record(n);
	record.link.owner = owner;
	record.link.state = state;
	return record;
}

/* Within a transaction. */
static void put(unsigned n, int64_t owner, enum link_state state)
{
	const struct replica_record record = record_of(n, owner, state);
	cr_assert_eq(replica_writer_put(writer, &record, NULL), REPLICA_OK);
}

static void commit_one(unsigned n, int64_t owner, enum link_state state)
{
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(n, owner, state);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
}

/* Links 0 … count-1, of owners 0 … OWNERS-1 and all states. */
static void build(unsigned count)
{
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	for (unsigned n = 0; n < count; n++)
		put(n, n % OWNERS, n / OWNERS % 3);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
	replica_scratch_say(LABEL_state_FOLLOWING);
}

static bool knows(void)
{
	struct replica_total total;
	return replica_total(replica, -1, &total);
}

static void expect(int64_t owner, int64_t active, int64_t disabled, int64_t deleted)
{
	struct replica_total total = { -9, -9, -9 };
	replica_scratch_say(LABEL_state_FOLLOWING); /* again: a test may take its time */
	cr_expect(replica_total(replica, owner, &total), "of %lld", (long long)owner);
	cr_expect_eq(total.active, active, "%lld active", (long long)total.active);
	cr_expect_eq(total.disabled, disabled, "%lld disabled", (long long)total.disabled);
	cr_expect_eq(total.deleted, deleted, "%lld deleted", (long long)total.deleted);
}

static void recount(void)
{
	bool more = true;
	while (more)
		cr_assert_eq(replica_writer_recount(writer, &more), REPLICA_OK);
}

Test(replica_totals, are_all_zero_without_links)
{
	build(0);
	expect(-1, 0, 0, 0);
	expect(0, 0, 0, 0);
	expect(7, 0, 0, 0);
	expect(INT64_MAX, 0, 0, 0);
}

Test(replica_totals, are_those_of_what_was_built)
{
	build(17);
	expect(-1, 7, 5, 5);
	expect(0, 2, 1, 1);
	expect(1, 2, 1, 1);
	expect(2, 1, 1, 1);
	expect(OWNERS, 0, 0, 0);
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

Test(replica_totals, of_a_build_leave_out_what_was_taken_back_or_replaced)
{
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(5, 1, LINK_ACTIVE);
	put(3, 1, LINK_ACTIVE);
	put(3, 2, LINK_DISABLED);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(7, 1, LINK_ACTIVE);
	replica_writer_abort(writer);
	commit_one(5, 1, LINK_DELETED);
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
	replica_scratch_say(LABEL_state_FOLLOWING);
	expect(1, 0, 0, 1);
	expect(2, 0, 1, 0);
	expect(-1, 0, 1, 1);
}

Test(replica_totals, follow_each_change_of_owner_and_state)
{
	static const struct {
		unsigned n;
		int64_t owner;
		enum link_state state;
		struct replica_total of_1, of_2, all;
	} rows[] = {
		{ 0, 1, LINK_ACTIVE, { 1, 0, 0 }, { 0, 0, 0 }, { 1, 0, 0 } },
		{ 1, 1, LINK_ACTIVE, { 2, 0, 0 }, { 0, 0, 0 }, { 2, 0, 0 } },
		{ 1, 1, LINK_ACTIVE, { 2, 0, 0 }, { 0, 0, 0 }, { 2, 0, 0 } },
		{ 1, 1, LINK_DISABLED, { 1, 1, 0 }, { 0, 0, 0 }, { 1, 1, 0 } },
		{ 1, 2, LINK_DISABLED, { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } },
		{ 0, 2, LINK_DELETED, { 0, 0, 0 }, { 0, 1, 1 }, { 0, 1, 1 } },
		{ 0, 1, LINK_ACTIVE, { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } },
		{ 0, 0, LINK_ACTIVE, { 0, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } },
	};
	build(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		commit_one(rows[i].n, rows[i].owner, rows[i].state);
		expect(1, rows[i].of_1.active, rows[i].of_1.disabled, rows[i].of_1.deleted);
		expect(2, rows[i].of_2.active, rows[i].of_2.disabled, rows[i].of_2.deleted);
		expect(-1, rows[i].all.active, rows[i].all.disabled, rows[i].all.deleted);
	}
}

Test(replica_totals, stay_where_only_other_things_change)
{
	const struct replica_meta meta = { .cursor_us = 1 };
	build(1);
	struct replica_record record = record_of(0, 0, LINK_ACTIVE);
	record.visits = 9;
	record.link.version = 2;
	replica_scratch_put(writer, &record);
	expect(0, 1, 0, 0);
	record.link.id = 77;
	replica_scratch_put(writer, &record);
	expect(0, 1, 0, 0);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_put_meta(writer, &meta), REPLICA_OK);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	expect(0, 1, 0, 0);
	expect(-1, 1, 0, 0);
}

Test(replica_totals, do_not_write_where_nothing_has_changed)
{
	MDB_envinfo before, after;
	build(10);
	cr_assert_eq(mdb_env_info(writer->env->lmdb, &before), 0);
	commit_one(0, 0, LINK_ACTIVE);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(mdb_env_info(writer->env->lmdb, &after), 0);
	cr_expect_eq(after.me_last_txnid, before.me_last_txnid);
	commit_one(0, 1, LINK_ACTIVE);
	cr_assert_eq(mdb_env_info(writer->env->lmdb, &after), 0);
	cr_expect_eq(after.me_last_txnid, before.me_last_txnid + 1);
}

Test(replica_totals, take_a_transaction_as_a_whole_or_not_at_all)
{
	build(5);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(0, 1, LINK_DELETED);
	put(9, 1, LINK_ACTIVE);
	put(9, 2, LINK_ACTIVE);
	put(9, 3, LINK_ACTIVE);
	expect(1, 1, 0, 0);
	replica_writer_abort(writer);
	cr_expect(replica_truth_is_told(writer, OWNERS));
	commit_one(10, 4, LINK_ACTIVE);
	cr_expect(replica_truth_is_told(writer, OWNERS), "nothing of the other one");
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(0, 1, LINK_DELETED);
	put(9, 1, LINK_ACTIVE);
	put(9, 3, LINK_DISABLED);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_expect(replica_truth_is_told(writer, OWNERS));
	expect(1, 1, 0, 1);
	expect(3, 1, 1, 0);
}

Test(replica_totals, are_there_after_a_restart)
{
	build(9);
	commit_one(0, 3, LINK_DISABLED);
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	cr_expect(replica_truth_is_told(writer, OWNERS));
	commit_one(1, 3, LINK_DISABLED);
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

Test(replica_totals, are_told_only_while_the_replica_follows)
{
	struct replica_total total;
	cr_expect_not(knows(), "there is no file");
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect_not(knows(), "there is no file");
	build(1);
	cr_expect(knows());
	cr_expect_not(replica_total(replica, -2, &total), "nobody can be that");
	replica_scratch_say(LABEL_state_BUILDING);
	cr_expect_not(knows());
	replica_scratch_say(LABEL_state_REFUSING);
	cr_expect_not(knows());
	replica_scratch_say(LABEL_state_FOLLOWING);
	atomic_fetch_sub(&segment_get()->replica.seen, 5 * CLOCK_S);
	cr_expect_not(knows(), "its writer is silent");
	replica_scratch_say(LABEL_state_FOLLOWING);
	const struct replica_record record = replica_scratch_record(1);
	cr_expect_not(replica_wait(replica, &record.link, 1));
	cr_expect_not(knows(), "somebody was told of a link that is not there");
	replica_scratch_say(LABEL_state_FOLLOWING);
	cr_expect(knows());
	atomic_store(&segment_get()->replica.generation, 0);
	cr_expect_not(knows(), "nobody said which file it is");
}

Test(replica_totals, are_unknown_in_a_file_that_never_had_any_until_it_is_counted)
{
	build(12);
	replica_truth_remove(writer);
	cr_expect_not(knows());
	cr_assert_eq(replica_writer_open(writer), REPLICA_OK, "it is not damaged");
	commit_one(0, 1, LINK_DELETED);
	cr_expect(replica_truth_is_unknown(writer, OWNERS));
	cr_expect_eq(replica_scratch_find(replica, 2), LINK_OK);
	cr_expect_not(knows());
	recount();
	cr_expect(knows(), "by a reader that had it open before");
	cr_expect(replica_truth_is_told(writer, OWNERS));
	commit_one(1, 0, LINK_DELETED);
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

/* As the program does it that knows nothing of totals. */
static void commit_unawares(const struct replica_record *record)
{
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_put(writer, record, NULL), REPLICA_OK);
	cr_assert_eq(mdb_txn_commit(writer->txn), 0);
	writer->txn = NULL;
	replica_count_end(writer, false);
}

Test(replica_totals, are_unknown_where_a_program_has_passed_them_over)
{
	build(12);
	struct replica_record record = record_of(0, 4, LINK_DELETED);
	commit_unawares(&record);
	cr_expect(replica_truth_is_unknown(writer, OWNERS));
	cr_expect_not(knows());
	commit_one(1, 0, LINK_DELETED);
	cr_expect(replica_truth_is_unknown(writer, OWNERS), "and stay so");
	record = record_of(2, 3, LINK_ACTIVE);
	commit_unawares(&record);
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

Test(replica_totals, are_counted_beside_other_changes)
{
	bool more;
	build(MANY);
	replica_truth_remove(writer);
	cr_assert_eq(replica_writer_recount(writer, &more), REPLICA_OK);
	cr_assert(more);
	commit_one(0, 1, LINK_DELETED);
	commit_one(MANY - 1, 1, LINK_DELETED);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(1, 4, LINK_DISABLED);
	put(MANY - 2, 4, LINK_DISABLED);
	replica_writer_abort(writer);
	cr_assert_eq(replica_writer_recount(writer, &more), REPLICA_OK);
	cr_assert(more);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	put(1, 3, LINK_DISABLED);
	put(1, 2, LINK_DISABLED);
	put(MANY - 2, 2, LINK_DISABLED);
	put(MANY + 1, OWNERS, LINK_ACTIVE);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_expect(replica_truth_is_unknown(writer, OWNERS));
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS + 1));
}

Test(replica_totals, are_known_while_they_are_counted_anew)
{
	bool more = true;
	build(MANY);
	for (unsigned n = 0; more; n++) {
		cr_assert_eq(replica_writer_recount(writer, &more), REPLICA_OK);
		commit_one(n, OWNERS, LINK_DELETED);
		commit_one(MANY - 1 - n, OWNERS, LINK_DELETED);
		expect(OWNERS, 0, 0, 2 * (n + 1));
		cr_assert(replica_truth_is_told(writer, OWNERS + 1));
	}
}

Test(replica_totals, are_not_counted_within_a_transaction)
{
	bool more = true;
	build(3);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_expect_eq(replica_writer_recount(writer, &more), REPLICA_ERROR);
	cr_expect_not(more);
	replica_writer_abort(writer);
	recount();
	replica_writer_free(writer);
	writer = replica_scratch_writer();
	cr_expect_eq(replica_writer_recount(writer, &more), REPLICA_MISSING, "nothing is open");
}

Test(replica_totals, have_each_of_many_owners)
{
	enum { SEVERAL = 60000 /* more than one transaction writes */ };
	cr_assert_eq(replica_writer_build(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	for (unsigned n = 0; n < SEVERAL; n++)
		put(n, (int64_t)n * 7919 % SEVERAL, LINK_ACTIVE);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert_eq(replica_writer_publish(writer), REPLICA_OK);
	replica_scratch_say(LABEL_state_FOLLOWING);
	for (int64_t owner = 0; owner < SEVERAL; owner += owner < SEVERAL - 100 ? 97 : 1)
		expect(owner, 1, 0, 0);
	expect(SEVERAL, 0, 0, 0);
	expect(-1, SEVERAL, 0, 0);
}

Test(replica_totals, of_a_count_in_parts_are_added_up)
{
	struct replica_tally part = { 0 };
	build(2);
	cr_assert(replica_tally_add(&part, 1, LINK_ACTIVE, 2));
	replica_tally_sort(&part);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	const uint64_t number = mdb_txn_id(writer->txn);
	cr_assert_eq(replica_totals_put(writer->env, writer->txn, number, &part, 0, 1), 0);
	cr_assert_eq(replica_totals_put(writer->env, writer->txn, number, &part, 0, 1), 0);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_expect_not(knows(), "it is not complete");
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	part.all.active = 4;
	cr_assert_eq(replica_totals_finish(writer->env, writer->txn, number, &part.all), 0);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	replica_tally_clear(&part);
	expect(1, 4, 0, 0);
	expect(-1, 4, 0, 0);
	expect(0, 0, 0, 0); /* of the count before */
}

Test(replica_totals, that_are_negative_are_unknown)
{
	const struct replica_total wrong = { 0, 0, 0 };
	build(3);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(
		replica_totals_finish(writer->env, writer->txn, mdb_txn_id(writer->txn), &wrong),
		0);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	expect(-1, 0, 0, 0);
	commit_one(0, 0, LINK_DELETED);
	cr_expect(replica_truth_is_unknown(writer, OWNERS), "one less than none");
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

Test(replica_totals, are_unknown_once_a_damaged_record_was_replaced)
{
	char code[] = "link00003";
	MDB_val key = { sizeof(code) - 1, code }, rubbish = { 3, code };
	const struct replica_meta meta = { .cursor_us = 1 };
	build(12);
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	cr_assert_eq(mdb_put(writer->txn, writer->env->links, &key, &rubbish, 0), 0);
	cr_assert_eq(replica_writer_put_meta(writer, &meta), REPLICA_OK);
	cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
	cr_assert(knows());
	commit_one(3, 3, LINK_ACTIVE);
	cr_expect(replica_truth_is_unknown(writer, OWNERS));
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS));
}

Test(replica_totals, that_are_damaged_are_unknown)
{
	enum { IN_KEY = 12, IN_COUNT = 13 + 24, IN_SUM = 13, IN_ALL = 5 + 24 };
	struct replica_total total;
	static const size_t places[] = { IN_KEY, IN_COUNT, IN_SUM };
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		build(12);
		replica_truth_damage(2, places[i]);
		cr_expect_not(replica_total(replica, 2, &total), "at %zu", places[i]);
		expect(0, 1, 1, 1);
		expect(-1, 5, 5, 2);
		commit_one(2, 2, LINK_DELETED);
		cr_expect_not(knows(), "at %zu: it is noticed", places[i]);
		cr_expect_eq(replica_scratch_find(replica, 0), LINK_OK);
	}
	build(12);
	replica_truth_damage(-1, IN_ALL);
	cr_expect(replica_truth_is_unknown(writer, OWNERS));
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS));
	replica_truth_damage(2, IN_COUNT);
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS), "counted anew, it is sound");
}

/* One turn of a writer that does anything it may do. */
static void do_something(void)
{
	bool more;
	int what = rand() % 20;
	if (what == 0)
		cr_assert_eq(replica_writer_open(writer), REPLICA_OK);
	else if (what < 3)
		replica_truth_remove(writer);
	if (what < 8) {
		cr_assert_eq(replica_writer_recount(writer, &more), REPLICA_OK);
		return;
	}
	cr_assert_eq(replica_writer_begin(writer), REPLICA_OK);
	for (int left = rand() % 30; left > 0; left--)
		put((unsigned)rand() % (MANY + 50), rand() % OWNERS, (enum link_state)(rand() % 3));
	if (what < 11)
		replica_writer_abort(writer);
	else
		cr_assert_eq(replica_writer_commit(writer), REPLICA_OK);
}

Test(replica_totals, are_right_or_unknown_whatever_the_writer_does)
{
	unsigned known = 0, unknown = 0;
	build(MANY);
	for (unsigned seed = 1; seed <= 40; seed++) {
		srand(seed);
		for (int i = 0; i < 4; i++)
			do_something();
		bool told = replica_truth_is_told(writer, OWNERS);
		known += told;
		unknown += !told;
		cr_assert(told || replica_truth_is_unknown(writer, OWNERS), "seed %u", seed);
	}
	recount();
	cr_expect(replica_truth_is_told(writer, OWNERS));
	cr_expect_gt(known, 5, "%u", known);
	cr_expect_gt(unknown, 5, "%u", unknown);
}
