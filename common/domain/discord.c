#include "domain/discord.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { EMBEDS_CHARACTERS_MAX = 6000 };

struct limit {
	const char *path; /* "*" stands for any number */
	size_t max;
	bool of_embed; /* counts for the limit of all embeds together */
};

static const struct limit texts[] = {
	{ "content", 2000, false },
	{ "username", 80, false },
	{ "embeds.*.title", 256, true },
	{ "embeds.*.description", 4096, true },
	{ "embeds.*.fields.*.name", 256, true },
	{ "embeds.*.fields.*.value", 1024, true },
	{ "embeds.*.footer.text", 2048, true },
	{ "embeds.*.author.name", 256, true },
};

static const struct limit lists[] = {
	{ "embeds", 10, false },
	{ "embeds.*.fields", 25, false },
};

static bool matches(const char *pattern, const char *path)
{
	while (*pattern != '\0' && *path != '\0') {
		if (*pattern == '*') {
			size_t digits = strspn(path, "0123456789");
			if (digits == 0)
				return false;
			path += digits;
			pattern++;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *pattern == *path;
}

static const struct limit *find(const struct limit *limits, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (matches(limits[i].path, path))
			return &limits[i];
	return NULL;
}

static size_t characters_of(const char *text)
{
	size_t len, count = 0;
	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80; /* the first byte of each */
	return count;
}

static void blame(struct discord_check *check, const char *path, const char *reason, size_t max)
{
	if (check->faulty)
		return;
	struct text message = text_fixed(check->message, sizeof(check->message));
	check->faulty = true;
	check->reason = reason;
	(void)text_copy(check->path, sizeof(check->path), path);
	if (max == EMBEDS_CHARACTERS_MAX)
		text_addf(&message, "Embed size exceeds maximum size of %zu", max);
	else
		text_addf(&message, "Must be %zu or fewer in length.", max);
}

void discord_text(struct discord_check *check, const char *path, const char *text)
{
	const struct limit *limit = find(texts, sizeof(texts) / sizeof(*texts), path);
	size_t characters = characters_of(text);
	if (limit == NULL)
		return;
	if (limit->of_embed)
		check->characters += characters;
	if (characters > 0 && strcmp(path, "username") != 0)
		check->something = true;
	if (characters > limit->max)
		blame(check, path, "BASE_TYPE_MAX_LENGTH", limit->max);
}

void discord_list(struct discord_check *check, const char *path, size_t count)
{
	const struct limit *limit = find(lists, sizeof(lists) / sizeof(*lists), path);
	if (limit != NULL && count > limit->max)
		blame(check, path, "BASE_TYPE_MAX_LENGTH", limit->max);
}

int discord_verdict(struct discord_check *check)
{
	if (check->characters > EMBEDS_CHARACTERS_MAX)
		blame(check, "embeds", "MAX_EMBED_SIZE_EXCEEDED", EMBEDS_CHARACTERS_MAX);
	if (check->faulty)
		return DISCORD_INVALID;
	return check->something ? 0 : DISCORD_EMPTY;
}
