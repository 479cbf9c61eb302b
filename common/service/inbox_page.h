/*
 * inbox_page - what arrived in the local inbox, for people: the newest first.
 */
#ifndef SERVICE_INBOX_PAGE_H
#define SERVICE_INBOX_PAGE_H

#include "http/http.h"

enum { INBOX_PAGE_MESSAGES = 200 };

/* lines: of inbox_tail(), cut up by this; may be NULL. last_beat: milliseconds since 1970, or 0. */
void inbox_page(struct http_response *res, char *lines, int64_t last_beat);

#endif
