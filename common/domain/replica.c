#include "domain/replica.h"

#include "base/clock.h"

static enum link_result judge(enum link_result result, const struct link *found)
{
	return result == LINK_OK ? link_verdict(found, clock_wall_ms()) : result;
}

enum link_result replica_find(struct db *db, const char *code, struct link *found)
{
	return judge(link_find(db, code, found), found);
}

enum link_result replica_find_id(struct db *db, int64_t id, struct link *found)
{
	return judge(link_find_id(db, id, found), found);
}
