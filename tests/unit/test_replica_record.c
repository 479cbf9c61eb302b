#include "domain/replica_record.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* One with something of everything, some of it extreme. */
static struct replica_record make(void)
{
	return (struct replica_record){ .link = { .id = INT64_MAX,
						.code = "abc",
						.target = "https://example.com/a?b#c",
						.title = "A title, \xc3\xa4",
						.owner = 7,
						.state = LINK_DISABLED,
						.redirect_status = 307,
						.forward_query = true,
						.valid_since = -1,
						.valid_until = INT64_MIN,
						.max_visits = 127,
						.created_at = 128,
						.updated_at = 1700000000000,
						.version = 3 },
		.visits = 12,
		.tags = "{one,\"two, three\"}" };
}

static struct replica_record longest(void)
{
	struct replica_record record = make();
	memset(record.link.code, 'c', CODE_MAX);
	memset(record.link.target, 't', TARGET_URL_MAX);
	memset(record.link.title, 'i', LINK_TITLE_MAX);
	memset(record.tags, 'g', REPLICA_TAGS_MAX);
	return record;
}

static void expect_same(const struct link *link, const struct link *wanted)
{
	cr_expect_str_eq(link->code, wanted->code);
	cr_expect_str_eq(link->target, wanted->target);
	cr_expect_str_eq(link->title, wanted->title);
	cr_expect_eq(link->id, wanted->id);
	cr_expect_eq(link->owner, wanted->owner);
	cr_expect_eq(link->state, wanted->state);
	cr_expect_eq(link->redirect_status, wanted->redirect_status);
	cr_expect_eq(link->forward_query, wanted->forward_query);
	cr_expect_eq(link->valid_since, wanted->valid_since);
	cr_expect_eq(link->valid_until, wanted->valid_until);
	cr_expect_eq(link->max_visits, wanted->max_visits);
	cr_expect_eq(link->created_at, wanted->created_at);
	cr_expect_eq(link->updated_at, wanted->updated_at);
	cr_expect_eq(link->version, wanted->version);
}

static void expect_kept(const struct replica_record *wanted)
{
	unsigned char bytes[REPLICA_RECORD_MAX];
	static struct replica_record record;
	struct link link;
	size_t len = replica_record_write(wanted, bytes);
	cr_assert_leq(len, sizeof(bytes));
	cr_assert(replica_record_read(wanted->link.code, bytes, len, &record));
	expect_same(&record.link, &wanted->link);
	cr_expect_eq(record.visits, wanted->visits);
	cr_expect_str_eq(record.tags, wanted->tags);
	cr_assert(replica_record_read_link(wanted->link.code, bytes, len, &link));
	expect_same(&link, &wanted->link);
}

Test(replica_record, keeps_all_of_a_link)
{
	const struct replica_record full = make(), extreme = longest();
	const struct replica_record empty = { .link = { .code = "xyz", .redirect_status = 301 } };
	expect_kept(&full);
	expect_kept(&extreme);
	expect_kept(&empty);
}

Test(replica_record, keeps_each_state_and_status)
{
	static const int statuses[] = { 301, 302, 307, 308 };
	struct replica_record record = make();
	for (int state = LINK_ACTIVE; state <= LINK_DELETED; state++)
		for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
			record.link.state = (enum link_state)state;
			record.link.redirect_status = statuses[i];
			expect_kept(&record);
		}
}

Test(replica_record, does_not_take_another_code_for_its_own)
{
	unsigned char bytes[REPLICA_RECORD_MAX];
	struct replica_record record = make();
	size_t len = replica_record_write(&record, bytes);
	cr_expect_not(replica_record_read("abd", bytes, len, &record));
	cr_expect_not(replica_record_read("ab", bytes, len, &record));
	cr_expect_not(replica_record_read("", bytes, len, &record));
}

/* The bytes are copied to memory of exactly their length, so that sanitizers see a step past it. */
static bool is_record(const unsigned char *bytes, size_t len)
{
	static struct replica_record record;
	unsigned char *copy = malloc(len + 1);
	struct link link;
	memcpy(copy + 1, bytes, len);
	bool whole = replica_record_read("abc", copy + 1, len, &record);
	bool part = replica_record_read_link("abc", copy + 1, len, &link);
	free(copy);
	return whole || part;
}

Test(replica_record, finds_every_changed_bit_and_every_missing_byte)
{
	unsigned char bytes[REPLICA_RECORD_MAX];
	const struct replica_record record = make();
	size_t len = replica_record_write(&record, bytes);
	cr_assert(is_record(bytes, len));
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		cr_expect_not(is_record(bytes, len), "bit %zu", bit);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		cr_expect_not(is_record(bytes, cut), "%zu bytes", cut);
	cr_expect_not(is_record(bytes, len + 1), "a byte too many");
}
