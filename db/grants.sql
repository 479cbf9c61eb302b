-- What each role may do, table by table; nothing else. db/migrate.sh runs it after the migrations,
-- where the roles exist.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, linkshrink_web;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, linkshrink_web;

-- The programs that serve requests: of each table the columns that common/db/statements.def writes.
-- Identity columns need no grant on their sequences.
GRANT SELECT ON schema_migrations TO linkshrink_web;
GRANT SELECT ON api_keys TO linkshrink_web;
GRANT SELECT ON links TO linkshrink_web;
GRANT INSERT (code, target, title, owner, redirect_status, forward_query, valid_since, valid_until,
	max_visits) ON links TO linkshrink_web;
GRANT UPDATE (visits) ON links TO linkshrink_web;
GRANT SELECT, INSERT (link, hour, node, n, bots) ON click_counts TO linkshrink_web;
GRANT UPDATE (n, bots) ON click_counts TO linkshrink_web;
