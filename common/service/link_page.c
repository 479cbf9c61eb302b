#include "service/link_page.h"

#include <string.h>

#include "base/clock.h"
#include "http/json_write.h"
#include "service/link_json.h"
#include "service/page.h"

enum { DATE = 10 /* "2026-11-23" */ };

static void add_date(struct http_response *res, const char *label, int64_t wall_ms)
{
	char moment[CLOCK_TEXT];
	if (wall_ms == 0)
		return;
	clock_format(wall_ms, moment);
	text_addf(&res->body, "<div><dt>%s</dt><dd><time datetime=\"%s\">%.*s</time></dd></div>\n",
		label, moment, DATE, moment);
}

/* The host apart from the rest: it is what tells a person whether to trust the link. */
static void add_target(struct text *body, const char *target)
{
	size_t scheme = strcspn(target, ":") + strlen("://");
	size_t host = strcspn(target + scheme, "/?#");
	char part[TARGET_URL_MAX + 1];
	struct text text = text_fixed(part, sizeof(part));
	text_add(body, "<p class=\"target\"><span>");
	text_add_bytes(&text, target, scheme);
	text_add_html(body, part);
	text_add(body, "</span><strong>");
	text_clear(&text);
	text_add_bytes(&text, target + scheme, host);
	text_add_html(body, part);
	text_add(body, "</strong><span>");
	text_add_html(body, target + scheme + host);
	text_add(body, "</span></p>\n");
}

static void add_actions(struct text *body, const struct link *link)
{
	text_addf(body,
		"<p class=\"actions\"><a class=\"button first\" rel=\"noreferrer\" "
		"href=\"/%s\">Go there</a><a class=\"button\" href=\"/\">Make a short "
		"link</a></p>\n",
		link->code);
}

void link_page(struct http_response *res, const struct link *link)
{
	char memory[SHORT_URL_MAX];
	struct text short_url = text_fixed(memory, sizeof(memory));
	link_json_short_url(&short_url, link->code);
	page_begin(res, 200, *link->title != '\0' ? link->title : "Where this link leads");
	text_add(&res->body, "<div class=\"preview\">\n<div>\n<p class=\"short\">");
	text_add_html(&res->body, memory);
	text_add(&res->body, "</p>\n<p class=\"label\">leads to</p>\n");
	add_target(&res->body, link->target);
	text_add(&res->body, "<dl>\n");
	add_date(res, "Made", link->created_at);
	add_date(res, "Ends", link->valid_until);
	text_addf(&res->body, "</dl>\n</div>\n<img class=\"qr\" src=\"/%s.qr\" alt=\"QR code of ",
		link->code);
	text_add_html(&res->body, memory);
	text_add(&res->body, "\" width=\"176\" height=\"176\">\n</div>\n");
	add_actions(&res->body, link);
	page_paragraph(res, "note", "Looking at this page did not count as a visit.");
	page_end(res);
}

void link_page_json(struct http_response *res, const struct link *link)
{
	char memory[SHORT_URL_MAX], created[CLOCK_TEXT], until[CLOCK_TEXT];
	struct text short_url = text_fixed(memory, sizeof(memory));
	link_json_short_url(&short_url, link->code);
	clock_format(link->created_at, created);
	clock_format(link->valid_until, until);
	http_begin(res, 200, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_text(&json, "short_code", link->code);
	json_text(&json, "short_url", memory);
	json_text(&json, "original_url", link->target);
	json_text(&json, "title", *link->title != '\0' ? link->title : NULL);
	json_text(&json, "created_at", created);
	json_text(&json, "valid_until", link->valid_until != 0 ? until : NULL);
	json_close(&json, '}');
}
