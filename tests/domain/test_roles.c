#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "domain/database.h"

static const char *const forbidden[] = {
	"DELETE FROM links",
	"DELETE FROM click_counts",
	"TRUNCATE links",
	"TRUNCATE click_counts",
	"DROP TABLE links",
	"ALTER TABLE links ADD COLUMN more text",
	"CREATE TABLE mine (n bigint)",
	"CREATE TEMPORARY TABLE mine (n bigint)",
	"CREATE SCHEMA mine",
	"CREATE ROLE mine",
	"UPDATE links SET code = 'other'",
	"UPDATE links SET id = 1",
	"UPDATE links SET created_at = now()",
	"INSERT INTO links (code, target, visits) VALUES ('mine', 'https://mine.example/', 1)",
	"INSERT INTO links (code, target, version) VALUES ('mine', 'https://mine.example/', 9)",
	"INSERT INTO links (code, target, updated_at) VALUES ('mine', 'https://mine.example/', "
	"now())",
	"UPDATE click_counts SET link = 1",
	"DELETE FROM click_stats",
	"INSERT INTO click_days SELECT * FROM click_days",
	"UPDATE click_totals SET packed = 1",
	"SELECT clicks_index_partition(current_date)",
	"UPDATE events SET details = NULL",
	"TRUNCATE events",
	"DELETE FROM event_totals",
	"UPDATE event_totals SET n = 1",
	"DELETE FROM event_changes",
	"INSERT INTO event_changes (type, day, n) VALUES ('mine', current_date, 1)",
	"UPDATE users SET created_at = now()",
	"UPDATE users SET id = 1",
	"INSERT INTO clicks (time, segment, position, link, status, browser, os, bot, prefetch, "
	"visitor) VALUES (now(), 1, 1, 1, 302, 'x', 'x', false, false, 1)",
	"UPDATE api_keys SET scopes = '{keys:admin}'",
	"UPDATE api_keys SET hash = sha256('x')",
	"DELETE FROM api_keys",
	"INSERT INTO api_keys (id, name, hash, scopes) VALUES (1, 'x', sha256('x'), '{ops:read}')",
	"INSERT INTO schema_migrations (version, name, sha256) VALUES (99, 'x', 'x')",
	"SELECT setval('api_keys_id_seq', 1)",
	"SELECT pg_read_file('postgresql.conf')",
	"COPY links TO '/tmp/links'",
	"SET ROLE linkshrink_owner",
};

Test(roles, let_the_web_role_do_nothing_but_its_work)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		cr_expect(strcmp(database_refusal(WEB, forbidden[i]), "42501") == 0, "%s",
			forbidden[i]);
}

static const char *const forbidden_to_ingest[] = {
	"SELECT * FROM links",
	"SELECT * FROM api_keys",
	"SELECT * FROM users",
	"SELECT * FROM clicks",
	"DELETE FROM clicks",
	"UPDATE clicks SET link = 1",
	"DELETE FROM click_days",
	"UPDATE click_days SET n = 1",
	"UPDATE click_totals SET packed = 1",
	"TRUNCATE spool_offsets",
	"SELECT * FROM event_totals",
	"DROP TABLE clicks",
	"CREATE TABLE mine (n bigint)",
	"UPDATE database_identity SET id = gen_random_uuid()",
	"SELECT setval('event_ids', 1)",
	"SET ROLE linkshrink_owner",
	"SET ROLE linkshrink_web",
};

Test(roles, let_the_one_that_counts_clicks_see_nothing_else)
{
	for (size_t i = 0; i < sizeof(forbidden_to_ingest) / sizeof(*forbidden_to_ingest); i++)
		cr_expect(strcmp(database_refusal(INGEST, forbidden_to_ingest[i]), "42501") == 0,
			"%s", forbidden_to_ingest[i]);
}

Test(roles, are_no_superusers)
{
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'linkshrink%' "
				"AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR "
				"rolreplication OR rolbypassrls)"),
		4));
}

Test(roles, give_everyone_else_nothing)
{
	cr_assert(eq(i64,
		database_number("SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a "
				"WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 0"),
		0));
	cr_assert(eq(i64,
		database_number(
			"SELECT (has_schema_privilege('public', 'public', 'USAGE') OR "
			"has_schema_privilege('public', 'public', 'CREATE') OR "
			"has_database_privilege('public', current_database(), 'CONNECT') OR "
			"has_database_privilege('public', current_database(), 'TEMPORARY'))"
			"::integer"),
		0));
}
