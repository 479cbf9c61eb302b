#include "service/inbox_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/json_fields.h"
#include "service/page.h"

enum {
	RESOLVED = 0x2ecc71, /* the colour that Alertmanager gives to what is over */
	FULL = 400 << 10,    /* bytes of the page after which older messages are left out */
	BEAT_LATE_MS = 90000
};

static void add_moment(struct text *body, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];
	clock_format(wall_ms, moment);
	text_addf(body, "<time datetime=\"%s\">%.10s %.8s</time> UTC", moment, moment, moment + 11);
}

/* <t:1795493852:R>: the bytes it takes, 0 if it is none. */
static size_t add_time(struct text *body, const char *at)
{
	int64_t seconds;
	char digits[12];
	if (strncmp(at, "<t:", 3) != 0)
		return 0;
	size_t len = strspn(at + 3, "0123456789"), end = 3 + len;
	if (len == 0 || len >= sizeof(digits))
		return 0;
	if (at[end] == ':' && at[end + 1] != '\0')
		end += 2;
	if (at[end] != '>')
		return 0;
	memcpy(digits, at + 3, len);
	digits[len] = '\0';
	if (!text_to_number(digits, 0, INT32_MAX, &seconds))
		return 0;
	add_moment(body, seconds * 1000);
	return end + 1;
}

static void add_part(struct text *body, const char *from, size_t len)
{
	char *part = strndup(from, len);
	if (part != NULL)
		text_add_html(body, part);
	free(part);
}

/* [words](https://…), and nothing else that a browser would follow. */
static size_t add_link(struct text *body, const char *at)
{
	size_t words = *at == '[' ? strcspn(at + 1, "[]") : 0;
	const char *url = at + 1 + words + 2;
	if (words == 0 || strncmp(at + 1 + words, "](", 2) != 0)
		return 0;
	size_t len = strcspn(url, "() \n");
	if (url[len] != ')' ||
		(strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return 0;
	text_add(body, "<a rel=\"noreferrer\" href=\"");
	add_part(body, url, len);
	text_add(body, "\">");
	add_part(body, at + 1, words);
	text_add(body, "</a>");
	return (size_t)(url - at) + len + 1;
}

static size_t add_code(struct text *body, const char *at)
{
	size_t len = *at == '`' ? strcspn(at + 1, "`\n") : 0;
	if (len == 0 || at[1 + len] != '`')
		return 0;
	text_add(body, "<code>");
	add_part(body, at + 1, len);
	text_add(body, "</code>");
	return len + 2;
}

static size_t add_plain(struct text *body, const char *at)
{
	size_t escape = *at == '\\' && at[1] != '\0' && strchr("\\*_~`|<@", at[1]) != NULL;
	size_t len = text_utf8_length(at + escape, strlen(at + escape));
	if (len == 0)
		len = 1;
	add_part(body, at + escape, len);
	return escape + len;
}

/* What of Discord's way to mark text our messages use; all else as it stands. */
static void add_marked(struct text *body, const char *text)
{
	bool strong = false;
	for (const char *at = text; *at != '\0';) {
		size_t taken = 0;
		if (*at == '\n') {
			text_add(body, "<br>\n");
			taken = 1;
		} else if (strncmp(at, "**", 2) == 0) {
			text_add(body, strong ? "</strong>" : "<strong>");
			strong = !strong;
			taken = 2;
		}
		if (taken == 0)
			taken = add_time(body, at);
		if (taken == 0)
			taken = add_link(body, at);
		if (taken == 0)
			taken = add_code(body, at);
		if (taken == 0)
			taken = add_plain(body, at);
		at += taken;
	}
	if (strong)
		text_add(body, "</strong>");
}

static bool is(const char *path, const char *beginning, const char *end)
{
	size_t len = strlen(path), tail = strlen(end);
	return text_starts_with(path, beginning) && len >= tail &&
	       strcmp(path + len - tail, end) == 0;
}

static void add_received(struct text *body, const char *received)
{
	int64_t wall_ms;
	text_add(body, "<p class=\"label\">");
	if (clock_parse(received, &wall_ms))
		add_moment(body, wall_ms);
}

static void add_status(struct text *body, int status)
{
	if (status == 0)
		text_add(body, " · was left without an answer");
	else if (status >= 300)
		text_addf(body, " · was refused with %d", status);
	text_add(body, "</p>\n");
}

static bool is_words(const char *path)
{
	return is(path, "payload.embeds.", ".description") ||
	       strcmp(path, "payload.content") == 0 || strcmp(path, "payload") == 0;
}

static void show(const struct json_leaf *leaf, void *context)
{
	struct text *body = context;
	if (strcmp(leaf->path, "status") == 0)
		add_status(body, (int)leaf->number);
	if (leaf->text == NULL || *leaf->text == '\0')
		return;
	if (strcmp(leaf->path, "received") == 0) {
		add_received(body, leaf->text);
	} else if (is(leaf->path, "payload.embeds.", ".title")) {
		text_add(body, "<h2>");
		text_add_html(body, leaf->text);
		text_add(body, "</h2>\n");
	} else if (is_words(leaf->path)) {
		text_add(body, "<p>");
		add_marked(body, leaf->text);
		text_add(body, "</p>\n");
	}
}

static void find_colour(const struct json_leaf *leaf, void *context)
{
	const char **state = context;
	if (is(leaf->path, "payload.embeds.", ".color"))
		*state = leaf->number == RESOLVED ? "resolved" : "firing";
}

static void add_card(struct text *body, const char *line)
{
	struct http_faults faults;
	const char *state = "";
	if (json_walk(line, strlen(line), find_colour, &state, &faults) != JSON_OK)
		return;
	text_addf(
		body, "<article class=\"message %s\">\n<p class=\"state\">%s</p>\n", state, state);
	(void)!json_walk(line, strlen(line), show, body, &faults); /* the same again */
	text_add(body, "</article>\n");
}

static void add_heartbeat(struct http_response *res, int64_t last_beat)
{
	bool late = clock_wall_ms() - last_beat > BEAT_LATE_MS;
	if (last_beat == 0) {
		page_paragraph(res, "lead",
			"No heartbeat yet: Alertmanager has not said that it is alive.");
		return;
	}
	text_addf(&res->body, "<p class=\"lead%s\">%s", late ? " late" : "",
		late ? "Nobody watches: the last heartbeat of the monitoring came "
		     : "The monitoring is alive: last heartbeat ");
	add_moment(&res->body, last_beat);
	text_add(&res->body, ".</p>\n");
}

/* From the last line to the first. */
static unsigned add_cards(struct text *body, char *lines)
{
	unsigned count = 0;
	size_t len = strlen(lines);
	while (len > 0 && count < INBOX_PAGE_MESSAGES && body->len < FULL) {
		lines[--len] = '\0'; /* the end of a line */
		while (len > 0 && lines[len - 1] != '\n')
			len--;
		add_card(body, lines + len);
		count++;
	}
	return count;
}

void inbox_page(struct http_response *res, char *lines, int64_t last_beat)
{
	page_begin(res, 200, "Local inbox");
	add_heartbeat(res, last_beat);
	if (lines == NULL || *lines == '\0' || add_cards(&res->body, lines) == 0)
		page_paragraph(res, "message",
			"Nothing has arrived. That is good news, or nobody has sent a test: "
			"scripts/test-alert does.");
	else
		page_paragraph(res, "note",
			"Alerts come here because LINKSHRINK_DISCORD_URL is not set. These are "
			"the newest; all are in inbox/messages.jsonl.");
	page_end(res);
}
