#include "domain/replica.h"

#include "base/clock.h"

enum link_result replica_find(struct db *db, const char *code, struct link *found)
{
	enum link_result result = link_find(db, code, found);

	return result == LINK_OK ? link_verdict(found, clock_wall_ms()) : result;
}
