/*
 * route_list - the routes of a service as text, for tests that must know all of them.
 */
#ifndef SERVICE_ROUTE_LIST_H
#define SERVICE_ROUTE_LIST_H

#include "base/text.h"
#include "service/service.h"

/*
 * One line a route, in the order of the table, its words separated by single spaces:
 *
 *   GET,HEAD /urls/:id links:read api 65536
 *
 * methods, path, the scopes that a key needs (with commas between; - for anyone), the rate class
 * (- for none) and the bytes of a body at most. Nothing where the service serves nobody.
 */
void route_list(const struct service *service, struct text *lines);

#endif
