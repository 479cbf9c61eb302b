/*
 * inbox - stands in for Discord where no webhook is set, so that alerts can be seen and tested on a
 * machine without a way out. It refuses what Discord refuses and keeps all that it was sent. Only
 * scripts/stack starts it, behind a small lighttpd of its own: it has to live while the other is dead.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/workers.h"
#include "domain/discord.h"
#include "domain/inbox.h"
#include "http/json_fields.h"
#include "http/json_write.h"
#include "http/query.h"
#include "service/inbox_page.h"
#include "service/service.h"

enum {
	HANG_MAX_S = 60,
	LOOK_MS = 100,
	BAD_JSON = 50109 /* Discord's own numbers and words */
};

static void keep(const struct http_request *req, int status, bool is_json)
{
	if (!inbox_keep("/discord", status, req->body, req->body_len, is_json))
		log_event(LOG_ERROR, "message_not_kept", strerrordesc_np(errno));
}

static struct json_writer begin_refusal(struct http_response *res, int status, const char *message)
{
	http_begin(res, status, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_text(&json, "message", message);
	return json;
}

/* {"embeds":{"0":{"title":{"_errors":[{"code":…,"message":…}]}}}} */
static void add_fault(struct json_writer *json, const struct discord_check *check)
{
	char key[DISCORD_PATH_MAX];
	unsigned depth = 0;
	json_open(json, "errors", '{');
	for (const char *at = check->path; *at != '\0'; depth++) {
		size_t len = strcspn(at, ".");
		struct text text = text_fixed(key, sizeof(key));
		text_add_bytes(&text, at, len);
		json_open(json, key, '{');
		at += at[len] == '.' ? len + 1 : len;
	}
	json_open(json, "_errors", '[');
	json_open(json, NULL, '{');
	json_text(json, "code", check->reason);
	json_text(json, "message", check->message);
	json_close(json, '}');
	json_close(json, ']');
	for (; depth > 0; depth--)
		json_close(json, '}');
	json_close(json, '}');
}

static void refuse(struct http_response *res, int code, const struct discord_check *check)
{
	struct json_writer json = begin_refusal(res, 400,
		code == BAD_JSON        ? "The request body contains invalid JSON."
		: code == DISCORD_EMPTY ? "Cannot send an empty message"
					: "Invalid Form Body");
	json_number(&json, "code", code);
	if (code == DISCORD_INVALID)
		add_fault(&json, check);
	json_close(&json, '}');
}

static void refuse_too_many(struct http_response *res)
{
	struct json_writer json = begin_refusal(res, 429, "You are being rate limited.");
	json_number(&json, "retry_after", 1);
	json_boolean(&json, "global", false);
	json_close(&json, '}');
	http_header(res, "Retry-After", "1");
}

static void fail(struct http_response *res)
{
	struct json_writer json = begin_refusal(res, 500, "500: Internal Server Error");
	json_number(&json, "code", 0);
	json_close(&json, '}');
}

/* Says to the watch that it is alive, and to the client nothing. */
static void hang(struct worker *worker)
{
	const struct timespec pause = { .tv_nsec = (long)(LOOK_MS * CLOCK_MS) };
	uint64_t end = clock_monotonic() + HANG_MAX_S * CLOCK_S;
	while (inbox_mood() == INBOX_HANGS && clock_monotonic() < end) {
		workers_busy(worker->slot, worker->thread);
		nanosleep(&pause, NULL);
	}
}

static void visit(const struct json_leaf *leaf, void *context)
{
	if (leaf->text != NULL)
		discord_text(context, leaf->path, leaf->text);
	else
		discord_list(context, leaf->path, leaf->list_count);
}

static int judge(const struct http_request *req, struct discord_check *check)
{
	struct http_faults faults;
	if (json_walk(req->body, req->body_len, visit, check, &faults) != JSON_OK)
		return BAD_JSON;
	return discord_verdict(check);
}

static void discord(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	struct discord_check check = { 0 };
	enum inbox_mood mood = inbox_mood();
	int code = judge(req, &check);
	int status = code != 0 ? 400 : 204;
	if (mood != INBOX_KIND)
		status = mood == INBOX_LIMITS ? 429 : mood == INBOX_FAILS ? 500 : 0;
	keep(req, status, code != BAD_JSON);
	if (status == 204)
		http_begin(res, 204, "application/json");
	else if (status == 400)
		refuse(res, code, &check);
	else if (status == 429)
		refuse_too_many(res);
	else {
		if (status == 0)
			hang(worker);
		fail(res);
	}
}

static void heartbeat(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	(void)worker;
	(void)req;
	inbox_beat();
	http_begin(res, 204, "application/json");
}

static void page(struct worker *worker, const struct http_request *req, struct http_response *res)
{
	size_t len;
	(void)worker;
	(void)req;
	char *lines = inbox_tail(&len);
	inbox_page(res, lines, inbox_last_beat());
	free(lines);
}

/* When a line arrived: its first member, which we wrote ourselves. */
static int64_t received(const char *line)
{
	static const char key[] = "{\"received\":\"";
	char moment[CLOCK_TEXT];
	int64_t wall_ms = 0;
	if (!text_starts_with(line, key) || strlen(line) < strlen(key) + CLOCK_TEXT)
		return 0;
	memcpy(moment, line + strlen(key), CLOCK_TEXT - 1);
	moment[CLOCK_TEXT - 1] = '\0';
	return clock_parse(moment, &wall_ms) ? wall_ms : 0;
}

static void messages(
	struct worker *worker, const struct http_request *req, struct http_response *res)
{
	char since_text[64];
	int64_t since = 0;
	size_t len;
	(void)worker;
	if (query_has(req->query, "since") &&
		(!query_find(req->query, "since", since_text, sizeof(since_text)) ||
			!clock_parse(since_text, &since))) {
		http_problem(res, 400, "since must be a time such as 2026-12-31T23:59:59Z");
		return;
	}
	char *lines = inbox_tail(&len);
	http_begin(res, 200, "application/jsonl");
	for (const char *line = lines; line != NULL && *line != '\0';) {
		size_t line_len = strcspn(line, "\n") + 1;
		if (received(line) >= since)
			text_add_bytes(&res->body, line, line_len);
		line += line_len;
	}
	free(lines);
}

/* Under /inbox as the operations listener leads here. Its counters are its own, so no handler has them. */
#define ROW(methods, path, handler)                                                                \
	{                                                                                          \
		methods, path, LABEL_handler_NONE, ANYONE, RATE_NONE, 0, 0, handler                \
	}
static const struct route routes[] = { ROW(HTTP_POST, "/discord", discord),
	ROW(HTTP_POST, "/heartbeat", heartbeat), ROW(HTTP_GET | HTTP_HEAD, "/", page),
	ROW(HTTP_GET | HTTP_HEAD, "/inbox", page), ROW(HTTP_GET, "/messages", messages),
	ROW(HTTP_GET, "/inbox/messages", messages), { 0 } };

const struct service inbox_service = { .name = "inbox", .routes = routes, .threads = 8 };
