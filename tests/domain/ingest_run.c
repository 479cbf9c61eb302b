#include "domain/ingest_run.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/segment.h"
#include "domain/database.h"
#include "domain/spool_write.h"

enum { MANY_TURNS = 1000, PATIENCE_MS = 20000 };

struct ingest_settings ingest_settings;

static struct ingest *ingest;
static struct db *db;

void ingest_start(void)
{
	ingest = ingest_new(&ingest_settings);
	db = db_new(database_url(INGEST), "ingest");
	cr_assert(ingest && db);
}

void ingest_stop(void)
{
	ingest_free(ingest);
	db_free(db);
}

void ingest_begin(void)
{
	database_do(ADMIN, "TRUNCATE clicks, click_counts, click_stats, click_days, click_totals, "
			   "click_visitors, spool_offsets, spool_runs");
	segment_get()->header.run = SPOOL_RUN;
	ingest_settings = (struct ingest_settings){ .directory = spool_begin(),
		.node = 1,
		.max_bytes = 1 << 30,
		.retention_s = 86400,
		.click_retention_days = 90 };
	ingest_start();
}

void ingest_end(void)
{
	ingest_stop();
	spool_end();
}

unsigned ingest_once(void)
{
	return ingest_turn(ingest, db);
}

void ingest_until_idle(void)
{
	for (unsigned turns = 0, idle = 0; idle < 2; turns++) {
		cr_assert(turns < MANY_TURNS);
		idle += ingest_once() > 0;
	}
}

void ingest_until(const char *sql)
{
	uint64_t begin = clock_monotonic();

	while (database_number(sql) != 1) {
		cr_assert(database_ms_since(begin) < PATIENCE_MS, "never true: %s", sql);
		poll(NULL, 0, ingest_once() > 0 ? 5 : 0);
	}
}

void ingest_expect(const char *sql, int64_t number)
{
	cr_expect(eq(i64, database_number(sql), number), "%s", sql);
}

void ingest_expect_counted(int64_t clicks)
{
	ingest_expect("SELECT count(*) FROM clicks", clicks);
	ingest_expect("SELECT coalesce(sum(n), 0)::bigint FROM click_hours", clicks);
	ingest_expect("SELECT coalesce(sum(counted), 0)::bigint FROM click_totals", clicks);
	ingest_expect("SELECT coalesce(sum(records), 0)::bigint FROM spool_offsets", clicks);
	ingest_expect(
		"SELECT coalesce(sum(records), 0)::bigint FROM spool_runs WHERE run = 77", clicks);
	ingest_expect("SELECT coalesce(sum(n), 0)::bigint FROM click_values "
		      "WHERE dimension IN ('browser', 'bot')",
		clicks);
}

void ingest_refuse_link(int link, const char *sqlstate)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		"RAISE SQLSTATE '%s'; END $$; "
		"CREATE TRIGGER refuse BEFORE INSERT ON clicks FOR EACH ROW "
		"WHEN (new.link = %d) EXECUTE FUNCTION refuse()",
		sqlstate, link);
	database_do(ADMIN, sql);
}

void ingest_accept(void)
{
	database_do(ADMIN, "DROP TRIGGER refuse ON clicks; DROP FUNCTION refuse");
}
