#include "base/config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char memory[8192];
static struct text error;

static void setup(void)
{
#define CONFIG_TEXT(field, name, initial, help)             unsetenv(name);
#define CONFIG_SECRET(field, name, help)                    unsetenv(name), unsetenv(name "_FILE");
#define CONFIG_NUMBER(field, name, initial, min, max, help) unsetenv(name);
#define CONFIG_SWITCH(field, name, initial, help)           unsetenv(name);
#include "base/config.def"
	error = text_fixed(memory, sizeof(memory));
}

TestSuite(config, .init = setup);

Test(config, is_good_when_nothing_is_set)
{
	cr_expect(config_load(&error), "%s", memory);
	cr_expect_str_eq(config_get()->base_url, "http://127.0.0.1:8080");
	cr_expect_eq(config_get()->rate_create, 60);
	cr_expect_not(config_get()->anonymous_create);
}

Test(config, takes_an_empty_setting_for_none)
{
	setenv("LINKSHRINK_RATE_CREATE", "", 1);
	setenv("LINKSHRINK_BASE_URL", "", 1);
	cr_expect(config_load(&error), "%s", memory);
	cr_expect_eq(config_get()->rate_create, 60);
}

Test(config, takes_what_is_set)
{
	setenv("LINKSHRINK_BASE_URL", "https://s.example:8443", 1);
	setenv("LINKSHRINK_ANONYMOUS_CREATE", "yes", 1);
	setenv("LINKSHRINK_NODE", "32767", 1);
	setenv("LINKSHRINK_RATE_API", "0", 1);
	cr_expect(config_load(&error), "%s", memory);
	cr_expect_str_eq(config_get()->base_url, "https://s.example:8443");
	cr_expect(config_get()->anonymous_create);
	cr_expect_eq(config_get()->node, 32767);
	cr_expect_eq(config_get()->rate_api, 0);
}

Test(config, names_the_setting_that_is_wrong_and_why)
{
	static const struct {
		const char *name;
		const char *value;
		const char *why;
	} rows[] = {
		{ "LINKSHRINK_NODE", "0", "from 1 to 32767" },
		{ "LINKSHRINK_NODE", "32768", "from 1 to 32767" },
		{ "LINKSHRINK_NODE", "one", "\"one\"" },
		{ "LINKSHRINK_NODE", " 1", "whole number" },
		{ "LINKSHRINK_NODE", "1.5", "whole number" },
		{ "LINKSHRINK_RATE_API", "-1", "from 0" },
		{ "LINKSHRINK_ANONYMOUS_CREATE", "true", "neither yes nor no" },
		{ "LINKSHRINK_ANONYMOUS_CREATE", "YES", "neither yes nor no" },
		{ "LINKSHRINK_LOG_LEVEL", "verbose", "none of debug" },
		{ "LINKSHRINK_BASE_URL", "s.example", "http://" },
		{ "LINKSHRINK_BASE_URL", "https://", "http://" },
		{ "LINKSHRINK_BASE_URL", "https://s.example/", "path" },
		{ "LINKSHRINK_BASE_URL", "https://S.example", "lower-case" },
		{ "LINKSHRINK_BASE_URL", "https://s.example?x", "path" },
		{ "LINKSHRINK_BASE_URL", "ftp://s.example", "http://" },
		{ "LINKSHRINK_BASE_URL", "https://a@s.example", "http://" },
		{ "LINKSHRINK_STALL_MS", "2999", "from 3000" },
		{ "LINKSHRINK_STALL_MS", "3000", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setup();
		setenv(rows[i].name, rows[i].value, 1);
		bool good = config_load(&error);
		cr_expect_eq(good, rows[i].why == NULL, "%s=%s", rows[i].name, rows[i].value);
		if (rows[i].why == NULL)
			continue;
		cr_expect_not_null(strstr(memory, rows[i].name), "%s", memory);
		cr_expect_not_null(strstr(memory, rows[i].why), "%s", memory);
		cr_expect_eq(strchr(memory, '\n'), memory + error.len - 1, "one line: %s", memory);
	}
}

Test(config, reports_all_faults_at_once)
{
	setenv("LINKSHRINK_NODE", "0", 1);
	setenv("LINKSHRINK_LOG_SAMPLE", "x", 1);
	setenv("LINKSHRINK_PRIVATE_TARGETS", "maybe", 1);
	cr_expect_not(config_load(&error));
	cr_expect_not_null(strstr(memory, "LINKSHRINK_NODE"));
	cr_expect_not_null(strstr(memory, "LINKSHRINK_LOG_SAMPLE"));
	cr_expect_not_null(strstr(memory, "LINKSHRINK_PRIVATE_TARGETS"));
}

Test(config, refuses_texts_that_do_not_fit)
{
	char value[CONFIG_TEXT_MAX + 1];
	memset(value, 'x', sizeof(value) - 1);
	value[CONFIG_TEXT_MAX] = '\0';
	setenv("LINKSHRINK_SEGMENT", value, 1);
	cr_expect_not(config_load(&error));
	cr_expect_not_null(strstr(memory, "LINKSHRINK_SEGMENT"));
	setup();
	value[CONFIG_TEXT_MAX - 1] = '\0';
	setenv("LINKSHRINK_SEGMENT", value, 1);
	cr_expect(config_load(&error), "%s", memory);
}

static const char *secret_file(const char *bytes, size_t len)
{
	static char path[] = "/tmp/linkshrink-secret-XXXXXX";
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	int descriptor = mkstemp(path);
	cr_assert_eq(write(descriptor, bytes, len), (ssize_t)len);
	close(descriptor);
	setenv("LINKSHRINK_DATABASE_URL_FILE", path, 1);
	return path;
}

Test(config, reads_a_secret_from_its_file)
{
	static const char *const rows[] = { "host=/run user=web\n", "host=/run user=web" };
	for (size_t i = 0; i < 2; i++) {
		const char *path = secret_file(rows[i], strlen(rows[i]));
		cr_expect(config_load(&error), "%s", memory);
		cr_expect_str_eq(config_get()->database_url, "host=/run user=web");
		unlink(path);
	}
}

Test(config, refuses_a_secret_that_is_no_line_and_never_shows_it)
{
	char longer[CONFIG_TEXT_MAX + 2];
	memset(longer, 's', sizeof(longer));
	const struct {
		const char *bytes;
		size_t len;
	} rows[] = { { "", 0 }, { "\n", 1 }, { "sss\nsss\n", 8 }, { "sss\0s", 5 },
		{ longer, CONFIG_TEXT_MAX }, { longer, sizeof(longer) } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		error = text_fixed(memory, sizeof(memory));
		const char *path = secret_file(rows[i].bytes, rows[i].len);
		cr_expect_not(config_load(&error), "row %zu", i);
		cr_expect_not_null(strstr(memory, "LINKSHRINK_DATABASE_URL_FILE"), "%s", memory);
		cr_expect_null(strstr(memory, "sss"), "%s", memory);
		unlink(path);
	}
}

Test(config, takes_the_longest_secret_and_its_newline)
{
	char line[CONFIG_TEXT_MAX];
	memset(line, 's', sizeof(line));
	line[CONFIG_TEXT_MAX - 1] = '\n';
	const char *path = secret_file(line, sizeof(line));
	cr_expect(config_load(&error), "%s", memory);
	cr_expect_eq(strlen(config_get()->database_url), CONFIG_TEXT_MAX - 1);
	unlink(path);
}

Test(config, says_which_secret_cannot_be_read_or_is_there_twice)
{
	setenv("LINKSHRINK_DATABASE_URL_FILE", "/nowhere/url", 1);
	cr_expect_not(config_load(&error));
	cr_expect_not_null(strstr(memory, "/nowhere/url: No such file"), "%s", memory);
	setup();
	setenv("LINKSHRINK_DATABASE_URL_FILE", "/nowhere/url", 1);
	setenv("LINKSHRINK_DATABASE_URL", "host=/run", 1);
	cr_expect_not(config_load(&error));
	cr_expect_not_null(strstr(memory, "set beside LINKSHRINK_DATABASE_URL"), "%s", memory);
}

Test(config, refuses_a_stall_limit_that_a_slow_database_would_reach)
{
	setenv("LINKSHRINK_STALL_MS", "3000", 1);
	setenv("LINKSHRINK_DATABASE_DEADLINE_MS", "2000", 1);
	cr_expect_not(config_load(&error));
	cr_expect_not_null(strstr(memory, "LINKSHRINK_STALL_MS"));
}

Test(config, describes_every_setting_in_a_row_of_its_own)
{
	struct text table = text_growing(64 << 10);
	config_describe(&table);
#define CONFIG_TEXT(field, name, initial, help)                                                    \
	cr_expect_not_null(strstr(table.data, "\n| `" name "` | "), name);
#define CONFIG_SECRET(field, name, help)                    CONFIG_TEXT(field, name, "", help)
#define CONFIG_NUMBER(field, name, initial, min, max, help) CONFIG_TEXT(field, name, initial, help)
#define CONFIG_SWITCH(field, name, initial, help)           CONFIG_TEXT(field, name, initial, help)
#include "base/config.def"
	text_free(&table);
}
