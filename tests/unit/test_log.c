#include "base/log.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/metrics.h"
#include "http/json_check.h"
#include "unit/scratch.h"

static char bytes[1 << 20];

static void setup(void)
{
	static char path[256];
	scratch_make();
	snprintf(path, sizeof(path), "%s", scratch_path("log"));
	cr_assert(log_open("unit", path, LOG_DEBUG));
}

static void cleanup(void)
{
	log_close();
	scratch_remove();
}

TestSuite(log, .init = setup, .fini = cleanup);

/* All lines of the file are JSON of at most 4 KiB; how many there are. */
static unsigned check_lines(void)
{
	unsigned count = 0;
	scratch_read("log", bytes, sizeof(bytes));
	for (char *line = bytes; *line != '\0'; count++) {
		char *end = strchr(line, '\n');
		cr_assert_not_null(end, "the last line has no end: %s", line);
		cr_assert_lt(end - line, LOG_LINE_MAX);
		cr_assert(json_check(line, (size_t)(end - line)), "%.*s", (int)(end - line), line);
		line = end + 1;
	}
	return count;
}

static bool has(const char *piece)
{
	return strstr(bytes, piece) != NULL;
}

Test(log, writes_one_json_object_a_line)
{
	struct log_line line;
	log_begin(&line, LOG_WARNING, "request");
	log_field(&line, "path", "/x");
	log_field(&line, "absent", NULL);
	log_field_number(&line, "status", -404);
	log_end(&line);
	cr_assert_eq(check_lines(), 1);
	cr_expect(text_starts_with(bytes, "{\"ts\":\"20"));
	cr_expect(has(
		"Z\",\"level\":\"warning\",\"component\":\"unit\",\"event\":\"request\",\"pid\":"));
	cr_expect(has(",\"path\":\"/x\",\"status\":-404}\n"));
	cr_expect_not(has("absent"));
}

Test(log, stays_one_line_of_json_whatever_bytes_it_is_given)
{
	char hostile[256];
	for (int i = 0; i < 255; i++)
		hostile[i] = (char)(i + 1);
	hostile[255] = '\0';
	log_event(LOG_INFO, "hostile", hostile);
	log_event(LOG_INFO, "forged", "x\"}\n{\"level\":\"error\"");
	cr_expect_eq(check_lines(), 2);
}

Test(log, leaves_out_a_field_that_does_not_fit_and_says_so)
{
	static char value[LOG_LINE_MAX * 2];
	memset(value, '\n', sizeof(value) - 1);
	struct log_line line;
	log_begin(&line, LOG_INFO, "long");
	log_field(&line, "huge", value);
	log_field(&line, "small", "kept");
	log_end(&line);
	cr_expect_eq(check_lines(), 1);
	cr_expect(has("\"small\":\"kept\",\"cut\":true}"));
	cr_expect_not(has("huge"));
}

Test(log, is_valid_at_every_length_around_its_limit)
{
	static char value[LOG_LINE_MAX];
	unsigned lines = 0;
	for (size_t len = LOG_LINE_MAX - 200; len < LOG_LINE_MAX - 80; len++, lines++) {
		memset(value, 'x', len);
		value[len] = '\0';
		struct log_line line;
		log_begin(&line, LOG_INFO, "edge");
		log_field(&line, "value", value);
		log_field_number(&line, "after", 1234567890);
		log_end(&line);
	}
	cr_expect_eq(check_lines(), lines);
}

Test(log, leaves_out_levels_below_its_own)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s", scratch_path("log"));
	log_open("unit", path, LOG_WARNING);
	log_event(LOG_INFO, "little", "");
	log_event(LOG_WARNING, "enough", "");
	cr_expect_eq(check_lines(), 1);
	cr_expect_eq(metrics_value(METRIC_log_lines, LOG_INFO, 0), 0);
	cr_expect_eq(metrics_value(METRIC_log_lines, LOG_WARNING, 0), 1);
}

Test(log, counts_lines_that_a_full_disk_loses)
{
	cr_assert(log_open("unit", "/dev/full", LOG_DEBUG));
	for (int i = 0; i < 3; i++)
		log_event(LOG_ERROR, "lost", "");
	cr_expect_eq(metrics_value(METRIC_log_lost, 0, 0), 3);
	cr_expect_eq(metrics_value(METRIC_log_lines, LOG_ERROR, 0), 0);
}

Test(log, mends_a_line_that_was_cut_by_a_full_disk)
{
	struct rlimit all;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 50, all.rlim_max });
	log_event(LOG_INFO, "torn", "");
	log_event(LOG_INFO, "gone", "");
	setrlimit(RLIMIT_FSIZE, &all);
	log_event(LOG_INFO, "whole", "");
	cr_expect_eq(metrics_value(METRIC_log_lost, 0, 0), 2);
	scratch_read("log", bytes, sizeof(bytes));
	const char *second = strchr(bytes, '\n');
	cr_assert_not_null(second);
	cr_expect_eq(second - bytes, 50);
	size_t len = strlen(second + 1);
	cr_expect(json_check(second + 1, len), "%s", second + 1);
	cr_expect(has("\"whole\""));
}

static void log_100(void)
{
	static char value[2000];
	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < 100; i++)
		log_event(LOG_INFO, "many", value);
}

Test(log, does_not_mix_the_lines_of_several_processes)
{
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			log_100();
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	cr_expect_eq(check_lines(), 400);
}

Test(log, follows_its_name_after_a_rotation)
{
	char old[256];
	log_event(LOG_INFO, "first", "");
	snprintf(old, sizeof(old), "%s", scratch_path("old"));
	cr_assert_eq(rename(scratch_path("log"), old), 0);
	log_reopen_if_moved();
	log_event(LOG_INFO, "second", "");
	cr_expect_eq(check_lines(), 1);
	cr_expect(has("second"));
	scratch_read("old", bytes, sizeof(bytes));
	cr_expect(has("first"));
	cr_expect_not(has("second"));
}

Test(log, says_when_its_file_cannot_be_opened)
{
	cr_expect_not(log_open("unit", "/nonexistent/log", LOG_DEBUG));
}

Test(log, names_the_request_in_every_line_until_it_ends)
{
	log_set_request("0123", "4567");
	log_event(LOG_ERROR, "database_error", "x");
	log_set_request(NULL, NULL);
	log_event(LOG_INFO, "after", "");
	cr_expect_eq(check_lines(), 2);
	cr_expect(has("\"request_id\":\"0123\",\"trace_id\":\"4567\",\"error\":\"x\"}\n"));
	cr_expect(has("\"event\":\"after\",\"pid\":"));
	const char *after = strstr(bytes, "\"after\"");
	cr_expect_null(strstr(after, "request_id"));
}

Test(log, knows_its_levels_by_name)
{
	for (enum log_level level = 0; level < LOG_LEVEL_COUNT; level++)
		cr_expect_eq(log_level_from(log_level_name(level)), level);
	cr_expect_eq(log_level_from("INFO"), LOG_LEVEL_COUNT);
	cr_expect_eq(log_level_from(""), LOG_LEVEL_COUNT);
}
