#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/discord.h"

static struct discord_check check;

static char *repeat(const char *part, size_t count)
{
	char *text = calloc(count + 1, strlen(part));
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * strlen(part), part, strlen(part));
	return text;
}

static void show(const char *path, const char *part, size_t count)
{
	char *text = repeat(part, count);
	discord_text(&check, path, text);
	free(text);
}

static int verdict_of(const char *path, const char *part, size_t count)
{
	check = (struct discord_check){ 0 };
	if (strcmp(path, "username") == 0)
		discord_text(&check, "content", "x");
	show(path, part, count);
	return discord_verdict(&check);
}

Test(discord, takes_as_many_characters_as_documented_and_no_more)
{
	static const struct {
		const char *path;
		size_t max;
	} limits[] = {
		{ "content", 2000 },
		{ "username", 80 },
		{ "embeds.0.title", 256 },
		{ "embeds.9.description", 4096 },
		{ "embeds.0.fields.24.name", 256 },
		{ "embeds.0.fields.0.value", 1024 },
		{ "embeds.10.footer.text", 2048 },
		{ "embeds.0.author.name", 256 },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		cr_expect_eq(
			verdict_of(limits[i].path, "x", limits[i].max), 0, "%s", limits[i].path);
		cr_expect_eq(verdict_of(limits[i].path, "\xf0\x9f\x94\xb4", limits[i].max), 0,
			"characters, not bytes: %s", limits[i].path);
		cr_expect_eq(verdict_of(limits[i].path, "x", limits[i].max + 1), DISCORD_INVALID,
			"%s", limits[i].path);
		cr_expect_str_eq(check.path, limits[i].path);
		cr_expect_str_eq(check.reason, "BASE_TYPE_MAX_LENGTH");
	}
}

Test(discord, does_not_count_blanks_around_a_text)
{
	char text[300];
	snprintf(text, sizeof(text), "%20s%0256d%20s", "", 7, "");
	check = (struct discord_check){ 0 };
	discord_text(&check, "embeds.0.title", text);
	cr_assert_eq(discord_verdict(&check), 0);
	cr_assert_eq(check.characters, 256);
}

Test(discord, takes_6000_characters_in_all_embeds)
{
	check = (struct discord_check){ 0 };
	show("content", "x", 2000); /* is no part of an embed */
	show("embeds.0.description", "x", 4096);
	show("embeds.1.description", "x", 1904);
	cr_expect_eq(discord_verdict(&check), 0);
	show("embeds.1.title", "x", 1);
	cr_expect_eq(discord_verdict(&check), DISCORD_INVALID);
	cr_expect_str_eq(check.path, "embeds");
	cr_expect_str_eq(check.reason, "MAX_EMBED_SIZE_EXCEEDED");
	cr_expect_str_eq(check.message, "Embed size exceeds maximum size of 6000");
}

Test(discord, takes_ten_embeds_of_25_fields)
{
	check = (struct discord_check){ 0 };
	discord_text(&check, "content", "x");
	discord_list(&check, "embeds", 10);
	discord_list(&check, "embeds.0.fields", 25);
	cr_expect_eq(discord_verdict(&check), 0);
	discord_list(&check, "embeds.3.fields", 26);
	cr_expect_eq(discord_verdict(&check), DISCORD_INVALID);
	cr_expect_str_eq(check.path, "embeds.3.fields");
	check = (struct discord_check){ 0 };
	discord_list(&check, "embeds", 11);
	cr_expect_eq(discord_verdict(&check), DISCORD_INVALID);
	cr_expect_str_eq(check.message, "Must be 10 or fewer in length.");
}

Test(discord, refuses_what_shows_nothing)
{
	cr_expect_eq(verdict_of("content", " ", 3), DISCORD_EMPTY);
	cr_expect_eq(verdict_of("embeds.0.url", "x", 3), DISCORD_EMPTY);
	cr_expect_eq(verdict_of("embeds.x.title", "x", 3), DISCORD_EMPTY);
	cr_expect_eq(verdict_of("embeds.0.title", "x", 1), 0);
}

Test(discord, names_the_first_fault)
{
	check = (struct discord_check){ 0 };
	show("embeds.0.title", "x", 257);
	show("embeds.1.title", "x", 300);
	cr_expect_eq(discord_verdict(&check), DISCORD_INVALID);
	cr_expect_str_eq(check.path, "embeds.0.title");
	cr_expect_str_eq(check.message, "Must be 256 or fewer in length.");
}
