#include "domain/packing.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "domain/click_store.h"
#include "domain/database.h"

void pack_days_with(struct db *ingest)
{
	const int32_t before = 30000; /* in 2052 */
	int32_t day = STORE_ANY_DAY;
	int64_t link = INT64_MIN;

	do {
		db_set_deadline(ingest, DEADLINE_MS);
		cr_assert(eq(int, store_pack(ingest, before, &day, &link), STORE_OK));
	} while (day != STORE_ANY_DAY);
}

void pack_past_days(void)
{
	struct db *ingest = db_new(database_url(INGEST), "ingest");

	cr_assert(ingest != NULL);
	/* Nothing is counted without values, except in tests. */
	database_do(ADMIN, "INSERT INTO click_stats (link, day, dimension, value, node, n) "
			   "SELECT DISTINCT link, (hour AT TIME ZONE 'UTC')::date, 'visitors', '', "
			   "node, 0 FROM click_counts ON CONFLICT DO NOTHING");
	pack_days_with(ingest);
	db_free(ingest);
}

void pack_days(void)
{
	pack_past_days();
	cr_expect(eq(i64, database_number("SELECT count(*) FROM click_counts"), 0));
	cr_expect(eq(i64, database_number("SELECT count(*) FROM click_stats"), 0));
}
