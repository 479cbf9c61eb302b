/*
 * link_group - gathers the links that threads want to store at the same moment, so that one of them
 * stores those of all in one statement.
 *
 * A thread that comes while nobody of its process stores does so at once: one alone waits for
 * nobody. The others wait; who has stored lets one of them go on, with all that came meanwhile, and
 * where many wait a second one begins before. What was stored
 * together is settled together, while others store. Nobody waits past the deadline of its own db.
 * Who gives up while its link is being stored does not know the outcome; nobody touches its memory any
 * more.
 *
 * How links are stored is the caller's, so that this can be tested without a database.
 */
#ifndef DOMAIN_LINK_GROUP_H
#define DOMAIN_LINK_GROUP_H

#include "domain/link.h"

enum { LINK_GROUP_MAX = 64 };

/*
 * Stores count links, from 1 to LINK_GROUP_MAX, by the db of the calling thread. Sets the result of
 * each and fills in those that are LINK_OK.
 */
typedef void (*link_group_store)(
	struct db *db, struct link *const links[], enum link_result results[], unsigned count);

/* What became of this one link. It is filled in if that is LINK_OK, else unchanged. */
__attribute__((warn_unused_result)) enum link_result link_group_create(
	struct db *db, struct link *link, link_group_store store, link_settle settle);

#endif
