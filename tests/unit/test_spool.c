#include "domain/spool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

enum { LINE = 1024 };

/* A line with the checksum that belongs to it, read. */
static enum spool_line read_fields(const char *fields, struct spool_record *record)
{
	static char line[LINE];
	int len = snprintf(line, sizeof(line), "%08x\t%s", crc32c(fields, strlen(fields)), fields);

	return spool_read_line(line, (size_t)len, record);
}

Test(spool, reads_a_record)
{
	struct spool_record record;

	cr_assert(read_fields("1795471199999\t7\t302\tnews.example\tfirefox\tlinux\tp\t"
			      "198.51.100.0/24\t-9223372036854775808",
			  &record) == SPOOL_RECORD);
	cr_expect(eq(i64, record.time, 1795471199999));
	cr_expect(eq(i64, record.link, 7));
	cr_expect(eq(int, record.status, 302));
	cr_expect_str_eq(record.referrer, "news.example");
	cr_expect_str_eq(record.browser, "firefox");
	cr_expect_str_eq(record.os, "linux");
	cr_expect(record.prefetch && !record.bot);
	cr_expect(record.network_bytes == 4 && record.network_bits == 24);
	cr_expect(memcmp(record.network, "\306\063\144\0", 4) == 0);
	cr_expect(eq(i64, record.visitor, INT64_MIN));
}

Test(spool, reads_what_is_unknown)
{
	struct spool_record record;

	cr_assert(
		read_fields("0\t7\t302\t\\N\tcrawler\tother\tbp\t\\N\t0", &record) == SPOOL_RECORD);
	cr_expect(record.referrer == NULL && record.network_bytes == 0 && record.bot &&
		  record.prefetch);
	cr_assert(read_fields("0\t7\t302\t\\N\tx\ty\t-\t2001:db8:1::/48\t0", &record) ==
		  SPOOL_RECORD);
	cr_expect(record.network_bytes == 16 && record.network_bits == 48 && !record.bot);
	cr_assert(read_fields("0\t-9223372036854775808\t302\t\\N\tx\ty\t-\t\\N\t0", &record) ==
		  SPOOL_RECORD);
	cr_expect(eq(i64, record.link, INT64_MIN));
}

static const char *const bad[] = {
	"",
	"0\t7\t302\t\\N\tx\ty\t-\t\\N",
	"0\t7\t302\t\\N\tx\ty\t-\t\\N\t0\t",
	"0\t7\t302\t\\N\tx\ty\t-\t\\N\t0\t1",
	"-1\t7\t302\t\\N\tx\ty\t-\t\\N\t0",
	"253402300800000\t7\t302\t\\N\tx\ty\t-\t\\N\t0",
	"0\t9223372036854775808\t302\t\\N\tx\ty\t-\t\\N\t0",
	"0\t7\t99\t\\N\tx\ty\t-\t\\N\t0",
	"0\t7\t302\t\tx\ty\t-\t\\N\t0",
	"0\t7\t302\ta b\tx\ty\t-\t\\N\t0",
	"0\t7\t302\ta\"b\tx\ty\t-\t\\N\t0",
	"0\t7\t302\ta\\b\tx\ty\t-\t\\N\t0",
	"0\t7\t302\t\303\244\tx\ty\t-\t\\N\t0",
	"0\t7\t302\t\\N\t\ty\t-\t\\N\t0",
	"0\t7\t302\t\\N\tx\t\t-\t\\N\t0",
	"0\t7\t302\t\\N\tx\ty\t\t\\N\t0",
	"0\t7\t302\t\\N\tx\ty\tq\t\\N\t0",
	"0\t7\t302\t\\N\tx\ty\tb-\t\\N\t0",
	"0\t7\t302\t\\N\tx\ty\t-\t198.51.100.0\t0",
	"0\t7\t302\t\\N\tx\ty\t-\t198.51.100.1/24\t0",
	"0\t7\t302\t\\N\tx\ty\t-\t198.51.100.0/33\t0",
	"0\t7\t302\t\\N\tx\ty\t-\t2001:db8::1/48\t0",
	"0\t7\t302\t\\N\tx\ty\t-\tnowhere/8\t0",
	"0\t7\t302\t\\N\tx\ty\t-\t\\N\t",
	"0\t7\t302\t\\N\tx\ty\t-\t\\N\tx",
};

Test(spool, refuses_what_is_no_record_whatever_its_checksum)
{
	struct spool_record record;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect(read_fields(bad[i], &record) == SPOOL_DAMAGED, "%s", bad[i]);
}

Test(spool, finds_each_changed_byte)
{
	static const char fields[] =
		"1795471199999\t7\t302\tnews.example\tx\ty\t-\t198.51.100.0/24\t1";
	char good[LINE], line[LINE];
	int len = snprintf(good, sizeof(good), "%08x\t%s", crc32c(fields, strlen(fields)), fields);
	struct spool_record record;

	for (int i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(line, good, sizeof(line));
			line[i] = (char)(line[i] ^ 1 << bit);
			/* A remark is for nobody, a lost click is counted: none of both counts as a record. */
			cr_expect(spool_read_line(line, (size_t)len, &record) != SPOOL_RECORD,
				"byte %d, bit %d", i, bit);
		}
}

Test(spool, refuses_lines_that_hide_something_or_are_too_long)
{
	char fields[LINE] = "0\t7\t302\t\\N\tx\ty\t-\t\\N\t0";
	char line[LINE * 2];
	size_t len = strlen(fields) + 3;
	struct spool_record record;
	int all;

	fields[len - 2] = '1';
	all = snprintf(line, sizeof(line), "%08x\t", crc32c(fields, len));
	memcpy(line + all, fields, len);
	cr_expect(spool_read_line(line, (size_t)all + len, &record) == SPOOL_DAMAGED);
	memset(fields, 'x', SPOOL_LINE_MAX);
	cr_expect(read_fields(fields, &record) == SPOOL_DAMAGED);
	cr_expect(spool_read_line((char[]){ "# remark" }, 8, &record) == SPOOL_REMARK);
	cr_expect(spool_read_line((char[]){ "" }, 0, &record) == SPOOL_DAMAGED);
}

Test(spool, reads_the_first_line)
{
	static const char good[] =
		"# linkshrink clicks 1 17 00000000000000ff 2026-11-24T00:00:00.000Z\n";
	uint64_t run;

	cr_expect(spool_read_head(good, strlen(good), &run) == SPOOL_OURS && run == 255);
	cr_expect(spool_read_head("# linkshrink clicks 2 x\n", 24, &run) == SPOOL_FOREIGN);
	cr_expect(spool_read_head("# linkshrink clicks 1 17 ff\n", 28, &run) == SPOOL_HEADLESS);
	cr_expect(spool_read_head("", 0, &run) == SPOOL_HEADLESS && run == 0);
}

Test(spool, knows_its_files_by_name)
{
	char name[SPOOL_NAME];

	spool_name(name, 0x1234);
	cr_expect_str_eq(name, "0000000000001234.clicks");
	cr_expect(eq(i64, spool_number(name), 0x1234));
	cr_expect(eq(i64, spool_number("7fffffffffffffff.clicks"), INT64_MAX));
	cr_expect(eq(i64, spool_number("8000000000000000.clicks"), 0));
	cr_expect(eq(i64, spool_number("0000000000000000.clicks"), 0));
	cr_expect(eq(i64, spool_number("000000000000123.clicks"), 0));
	cr_expect(eq(i64, spool_number("000000000000123A.clicks"), 0));
	cr_expect(eq(i64, spool_number("0000000000001234.clickz"), 0));
	cr_expect(eq(i64, spool_number("ingest.lock"), 0));
}
