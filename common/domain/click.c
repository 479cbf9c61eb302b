#include "domain/click.h"

enum click_result click_record(struct db *db, const struct click *click, int64_t node)
{
	char link[DB_NUMBER], at[DB_NUMBER], machine[DB_NUMBER];
	const char *const parameters[] = { db_number_text(link, click->link),
		db_number_text(at, click->at), db_number_text(machine, node),
		click->bot ? "1" : "0" };

	return db_run(db, STATEMENT_click_count, parameters, 4) == DB_OK ? CLICK_KEPT
									 : CLICK_DROPPED;
}
