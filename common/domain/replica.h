/*
 * replica - finds the link behind a code, for redirects.
 *
 * LINK_OK: follow it. LINK_UNKNOWN: there is none, or it is disabled or not valid yet. LINK_GONE:
 * deleted or expired. LINK_DOWN: it cannot be said now; unknown is not absent, so answer 503.
 */
#ifndef DOMAIN_REPLICA_H
#define DOMAIN_REPLICA_H

#include "domain/link.h"

__attribute__((warn_unused_result)) enum link_result replica_find(
	struct db *db, const char *code, struct link *found);

/* The same by links.id. */
__attribute__((warn_unused_result)) enum link_result replica_find_id(
	struct db *db, int64_t id, struct link *found);

#endif
