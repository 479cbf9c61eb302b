/* /logs/recent of the program system, in-process, on files written for it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/json_check.h"
#include "service/exchange.h"
#include "service/log_tail.h"

extern const struct service system_service;

#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"

static char path[64];
static char rotated[72];
static struct exchange *exchange;

static void make_file(void)
{
	snprintf(path, sizeof(path), "/tmp/linkshrink-log.XXXXXX");
	int file = mkstemp(path);
	cr_assert_geq(file, 0);
	close(file);
	snprintf(rotated, sizeof(rotated), "%s.1", path);
	setenv("LINKSHRINK_LOG", path, 1);
}

static void forget(void)
{
	if (exchange != NULL)
		exchange_free(exchange);
	exchange = NULL;
}

static void cleanup(void)
{
	forget();
	unlink(path);
	unlink(rotated);
}

TestSuite(logs, .init = make_file, .fini = cleanup);

static int ask(const char *query)
{
	forget();
	exchange = exchange_new(HTTP_GET, "/logs/recent");
	exchange->req.query = query;
	int status = exchange_run(exchange, &system_service);
	const struct text *body = &exchange->res.body;
	size_t len = body->len - (body->data[body->len - 1] == '\n');
	cr_assert(json_check(body->data, len), "%s", body->data);
	return status;
}

static void append(const char *name, const char *bytes)
{
	FILE *file = fopen(name, "a");
	cr_assert_not_null(file);
	fputs(bytes, file);
	fclose(file);
}

/* Line number n of a request, as log.h writes it. */
static void append_line(const char *name, const char *level, const char *id, int n)
{
	char line[256];
	snprintf(line, sizeof(line),
		"{\"ts\":\"2026-11-23T21:35:55.123Z\",\"level\":\"%s\",\"component\":\"redirect\","
		"\"event\":\"request\",\"pid\":7,\"request_id\":\"%s\",\"n\":%d}\n",
		level, id, n);
	append(name, line);
}

static unsigned count_of(const char *piece)
{
	unsigned count = 0;
	for (const char *at = exchange->res.body.data; (at = strstr(at, piece)) != NULL; at++)
		count++;
	return count;
}

static bool comes_before(const char *first, const char *second)
{
	const char *a = strstr(exchange->res.body.data, first);
	const char *b = strstr(exchange->res.body.data, second);
	return a != NULL && b != NULL && a < b;
}

Test(logs, of_an_empty_file_are_none)
{
	cr_assert_eq(ask(""), 200);
	cr_expect_str_eq(exchange->res.body.data, "{\"logs\":[],\"complete\":true}");
}

Test(logs, come_newest_first_a_hundred_unless_asked_otherwise)
{
	for (int n = 0; n < 150; n++)
		append_line(path, "info", ID_A, n);
	cr_assert_eq(ask(""), 200);
	cr_expect_eq(count_of("\"ts\""), 100);
	cr_expect(comes_before("\"n\":149}", "\"n\":148}"));
	cr_expect_not(exchange_says(exchange, "\"n\":49}"));
	cr_expect(exchange_says(exchange, "\"complete\":false}"));
	cr_assert_eq(ask("limit=1"), 200);
	cr_expect_eq(count_of("\"ts\""), 1);
	cr_expect(exchange_says(exchange, "\"n\":149}"));
	cr_assert_eq(ask("limit=150"), 200);
	cr_expect_eq(count_of("\"ts\""), 150);
	cr_expect(exchange_says(exchange, "\"complete\":true}"));
}

Test(logs, are_of_the_level_asked_for_and_worse)
{
	static const struct {
		const char *query;
		unsigned count;
	} rows[] = { { "", 4 }, { "level=debug", 4 }, { "level=info", 3 }, { "level=warning", 2 },
		{ "level=error", 1 } };
	append_line(path, "debug", ID_A, 1);
	append_line(path, "info", ID_A, 2);
	append_line(path, "warning", ID_A, 3);
	append_line(path, "error", ID_A, 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(ask(rows[i].query), 200);
		cr_expect_eq(count_of("\"ts\""), rows[i].count, "%s", rows[i].query);
	}
	cr_expect(exchange_says(exchange, "\"n\":4}"));
}

Test(logs, are_found_by_the_id_of_their_request)
{
	append_line(path, "info", ID_A, 1);
	append_line(path, "info", ID_B, 2);
	append(path, "{\"ts\":\"x\",\"level\":\"info\",\"error\":\",\\\"request_id\\\":\\\"" ID_B
		     "\\\"\"}\n");
	cr_assert_eq(ask("request_id=" ID_B), 200);
	cr_expect_eq(count_of("\"ts\""), 1);
	cr_expect(exchange_says(exchange, "\"n\":2}"));
	cr_assert_eq(ask("request_id=" ID_B "&level=error"), 200);
	cr_expect_eq(count_of("\"ts\""), 0);
}

Test(logs, go_on_in_the_rotated_file)
{
	append_line(rotated, "info", ID_A, 1);
	append_line(rotated, "info", ID_A, 2);
	append_line(path, "info", ID_A, 3);
	cr_assert_eq(ask(""), 200);
	cr_expect_eq(count_of("\"ts\""), 3);
	cr_expect(comes_before("\"n\":3}", "\"n\":2}"));
	cr_expect(comes_before("\"n\":2}", "\"n\":1}"));
	cr_expect(exchange_says(exchange, "\"complete\":true}"));
}

Test(logs, are_there_between_the_renaming_and_the_new_file)
{
	append_line(rotated, "info", ID_A, 1);
	unlink(path);
	cr_assert_eq(ask(""), 200);
	cr_expect_eq(count_of("\"ts\""), 1);
}

Test(logs, leave_out_what_is_torn_or_foreign)
{
	static char huge[200 << 10];
	memset(huge, 'x', sizeof(huge) - 2);
	huge[sizeof(huge) - 2] = '\n';
	append_line(path, "info", ID_A, 1);
	append(path, "{\"ts\":\"2026-11-23T21:35:55.123Z\",\"level\":\"info\",\"comp\n");
	append(path, "a line of a library\n\n{\"level\":\"info\"}\n");
	append(path, "{\"ts\":\"x\",\"level\":\"loud\"}\n");
	append(path, "{\"ts\":\"x\",\"level\":\"info\",\"raw\":\"\x01\xff\"}\n");
	append(path, huge);
	append_line(path, "info", ID_A, 2);
	append(path, "{\"ts\":\"2026-11-23T21:35:55.123Z\",\"level\":\"info\"}"); /* no end yet */
	cr_assert_eq(ask(""), 200);
	cr_expect_eq(count_of("\"ts\""), 2, "%s", exchange->res.body.data);
	cr_expect(comes_before("\"n\":2}", "\"n\":1}"));
}

Test(logs, are_all_found_wherever_the_reader_s_blocks_meet)
{
	for (int n = 0; n < 3000; n++)
		append_line(path, n % 3 == 0 ? "warning" : "info", ID_A, n);
	cr_assert_eq(ask("limit=1000&level=warning"), 200);
	cr_expect_eq(count_of("\"ts\""), 1000);
	cr_expect(exchange_says(exchange, "\"n\":0}"));
	cr_expect(exchange_says(exchange, "\"complete\":true}"));
}

Test(logs, become_fewer_rather_than_an_error_when_they_do_not_fit)
{
	static char line[4000];
	memset(line, 'y', sizeof(line) - 1);
	memcpy(line, "{\"ts\":\"x\",\"level\":\"info\",\"long\":\"", 33);
	memcpy(line + sizeof(line) - 4, "\"}\n", 4);
	for (int n = 0; n < 300; n++)
		append(path, line);
	cr_assert_eq(ask("limit=1000"), 200);
	unsigned lines = count_of("\"ts\"");
	cr_expect(lines > 120 && lines < 300, "%u", lines);
	cr_expect(exchange_says(exchange, "\"complete\":false}"));
}

Test(logs, of_a_huge_file_are_read_from_its_end_only)
{
	static char line[1025];
	append_line(path, "error", ID_B, 1);
	memset(line, 'z', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	FILE *file = fopen(path, "a");
	for (int n = 0; n < LOG_TAIL_BYTES / 1024 + 100; n++)
		fputs(line, file);
	fclose(file);
	append_line(path, "error", ID_B, 2);
	cr_assert_eq(ask("request_id=" ID_B), 200);
	cr_expect_eq(count_of("\"ts\""), 1);
	cr_expect(exchange_says(exchange, "\"n\":2}"));
	cr_expect(exchange_says(exchange, "\"complete\":false}"));
}

Test(logs, refuse_parameters_that_are_wrong)
{
	static const char *const rows[] = { "limit=0", "limit=1001", "limit=", "limit=-1",
		"limit=1e2", "limit=12345678", "limit=%zz", "level=", "level=INFO", "level=fatal",
		"request_id=", "request_id=0123", "request_id=" ID_A "0",
		"request_id=0123456789ABCDEF0123456789ABCDEF", "limit=10&level=x" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(ask(rows[i]), 400, "%s", rows[i]);
	cr_expect_eq(ask("colour=red&page=2"), 200);
}

Test(logs, refuse_all_wrong_parameters_at_once)
{
	cr_assert_eq(ask("limit=0&level=x&request_id=y"), 400);
	cr_expect(exchange_says(exchange, "\"field\":\"limit\""));
	cr_expect(exchange_says(exchange, "\"field\":\"level\""));
	cr_expect(exchange_says(exchange, "\"field\":\"request_id\""));
}

Test(logs, that_go_to_standard_error_are_not_here)
{
	setenv("LINKSHRINK_LOG", "", 1);
	cr_assert_eq(ask(""), 404);
	cr_expect(exchange_says(exchange, "standard error"));
}

Test(logs, that_cannot_be_read_say_so_without_a_path)
{
	static const char *const rows[] = { "/nonexistent/secret-place/log", "/tmp", "/dev/null" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setenv("LINKSHRINK_LOG", rows[i], 1);
		cr_expect_eq(ask(""), 503, "%s", rows[i]);
		cr_expect(exchange_says(exchange, "cannot be read"));
		cr_expect_not(exchange_says(exchange, rows[i]));
	}
}
