#include "domain/click.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/segment.h"
#include "unit/scratch.h"
#include "unit/spooling.h"

enum { FIELDS = 10 };

TestSuite(click, .init = spooling_begin, .fini = spooling_end);

/* The last line of the only segment, split at its tabs. */
static void read_fields(char *fields[FIELDS])
{
	static char bytes[4096];
	char name[128];
	look();
	cr_assert_eq(found.segments, 1);
	snprintf(name, sizeof(name), "spool/%s", found.names[0]);
	scratch_read(name, bytes, sizeof(bytes));
	*strrchr(bytes, '\n') = '\0';
	char *rest = strrchr(bytes, '\n') + 1;
	for (unsigned i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&rest, "\t");
		cr_assert_not_null(fields[i], "field %u", i);
	}
	cr_assert_null(rest);
}

Test(click, is_a_line_that_holds_what_is_promised)
{
	char *fields[FIELDS];
	cr_assert_eq(record(), CLICK_KEPT);
	cr_expect_eq(spooled(), 1);
	read_fields(fields);
	cr_expect_eq(found.records, 1);
	cr_expect_eq(found.wrong, 0);
	cr_expect_str_eq(fields[1], "1795471199999");
	cr_expect_str_eq(fields[2], "4711");
	cr_expect_str_eq(fields[3], "302");
	cr_expect_str_eq(fields[4], "www.example.com");
	cr_expect_str_eq(fields[5], "firefox");
	cr_expect_str_eq(fields[6], "linux");
	cr_expect_str_eq(fields[7], "-");
	cr_expect_str_eq(fields[8], "198.51.100.0/24");
}

Test(click, says_where_nothing_is_known)
{
	char *fields[FIELDS];
	const struct click click = { .at = 1,
		.link = 1,
		.status = 301,
		.referrer = "",
		.user_agent = "",
		.client = "unix:",
		.purpose = "" };
	cr_assert_eq(click_record(writer, &click), CLICK_KEPT);
	read_fields(fields);
	cr_expect_str_eq(fields[4], "\\N");
	cr_expect_str_eq(fields[5], "other");
	cr_expect_str_eq(fields[6], "other");
	cr_expect_str_eq(fields[7], "-");
	cr_expect_str_eq(fields[8], "\\N");
}

Test(click, flags_bots_and_prefetches_and_cuts_ipv6_addresses)
{
	char *fields[FIELDS];
	struct click click = sample;
	click.user_agent = "Mozilla/5.0 (compatible; Googlebot/2.1)";
	click.purpose = "prefetch;prerender";
	click.client = "2001:db8:1:2:3:4:5:6";
	cr_assert_eq(click_record(writer, &click), CLICK_KEPT);
	read_fields(fields);
	cr_expect_str_eq(fields[5], "googlebot");
	cr_expect_str_eq(fields[6], "other");
	cr_expect_str_eq(fields[7], "bp");
	cr_expect_str_eq(fields[8], "2001:db8:1::/48");
}

Test(click, fits_its_line_however_much_a_client_sends)
{
	static char referrer[8192], agent[8192];
	struct click click = sample;
	size_t begin = strlen("https://");
	memcpy(referrer, "https://", begin);
	for (size_t i = 0; i < 253; i++)
		referrer[begin + i] = i % 50 == 49 ? '.' : 'a';
	memset(referrer + begin + 253, '/', sizeof(referrer) - begin - 254);
	memset(agent, 'x', sizeof(agent) - 1);
	click.referrer = referrer;
	click.user_agent = agent;
	click.client = "2001:db80:ffff:2:3:4:5:6";
	click.at = click.link = INT64_MAX;
	cr_assert_eq(click_record(writer, &click), CLICK_KEPT);
	look();
	cr_expect_eq(found.records, 1);
	cr_expect_eq(found.wrong, 0);
}

Test(click, segments_say_who_made_them_and_can_be_read_by_awk)
{
	char command[512], said[128], expected[128];
	record();
	record();
	look();
	cr_assert_eq(strlen(found.names[0]), 16 + strlen(CLICK_SUFFIX));
	cr_expect_eq(strspn(found.names[0], "0123456789abcdef"), 16);
	snprintf(command, sizeof(command),
		"awk -F '\\t' '/^#/ { split($0, head, \" \"); next }"
		" NF == 10 && $2 > 1700000000000 && $4 == 302 { n++ }"
		" END { print head[3], head[4], head[5], head[6], n }' '%s'",
		spooling_path(found.names[0]));
	FILE *awk = popen(command, "r");
	cr_assert_not_null(awk);
	cr_assert_not_null(fgets(said, sizeof(said), awk));
	pclose(awk);
	snprintf(expected, sizeof(expected), "clicks 1 7 %016llx 2\n",
		(unsigned long long)segment_get()->header.run);
	cr_expect_str_eq(said, expected);
}

Test(click, opens_nothing_before_the_first_and_syncs_what_is_there)
{
	click_sync();
	look();
	cr_expect_eq(found.segments, 0);
	record();
	cr_expect_gt(click_sync(), 0);
	cr_expect_leq(click_sync(), 1000);
	look();
	cr_expect_eq(found.locked, 1);
}

/* Looks for room as often as it takes; once a second is often enough for it. */
static bool becomes(enum click_result wanted)
{
	for (unsigned wait = 0; wait < 1000; wait++) {
		click_sync();
		if (record() == wanted)
			return true;
		usleep(10000);
	}
	return false;
}

Test(click, is_dropped_when_the_disk_is_down_to_its_reserve)
{
	spooling_settings("1099511627776", "1073741824");
	cr_expect(becomes(CLICK_DROPPED));
	cr_expect_eq(dropped(LABEL_reason_RESERVE), 1);
	look();
	cr_expect_eq(found.records, spooled());
	spooling_settings("0", "1073741824");
	cr_expect(becomes(CLICK_KEPT));
}

Test(click, is_dropped_when_the_spool_is_as_large_as_it_may_be)
{
	spooling_settings("0", "1048576");
	cr_assert_eq(record(), CLICK_KEPT);
	look();
	cr_assert_eq(truncate(spooling_path(found.names[0]), 1 << 20), 0);
	cr_expect(becomes(CLICK_DROPPED));
	cr_expect_eq(dropped(LABEL_reason_SPOOL_FULL), 1);
	cr_assert_eq(truncate(spooling_path(found.names[0]), 0), 0);
	cr_expect(becomes(CLICK_KEPT));
}

/* As ingest does with a segment that nobody writes to, and with no other. */
static void retire_what_is_finished(void)
{
	look();
	cr_assert_eq(found.segments, 1);
	cr_expect_eq(found.locked, 0);
	if (found.locked == 0)
		unlink(spooling_path(found.names[0]));
}

Test(click, leaves_its_segment_to_be_retired_when_the_spool_is_full_of_it)
{
	spooling_settings("0", "1048576");
	cr_assert_eq(record(), CLICK_KEPT);
	look();
	cr_assert_eq(truncate(spooling_path(found.names[0]), 1 << 20), 0);
	cr_expect(becomes(CLICK_DROPPED));
	retire_what_is_finished();
	cr_expect(becomes(CLICK_KEPT));
}

Test(click, leaves_its_segment_to_be_retired_when_the_disk_is_down_to_its_reserve)
{
	cr_assert_eq(record(), CLICK_KEPT);
	spooling_settings("1099511627776", "1073741824");
	cr_expect(becomes(CLICK_DROPPED));
	retire_what_is_finished();
}

Test(click, is_dropped_while_there_is_no_directory)
{
	rmdir(spooling_path(""));
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(record(), CLICK_DROPPED);
	cr_expect_eq(dropped(LABEL_reason_ERROR), 2);
	cr_assert_eq(mkdir(spooling_path(""), 0700), 0);
	cr_expect(becomes(CLICK_KEPT));
}

static void *commit(void *argument)
{
	atomic_store(&segment_get()->clicks_committed_until, *(uint64_t *)argument);
	bell_ring(BELL_CLICKS_COMMITTED);
	return NULL;
}

Test(click, is_not_waited_for_when_there_is_none_that_a_round_did_not_find)
{
	const uint64_t now = clock_monotonic();
	cr_expect_not(click_wait_committed(now, 0), "no round ever was");
	cr_assert_eq(record(), CLICK_KEPT);
	atomic_store(&segment_get()->clicks_committed_of,
		metrics_value(METRIC_clicks_spooled, 0, 0) + 1);
	cr_expect(click_wait_committed(now, 0));
	cr_assert_eq(record(), CLICK_KEPT);
	cr_expect_not(click_wait_committed(now, 0));
}

Test(click, can_be_waited_for_until_it_is_committed)
{
	pthread_t thread;
	uint64_t now = clock_monotonic();
	cr_expect(click_wait_committed(0, 0));
	cr_expect_not(click_wait_committed(now, 0));
	cr_expect_not(click_wait_committed(now, 5));
	cr_assert_eq(pthread_create(&thread, NULL, commit, &now), 0);
	cr_expect(click_wait_committed(now, 30000));
	pthread_join(thread, NULL);
	cr_expect_not(click_wait_committed(now + 1, 0));
}
