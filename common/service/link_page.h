/*
 * link_page - what anybody may know of a link without following it: where it goes, its title, when
 * it was made, how long it lasts. Not who owns it.
 */
#ifndef SERVICE_LINK_PAGE_H
#define SERVICE_LINK_PAGE_H

#include "domain/link.h"
#include "http/http.h"

/* 200 with a page for a person. link->target is canonical and was checked. */
void link_page(struct http_response *res, const struct link *link);

/* 200 with the same as JSON. */
void link_page_json(struct http_response *res, const struct link *link);

#endif
