#include <criterion/criterion.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/following.h"
#include "domain/replica_private.h"

#define SQL_COUNTS                                                                                 \
	"count(*) FILTER (WHERE state = 'active'), "                                               \
	"count(*) FILTER (WHERE state = 'disabled'), count(*) FILTER (WHERE state = 'deleted')"

/* By owner, -1 for all of them. */
#define SQL_TOTALS                                                                                 \
	"SELECT coalesce(owner, 0), " SQL_COUNTS " FROM links GROUP BY 1 UNION ALL "               \
	"SELECT -1, " SQL_COUNTS " FROM links"

static PGconn *session;
static struct replica *replica;

static void make(void)
{
	following_begin();
	session = database_session(OWNER);
	database_do(OWNER, "INSERT INTO users (id, username, email) "
			   "SELECT i, 'totals' || i, i || '@totals.example' "
			   "FROM generate_series(1001, 1009) AS i ON CONFLICT DO NOTHING");
	replica = replica_new(directory);
	cr_assert(replica != NULL);
}

static void clean(void)
{
	replica_free(replica);
	PQfinish(session);
	following_end();
}

TestSuite(follow_totals, .init = make, .fini = clean);

static int64_t number(const PGresult *rows, int row, int column)
{
	return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

/* Whether the replica tells the same as PostgreSQL, of each owner. */
static bool agree(void)
{
	bool good = true;
	PGresult *rows = PQexec(session, SQL_TOTALS);
	cr_assert(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQerrorMessage(session));
	for (int row = 0; row < PQntuples(rows) && good; row++) {
		struct replica_total total;
		good = replica_total(replica, number(rows, row, 0), &total) &&
		       total.active == number(rows, row, 1) &&
		       total.disabled == number(rows, row, 2) &&
		       total.deleted == number(rows, row, 3);
	}
	PQclear(rows);
	return good;
}

/* Of nine owners, or of none, in all states. */
static void create_of_all(const char *prefix, int count)
{
	char sql[512];
	snprintf(sql, sizeof(sql),
		"INSERT INTO links (code, target, owner, state) "
		"SELECT '%s' || i, 'https://example.com/' || i, 1000 + nullif(i %% 10, 0), "
		"(ARRAY['active', 'disabled', 'deleted'])[1 + i / 10 %% 3] "
		"FROM generate_series(1, %d) AS i",
		prefix, count);
	database_in(session, sql);
}

Test(follow_totals, are_those_of_postgresql)
{
	struct replica_total total;
	create_of_all("first-", 2 * FOLLOW_CHUNK);
	TURN_UNTIL(is_following());
	cr_assert(agree());
	create_of_all("second-", 3456);
	TURN_UNTIL(has("second-1") && has("second-3456"));
	TURN_UNTIL(agree());
	database_in(session,
		"UPDATE links SET state = 'deleted', version = version + 1, "
		"updated_at = clock_timestamp() WHERE owner IN (1002, 1005) AND state = 'active'");
	TURN_UNTIL(agree());
	database_in(session,
		"UPDATE links SET owner = nullif(owner - 1, 1000), version = version + 1, "
		"updated_at = clock_timestamp() WHERE owner < 1004");
	TURN_UNTIL(agree());
	cr_assert(replica_total(replica, 1003, &total));
	cr_expect(total.active + total.disabled + total.deleted == 0, "all of 1003 went to 1002");
	cr_assert(metric(METRIC_replica_builds) == 1);
}

Test(follow_totals, follow_what_a_comparison_puts_right)
{
	create_of_all("old-", LINKS);
	TURN_UNTIL(is_following());
	database_in(
		session, "UPDATE links SET state = 'disabled', owner = 1007 WHERE owner = 1004");
	cr_assert_not(agree());
	follow_start_comparison(follow);
	TURN_UNTIL(!follow->comparison.running);
	cr_assert(agree());
	TURN_UNTIL(!follow->counting);
	cr_assert(agree());
}

Test(follow_totals, go_on_after_a_restart)
{
	create_of_all("warm-", LINKS);
	TURN_UNTIL(is_following());
	follow_free(follow);
	follow = follow_new(directory, REPLICA_BYTES, 1);
	create_of_all("while-away-", LINKS);
	TURN_UNTIL(has("while-away-300"));
	TURN_UNTIL(agree());
	cr_assert(metric(METRIC_replica_builds) == 1);
}

/* As a program leaves it that knows nothing of totals. */
static void pass_totals_over(void)
{
	char name[] = "total";
	MDB_val key = { sizeof(name) - 1, name };
	struct replica_writer *writer = follow->writer;
	cr_assert(replica_writer_begin(writer) == REPLICA_OK);
	cr_assert(mdb_del(writer->txn, writer->env->meta, &key, NULL) == 0);
	cr_assert(replica_writer_commit(writer) == REPLICA_OK);
}

Test(follow_totals, are_counted_in_a_file_that_has_none)
{
	struct replica_total total;
	create_of_all("older-", LINKS);
	TURN_UNTIL(is_following());
	pass_totals_over();
	cr_assert_not(replica_total(replica, -1, &total));
	uint64_t generation = replica_writer_generation(follow->writer);
	TURN_UNTIL(agree());
	cr_assert(replica_writer_generation(follow->writer) == generation, "it was not damaged");
	cr_assert(metric(METRIC_replica_builds) == 1);
}
