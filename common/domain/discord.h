/*
 * discord - what Discord takes as the message of a webhook, by the limits that it documents.
 *
 * Lengths are characters (not bytes) without the blanks around the text. Show it every text and
 * every list of a message, by its path ("embeds.0.title"); then ask for the verdict.
 */
#ifndef DOMAIN_DISCORD_H
#define DOMAIN_DISCORD_H

#include <stdbool.h>
#include <stddef.h>

enum { DISCORD_PATH_MAX = 160, DISCORD_EMPTY = 50006, DISCORD_INVALID = 50035 };

struct discord_check {
	size_t characters; /* of all embeds */
	bool something;    /* there is anything to show */
	bool faulty;
	char path[DISCORD_PATH_MAX]; /* of the first fault; "" if it is of the whole message */
	const char *reason;          /* Discord's name for it */
	char message[64];            /* in words, as Discord has them */
};

void discord_text(struct discord_check *check, const char *path, const char *text);
void discord_list(struct discord_check *check, const char *path, size_t count);

/* 0 if Discord would take it, else Discord's number for what is wrong: DISCORD_EMPTY, or
 * DISCORD_INVALID, which path, reason and message say more of. */
int discord_verdict(struct discord_check *check);

#endif
