#include "base/config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char memory[8192];
static struct text error;

static void setup(void)
{
#define CONFIG_TEXT(field, name, initial, help)             unsetenv(name);
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
#define CONFIG_NUMBER(field, name, initial, min, max, help) CONFIG_TEXT(field, name, initial, help)
#define CONFIG_SWITCH(field, name, initial, help)           CONFIG_TEXT(field, name, initial, help)
#include "base/config.def"
	text_free(&table);
}
