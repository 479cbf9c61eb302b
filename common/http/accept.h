/*
 * accept - what a client would rather read: a page or JSON.
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include <stdbool.h>

/*
 * Whether whoever sent this Accept header would rather read a page than JSON: it names text/html,
 * and no less gladly than what else JSON would satisfy. Who names both alike gets JSON, and so does
 * who names neither: clients were there first.
 */
bool accept_prefers_html(const char *accept);

#endif
