/*
 * caller - who sees what: a key with an owner what is the owner's and nothing else, as if there were
 * nothing else; one without, of the operators, everything.
 */
#ifndef SERVICE_CALLER_H
#define SERVICE_CALLER_H

#include "service/service.h"

/* Whether the caller may see what belongs to this owner, 0 for nobody. */
bool caller_may_see(const struct worker *worker, int64_t owner);

/*
 * Whose things are shown: the caller's own, or those of the user who was asked for, 0 for
 * everybody's. -1, whose nothing is, when that is not the caller.
 */
int64_t caller_owner_shown(const struct worker *worker, int64_t asked);

#endif
