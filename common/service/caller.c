#include "service/caller.h"

bool caller_may_see(const struct worker *worker, int64_t owner)
{
	return worker->key.owner == 0 || worker->key.owner == owner;
}

int64_t caller_owner_shown(const struct worker *worker, int64_t asked)
{
	if (asked == 0)
		return worker->key.owner;
	return caller_may_see(worker, asked) ? asked : -1;
}
