/*
 * link_json - a link as the API shows it. Fields and their meaning: docs/api.md.
 */
#ifndef SERVICE_LINK_JSON_H
#define SERVICE_LINK_JSON_H

#include "base/config.h"
#include "base/text.h"
#include "domain/link.h"
#include "http/json_write.h"

/* Room for a short URL and its zero. */
enum { SHORT_URL_MAX = CONFIG_TEXT_MAX + CODE_MAX + 2 };

/* "<base URL>/<code>", as people are told. */
void link_json_short_url(struct text *text, const char *code);

/* The link as one JSON object; clicks: how many it had so far. */
void link_json(struct json_writer *json, const struct link *link, int64_t clicks);

/* Its members alone, into an object that is open. */
void link_json_members(struct json_writer *json, const struct link *link, int64_t clicks);

#endif
