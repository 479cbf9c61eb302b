#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static struct config current;

static const char *setting(const char *name, const char *initial)
{
	const char *value = getenv(name);
	return value != NULL && *value != '\0' ? value : initial;
}

static void load_text(char *to, const char *name, const char *initial, struct text *error)
{
	if (!text_copy(to, CONFIG_TEXT_MAX, setting(name, initial)))
		text_addf(error, "%s: longer than %d bytes\n", name, CONFIG_TEXT_MAX - 1);
}

/* The line that a file consists of; what is wrong with it, or NULL. */
static const char *read_line(char *to, const char *path)
{
	char line[CONFIG_TEXT_MAX + 2]; /* with a newline, or a byte too many, and the end */
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return strerrordesc_np(errno);
	size_t len = fread(line, 1, CONFIG_TEXT_MAX + 1, file);
	int fault = ferror(file) ? errno : 0;
	fclose(file);
	if (fault != 0)
		return strerrordesc_np(fault);
	if (len > 0 && line[len - 1] == '\n')
		len--;
	line[len] = '\0';
	bool whole = len > 0 && strlen(line) == len && strchr(line, '\n') == NULL;
	return whole && text_copy(to, CONFIG_TEXT_MAX, line) ? NULL : "not one line, or too long";
}

static void load_secret(char *to, const char *name, const char *name_of_file, struct text *error)
{
	const char *path = setting(name_of_file, ""), *fault;
	*to = '\0';
	if (*path == '\0')
		load_text(to, name, "", error);
	else if (*setting(name, "") != '\0')
		text_addf(error, "%s: set beside %s; one of them is enough\n", name_of_file, name);
	else if ((fault = read_line(to, path)) != NULL)
		text_addf(error, "%s: %s: %s\n", name_of_file, path, fault);
}

static int64_t load_number(
	const char *name, int64_t initial, int64_t min, int64_t max, struct text *error)
{
	const char *value = setting(name, "");
	int64_t number = initial;
	if (*value != '\0' && !text_to_number(value, min, max, &number))
		text_addf(error, "%s: \"%s\" is not a whole number from %lld to %lld\n", name,
			value, (long long)min, (long long)max);
	return number;
}

static bool load_switch(const char *name, bool initial, struct text *error)
{
	const char *value = setting(name, initial ? "yes" : "no");
	bool yes = strcmp(value, "yes") == 0;
	if (!yes && strcmp(value, "no") != 0)
		text_addf(error, "%s: \"%s\" is neither yes nor no\n", name, value);
	return yes;
}

/* A scheme and a host, perhaps a port, and nothing after them. */
static bool is_base_url(const char *url)
{
	const char *host = NULL;
	if (text_starts_with(url, "http://"))
		host = url + strlen("http://");
	else if (text_starts_with(url, "https://"))
		host = url + strlen("https://");
	const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
	return host != NULL && *host != '\0' && host[strspn(host, allowed)] == '\0';
}

static void check_meaning(struct text *error)
{
	if (!is_base_url(current.base_url))
		text_addf(error,
			"LINKSHRINK_BASE_URL: \"%s\" is not http:// or https:// with a lower-case "
			"host and no path\n",
			current.base_url);
	if (log_level_from(current.log_level) == LOG_LEVEL_COUNT)
		text_addf(error,
			"LINKSHRINK_LOG_LEVEL: \"%s\" is none of debug, info, warning, error\n",
			current.log_level);
	if (current.stall_ms < 2 * current.database_deadline_ms)
		text_add(error, "LINKSHRINK_STALL_MS: less than twice "
				"LINKSHRINK_DATABASE_DEADLINE_MS, so a slow database would look "
				"like a stalled process\n");
}

bool config_load(struct text *error)
{
	size_t before = error->len;
#define CONFIG_TEXT(field, name, initial, help) load_text(current.field, name, initial, error);
#define CONFIG_SECRET(field, name, help)        load_secret(current.field, name, name "_FILE", error);
#define CONFIG_NUMBER(field, name, initial, min, max, help)                                        \
	current.field = load_number(name, initial, min, max, error);
#define CONFIG_SWITCH(field, name, initial, help) current.field = load_switch(name, initial, error);
#include "base/config.def"
	if (error->len == before)
		check_meaning(error);
	return error->len == before;
}

const struct config *config_get(void)
{
	return &current;
}

void config_describe(struct text *markdown)
{
	text_add(markdown, "| setting | default | meaning |\n| --- | --- | --- |\n");
#define CONFIG_TEXT(field, name, initial, help)                                                    \
	text_addf(markdown, "| `" name "` | %s | " help " |\n",                                    \
		*initial != '\0' ? "`" initial "`" : "empty");
#define CONFIG_SECRET(field, name, help)                                                           \
	text_add(markdown, "| `" name "` | empty | " help " `" name                                \
			   "_FILE` names a file that holds it instead. |\n");
#define CONFIG_NUMBER(field, name, initial, min, max, help)                                        \
	text_addf(markdown, "| `" name "` | %lld (%lld to %lld) | " help " |\n",                   \
		(long long)(initial), (long long)(min), (long long)(max));
#define CONFIG_SWITCH(field, name, initial, help)                                                  \
	text_addf(markdown, "| `" name "` | %s | " help " |\n", (initial) ? "yes" : "no");
#include "base/config.def"
}
