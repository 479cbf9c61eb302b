#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/text.h"
#include "domain/database.h"

static const struct {
	const char *name, *sql;
} statements[] = {
#define STATEMENT(id, sql) { #id, sql },
#include "db/statements.def"
};

/* What belongs to a session or copies; EXPLAIN can't look at it. */
static bool is_plain(const char *sql)
{
	static const char *const words[] = { "BEGIN", "COMMIT", "ROLLBACK", "LISTEN", "COPY" };
	bool plain = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		plain |= text_starts_with(sql, words[i]);
	return plain;
}

static bool runs(PGconn *session, const char *sql)
{
	PGresult *answer = PQexec(session, sql);
	bool good = PQresultStatus(answer) == PGRES_TUPLES_OK;

	PQclear(answer);
	return good;
}

/* EXPLAIN EXECUTE checks privileges as well, and changes nothing. */
static bool can_run(PGconn *session, const char *name, const char *statement)
{
	char memory[512];
	struct text sql = text_fixed(memory, sizeof(memory));
	PGresult *answer = PQprepare(session, name, statement, 0, NULL);

	PQclear(answer);
	answer = PQdescribePrepared(session, name);
	text_addf(&sql, "EXPLAIN EXECUTE %s", name);
	for (int i = 0; i < PQnparams(answer); i++)
		text_add(&sql, i ? ", NULL" : "(NULL");
	text_add(&sql, PQnparams(answer) ? ")" : "");
	PQclear(answer);
	return runs(session, memory);
}

Test(statements, can_all_be_run_by_the_role_that_needs_them)
{
	PGconn *web = database_session(WEB), *ingest = database_session(INGEST);

	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		cr_expect(is_plain(statements[i].sql) ||
				  can_run(web, statements[i].name, statements[i].sql) ||
				  can_run(ingest, statements[i].name, statements[i].sql),
			"%s: %s%s", statements[i].name, PQerrorMessage(web),
			PQerrorMessage(ingest));
	PQfinish(ingest);
	PQfinish(web);
}

static void find_some(struct db *db)
{
	static const char *const codes = "{a-1,b-2,c-3}";
	struct db_rows *rows;

	for (int i = 0; i < 10; i++) {
		cr_assert(db_query(db, STATEMENT_follow_codes, &codes, 1, &rows) == DB_NOT_FOUND);
		db_rows_free(rows);
	}
}

/* The plan is made while there is little, and used when there is much. */
Test(statements, never_read_the_whole_of_a_table_that_grew)
{
	struct db *db = database_open();

	database_do(OWNER, "TRUNCATE links; INSERT INTO links (code, target) "
			   "VALUES ('grown', 'https://example.com/')");
	database_do(OWNER, "ANALYZE links");
	find_some(db);
	database_do(OWNER, "INSERT INTO links (code, target) SELECT 'grown-' || n, "
			   "'https://example.com/' FROM generate_series(1, 20000) n");
	database_do(ADMIN, "SELECT pg_stat_reset()");
	find_some(db);
	db_free(db);
	/* A session tells what it read when it ends: also of before, when there was one link. */
	database_wait_until("SELECT (count(*) = 0)::integer FROM pg_stat_activity "
			    "WHERE application_name = 'linkshrink-redirect'");
	int64_t seen = database_number(
		"SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'links'");
	cr_assert(seen < 20000, "%lld tuples were read one after the other", (long long)seen);
	database_do(OWNER, "TRUNCATE links");
}
