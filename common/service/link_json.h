/*
 * link_json - a link as the API shows it. Fields and their meaning: docs/api.
 */
#ifndef SERVICE_LINK_JSON_H
#define SERVICE_LINK_JSON_H

#include "base/config.h"
#include "base/text.h"
#include "domain/link.h"

/* Room for a short URL and its zero. */
enum { SHORT_URL_MAX = CONFIG_TEXT_MAX + CODE_MAX + 2 };

/* "<base URL>/<code>", as people are told. */
void link_json_short_url(struct text *text, const char *code);

/* The link as one JSON object. */
void link_json(struct text *text, const struct link *link);

#endif
