#include "base/config.h"
#include "service/service.h"

bool service_equip(const struct service *service, struct worker *worker)
{
	if ((service->needs & NEEDS_DATABASE) != 0) {
		worker->db = db_new(config_get()->database_url, service->name);
		if (worker->db == NULL)
			return false;
	}
	return true;
}

void service_strip(struct worker *worker)
{
	db_free(worker->db);
	worker->db = NULL;
}
