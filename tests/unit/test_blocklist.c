#include "domain/blocklist.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "domain/target_url.h"
#include "unit/scratch.h"

enum { MILLION = 1000000, OLD_S = 1000000000 /* a time long ago, seconds since 1970 */ };

static char file[256];

static void setup(void)
{
	static char log[256];
	scratch_make();
	snprintf(log, sizeof(log), "%s", scratch_path("log"));
	snprintf(file, sizeof(file), "%s", scratch_path("hosts"));
	cr_assert(log_open("unit", log, LOG_INFO));
}

static void cleanup(void)
{
	log_close();
	scratch_remove();
}

TestSuite(blocklist, .init = setup, .fini = cleanup);

static void write_file(const char *bytes, size_t len)
{
	FILE *to = fopen(file, "w");
	cr_assert_not_null(to);
	cr_assert_eq(fwrite(bytes, 1, len, to), len);
	cr_assert_eq(fclose(to), 0);
}

static void list(const char *lines)
{
	write_file(lines, strlen(lines));
	blocklist_look(file);
}

/* As if it had been written long ago. */
static void make_old(time_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

static bool blocks(const char *host)
{
	struct target_host read;
	const char *refusal = target_host_read(host, strlen(host), &read);
	cr_assert_null(refusal, "%s: %s", host, refusal);
	return blocklist_holds(&read);
}

static int64_t gauge(enum metric metric)
{
	return (int64_t)metrics_value(metric, 0, 0);
}

/* How often the log has a piece of text. */
static unsigned logged(const char *piece)
{
	static char bytes[1 << 16];
	unsigned count = 0;
	scratch_read("log", bytes, sizeof(bytes));
	for (const char *at = bytes; (at = strstr(at, piece)) != NULL; at++)
		count++;
	return count;
}

#define EXPECT_BLOCKED(...)                                                                        \
	do {                                                                                       \
		static const char *const hosts[] = { __VA_ARGS__ };                                \
		for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)                        \
			cr_expect(blocks(hosts[i]), "%s", hosts[i]);                               \
	} while (0)
#define EXPECT_FREE(...)                                                                           \
	do {                                                                                       \
		static const char *const hosts[] = { __VA_ARGS__ };                                \
		for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)                        \
			cr_expect_not(blocks(hosts[i]), "%s", hosts[i]);                           \
	} while (0)

Test(blocklist, blocks_nothing_without_a_file)
{
	EXPECT_FREE("evil.example");
	blocklist_look("");
	EXPECT_FREE("evil.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 0);
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 0);
}

Test(blocklist, blocks_a_host_and_all_below_it_and_nothing_else)
{
	list("evil.example\nsub.mixed.example\nzip\n");
	EXPECT_BLOCKED("evil.example", "www.evil.example", "a.b.c.evil.example",
		"sub.mixed.example", "x.sub.mixed.example", "zip", "any.zip");
	EXPECT_FREE("example", "devil.example", "evil.example.com", "evil-example", "vil.example",
		"mixed.example", "other.mixed.example", "zip.example", "unzip");
}

Test(blocklist, knows_a_host_by_every_spelling)
{
	list("Evil.EXAMPLE.\nb\u00fccher.example\nxn--mnchen-3ya.example\n");
	EXPECT_BLOCKED("evil.example", "EVIL.example", "evil.example.", "www.Evil.example.",
		"%65vil.example", "xn--bcher-kva.example", "B\u00dcCHER.example",
		"m\u00fcnchen.example", "www.m\u00fcnchen\u3002example");
}

Test(blocklist, knows_an_address_by_every_spelling)
{
	list("203.0.113.7\n2001:DB8:0::7\n[2001:db8::8]\n::ffff:198.51.100.9\n");
	EXPECT_BLOCKED("203.0.113.7", "[::ffff:203.0.113.7]", "[64:ff9b::203.0.113.7]",
		"[2001:db8::7]", "[2001:0db8:0:0::7]", "[2001:db8::8]", "198.51.100.9");
	EXPECT_FREE("203.0.113.8", "[2001:db8::9]", "[2001:db8::]");
}

Test(blocklist, takes_comments_blanks_and_line_ends_of_any_editor)
{
	list("# all of them\n\n   \t\none.example\r\n\t two.example  # why\r\n#three.example\n"
	     "four.example#\nfive.example");
	EXPECT_BLOCKED("one.example", "two.example", "four.example", "five.example");
	EXPECT_FREE("three.example");
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 4);
	cr_expect_eq(gauge(METRIC_blocklist_bad_lines), 0);
}

Test(blocklist, takes_the_mark_that_some_editors_begin_a_file_with)
{
	list("\xef\xbb\xbfone.example\ntwo.example\n");
	EXPECT_BLOCKED("one.example", "two.example");
	cr_expect_eq(gauge(METRIC_blocklist_bad_lines), 0);
}

Test(blocklist, skips_what_is_no_host_and_says_where)
{
	static const char bytes[] = "good.example\n*.bad.example\nhttp://bad.example/\n"
				    "0.0.0.0 bad.example\nbad.example:80\n.bad.example\n"
				    "ba\0d.example\n\xff.example\n1.2.3\nlast.example\n";
	write_file(bytes, sizeof(bytes) - 1);
	blocklist_look(file);
	EXPECT_BLOCKED("good.example", "last.example");
	EXPECT_FREE("bad.example", "0.0.0.0");
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 2);
	cr_expect_eq(gauge(METRIC_blocklist_bad_lines), 8);
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 0);
	cr_expect_eq(logged("blocklist_line_skipped"), 8);
	cr_expect_eq(logged("\"line\":2,"), 1);
	cr_expect_eq(logged("\"line\":9,"), 1);
	cr_expect_eq(logged("\"bad_lines\":8"), 1);
}

Test(blocklist, does_not_flood_the_log_with_a_file_of_another_kind)
{
	static char bytes[30000];
	memset(bytes, '\n', sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i += 2)
		bytes[i] = '*';
	write_file(bytes, sizeof(bytes));
	blocklist_look(file);
	cr_expect_eq(gauge(METRIC_blocklist_bad_lines), sizeof(bytes) / 2);
	cr_expect_eq(logged("blocklist_line_skipped"), 10);
}

Test(blocklist, skips_a_line_that_is_too_long_whatever_it_begins_with)
{
	static char bytes[5000];
	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes + 1010, "blocked.example.com", 19); /* its first bytes are a host, too */
	memcpy(bytes + sizeof(bytes) - 14, "\nnext.example\n", 14);
	write_file(bytes, sizeof(bytes));
	blocklist_look(file);
	EXPECT_BLOCKED("next.example");
	EXPECT_FREE("blocked.exampl", "blocked.example.com");
	cr_expect_eq(gauge(METRIC_blocklist_bad_lines), 1);
}

Test(blocklist, counts_a_host_once)
{
	list("one.example\nONE.example\n1.2.3.4\n::ffff:1.2.3.4\none.example.\n");
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 2);
}

Test(blocklist, takes_up_a_change)
{
	list("one.example\n");
	list("two.example\n");
	EXPECT_BLOCKED("two.example");
	EXPECT_FREE("one.example");
	list("");
	EXPECT_FREE("one.example", "two.example");
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 0);
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 0);
}

Test(blocklist, takes_up_a_file_that_was_put_in_its_place)
{
	char other[256];
	list("one.example\n");
	make_old(OLD_S);
	blocklist_look(file);
	snprintf(other, sizeof(other), "%s", scratch_path("other"));
	cr_assert_eq(rename(file, other), 0);
	write_file("two.example\n", 12); /* as long */
	make_old(OLD_S);                 /* and as old */
	blocklist_look(file);
	EXPECT_BLOCKED("two.example");
	EXPECT_FREE("one.example");
}

Test(blocklist, reads_a_file_once_that_does_not_change)
{
	write_file("one.example\n", 12);
	make_old(OLD_S);
	for (int i = 0; i < 5; i++)
		blocklist_look(file);
	cr_expect_eq(logged("blocklist_loaded"), 1);
	make_old(OLD_S + 1);
	blocklist_look(file);
	cr_expect_eq(logged("blocklist_loaded"), 2);
}

Test(blocklist, does_not_miss_a_second_change_at_the_same_moment)
{
	struct stat before;
	list("one.example\n");
	cr_assert_eq(stat(file, &before), 0);
	write_file("two.example\n", 12);
	const struct timespec times[2] = { before.st_mtim, before.st_mtim };
	cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
	blocklist_look(file);
	EXPECT_BLOCKED("two.example");
}

Test(blocklist, keeps_the_last_list_while_the_file_is_gone_and_says_so_once)
{
	char away[256];
	list("one.example\n");
	make_old(OLD_S);
	blocklist_look(file);
	snprintf(away, sizeof(away), "%s", scratch_path("away"));
	cr_assert_eq(rename(file, away), 0);
	for (int i = 0; i < 3; i++)
		blocklist_look(file);
	EXPECT_BLOCKED("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 1);
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 1);
	cr_expect_eq(logged("blocklist_not_read"), 1);
	/* The very same file is back: there is nothing to read, and all is well. */
	cr_assert_eq(rename(away, file), 0);
	blocklist_look(file);
	EXPECT_BLOCKED("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 0);
	cr_expect_eq(logged("blocklist_read_again"), 1);
}

Test(blocklist, keeps_the_last_list_while_something_else_stands_in_its_place)
{
	list("one.example\n");
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(mkdir(file, 0755), 0);
	blocklist_look(file);
	EXPECT_BLOCKED("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 1);
	cr_assert_eq(rmdir(file), 0);
	cr_assert_eq(mkfifo(file, 0644), 0); /* whoever opens it waits for a writer */
	blocklist_look(file);
	EXPECT_BLOCKED("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 1);
}

Test(blocklist, leaves_the_count_to_those_who_have_a_list)
{
	metrics_set(METRIC_blocklist_hosts, 0, 0, 7);
	blocklist_look(file);
	EXPECT_FREE("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 1);
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 7);
	list("one.example\n");
	EXPECT_BLOCKED("one.example");
	cr_expect_eq(gauge(METRIC_blocklist_unreadable), 0);
	cr_expect_eq(gauge(METRIC_blocklist_hosts), 1);
}

Test(blocklist, is_held_against_what_is_stored_and_what_is_followed)
{
	char canonical[TARGET_URL_MAX + 1];
	cr_assert_null(target_url_init("https://s.example", "", false));
	list("evil.example\n10.0.0.1\n");
	cr_expect_str_eq(target_url_read("https://www.evil.example:8443/a?b", canonical),
		"leads to a host that is blocked here");
	cr_expect_str_empty(canonical);
	cr_expect_eq(target_url_follow("https://evil.example/", canonical), TARGET_BLOCKED);
	cr_expect_str_empty(canonical);
	cr_expect_eq(target_url_follow("http://10.0.0.1/", canonical), TARGET_BLOCKED);
	cr_expect_eq(target_url_follow("http://10.0.0.2/", canonical), TARGET_REFUSED);
	cr_expect_eq(target_url_follow("https://good.example/evil.example", canonical), TARGET_OK);
	cr_expect_str_eq(canonical, "https://good.example/evil.example");
	cr_expect_eq(metrics_value(METRIC_blocked, LABEL_when_STORED, 0), 1);
	cr_expect_eq(metrics_value(METRIC_blocked, LABEL_when_FOLLOWED, 0), 2);
}

static void write_million(void)
{
	FILE *to = fopen(file, "w");
	cr_assert_not_null(to);
	for (int i = 0; i < MILLION; i++)
		fprintf(to, "host-%d.number%d.example\n", i, i % 1000);
	cr_assert_eq(fclose(to), 0);
	make_old(OLD_S);
}

Test(blocklist, holds_a_million_hosts)
{
	char host[64];
	unsigned missed = 0, wrong = 0;
	write_million();
	uint64_t begin = clock_monotonic();
	blocklist_look(file);
	uint64_t read = clock_monotonic() - begin;
	cr_expect_eq(gauge(METRIC_blocklist_hosts), MILLION);
	for (int i = 0; i < MILLION; i += 10) {
		snprintf(host, sizeof(host), "host-%d.number%d.example", i, i % 1000);
		missed += !blocks(host);
		snprintf(host, sizeof(host), "other-%d.number%d.example", i, i % 1000);
		wrong += blocks(host);
	}
	cr_expect_eq(missed, 0);
	cr_expect_eq(wrong, 0);
	cr_log_info("a million hosts read in %u ms", (unsigned)(read / CLOCK_MS));
}

Test(blocklist, spells_a_host_for_scripts)
{
	static const struct {
		const char *written, *spelled; /* NULL: it is none */
	} rows[] = {
		{ "Evil.Example.", "evil.example" },
		{ "b\u00fccher.example", "xn--bcher-kva.example" },
		{ "2001:DB8::7", "[2001:db8::7]" },
		{ "[2001:DB8::7]", "[2001:db8::7]" },
		{ "evil.example:80", NULL },
		{ "", NULL },
		{ ":", NULL },
		{ "::", "[::]" },
	};
	struct target_host host;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *written = rows[i].written;
		const char *refusal = blocklist_read_host(written, strlen(written), &host);
		cr_expect_eq(refusal == NULL, rows[i].spelled != NULL, "row %zu", i);
		if (refusal == NULL && rows[i].spelled != NULL)
			cr_expect_str_eq(host.text, rows[i].spelled, "row %zu", i);
	}
}
