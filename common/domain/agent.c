#include "domain/agent.h"

#include <string.h>

struct row {
	const char *part, *name;
};

#define AGENT_BOT(part, name) { part, name },
#define AGENT_BROWSER(part, name)
#define AGENT_OS(part, name)
static const struct row bots[] = {
#include "domain/agents.def"
	{ 0 }
};

#define AGENT_BOT(part, name)
#define AGENT_BROWSER(part, name) { part, name },
#define AGENT_OS(part, name)
static const struct row browsers[] = {
#include "domain/agents.def"
	{ 0 }
};

#define AGENT_BOT(part, name)
#define AGENT_BROWSER(part, name)
#define AGENT_OS(part, name) { part, name },
static const struct row systems[] = {
#include "domain/agents.def"
	{ 0 }
};

static const char *find(const struct row *rows, const char *text, const char *otherwise)
{
	for (; rows->part != NULL; rows++)
		if (strstr(text, rows->part) != NULL)
			return rows->name;
	return otherwise;
}

/* In lower case, for strstr() is many times faster than strcasestr(). */
static void fold(char text[AGENT_READ_MAX + 1], const char *user_agent)
{
	size_t len = strnlen(user_agent, AGENT_READ_MAX);
	for (size_t i = 0; i < len; i++) {
		char c = user_agent[i];
		text[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	text[len] = '\0';
}

struct agent agent_read(const char *user_agent)
{
	char text[AGENT_READ_MAX + 1];
	fold(text, user_agent);
	const char *bot = find(bots, text, "");
	if (*bot != '\0')
		return (struct agent){ .browser = bot, .os = "other", .bot = true };
	return (struct agent){ .browser = find(browsers, text, "other"),
		.os = find(systems, text, "other") };
}

bool agent_prefetches(const char *purpose)
{
	return strcasestr(purpose, "prefetch") != NULL || strcasestr(purpose, "prerender") != NULL;
}
