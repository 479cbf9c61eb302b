#include "base/config.h"
#include "domain/click.h"
#include "domain/replica.h"
#include "service/service.h"

bool service_equip(const struct service *service, struct worker *worker)
{
	const struct config *config = config_get();
	if ((service->needs & NEEDS_DATABASE) != 0)
		worker->db = db_new(config->database_url, service->name);
	if ((service->needs & NEEDS_REPLICA) != 0)
		worker->replica = replica_new(config->replica);
	if ((service->needs & NEEDS_SPOOL) != 0)
		worker->clicks = click_writer_new(config->spool, config->node);
	return ((service->needs & NEEDS_DATABASE) == 0 || worker->db != NULL) &&
	       ((service->needs & NEEDS_REPLICA) == 0 || worker->replica != NULL) &&
	       ((service->needs & NEEDS_SPOOL) == 0 || worker->clicks != NULL);
}

void service_strip(struct worker *worker)
{
	db_free(worker->db);
	replica_free(worker->replica);
	click_writer_free(worker->clicks);
	worker->db = NULL;
	worker->replica = NULL;
	worker->clicks = NULL;
}
