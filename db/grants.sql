-- What each role may do, table by table; nothing else. db/migrate.sh runs it after the migrations,
-- where the roles exist.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;

-- The programs that serve requests, and replicate: of each table the columns that
-- common/db/statements.def writes. Identity columns need no grant on their sequences.
GRANT SELECT ON schema_migrations, database_identity TO linkshrink_web;
GRANT SELECT ON api_keys TO linkshrink_web;
GRANT SELECT ON links TO linkshrink_web;
GRANT INSERT (code, target, title, owner, redirect_status, forward_query, valid_since, valid_until,
	max_visits) ON links TO linkshrink_web;
GRANT UPDATE (visits) ON links TO linkshrink_web;
GRANT SELECT ON clicks, click_counts, click_stats TO linkshrink_web;

-- ingest: the clicks and what is counted of them. It never sees a link.
GRANT SELECT ON schema_migrations TO linkshrink_ingest;
GRANT USAGE ON SEQUENCE event_ids TO linkshrink_ingest;
GRANT INSERT ON clicks TO linkshrink_ingest;
GRANT SELECT, INSERT ON click_visitors TO linkshrink_ingest;
GRANT SELECT, INSERT, UPDATE ON click_counts TO linkshrink_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON click_stats, spool_offsets, spool_runs TO linkshrink_ingest;
GRANT EXECUTE ON FUNCTION clicks_make_partitions, clicks_drop_partitions TO linkshrink_ingest;
