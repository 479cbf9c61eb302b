-- What each role may do, table by table; nothing else. db/migrate.sh runs it after the migrations,
-- where the roles exist.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest;

-- The programs that serve requests, and replicate: of each table the columns that
-- common/db/statements.def writes. Identity columns need no grant on their sequences.
GRANT SELECT ON schema_migrations, database_identity TO linkshrink_web;
GRANT SELECT, INSERT (name, hash, scopes, owner, expires_at), UPDATE (revoked_at)
	ON api_keys TO linkshrink_web;
GRANT SELECT, INSERT (id, username, email, created_at), UPDATE (username, email), DELETE
	ON users TO linkshrink_web;
GRANT SELECT, INSERT (id, code, target, title, owner, state, redirect_status, forward_query,
	valid_since, valid_until, max_visits, tags, created_at) ON links TO linkshrink_web;
GRANT UPDATE (target, title, owner, state, redirect_status, forward_query, valid_since, valid_until,
	max_visits, tags, updated_at, version, visits) ON links TO linkshrink_web;
GRANT SELECT, INSERT, UPDATE (owner), DELETE ON events TO linkshrink_web;
GRANT SELECT ON event_totals, event_changes TO linkshrink_web;
GRANT SELECT ON clicks, click_counts, click_stats, click_days, click_totals, click_hours, click_values
	TO linkshrink_web;
-- Clicks of before, that an import brings: they are counted, but no rows of clicks.
GRANT INSERT, UPDATE (n, bots) ON click_counts TO linkshrink_web;
GRANT INSERT (hour, node, counted), UPDATE (counted) ON click_totals TO linkshrink_web;
GRANT INSERT, UPDATE (n) ON click_stats TO linkshrink_web;
GRANT SELECT, INSERT ON click_visitors TO linkshrink_web;
-- An import that keeps its ids moves the next one behind them.
GRANT USAGE, SELECT, UPDATE ON SEQUENCE event_ids, links_id_seq, users_id_seq TO linkshrink_web;

-- ingest: the clicks and what is counted of them. It never sees a link.
GRANT SELECT ON schema_migrations TO linkshrink_ingest;
GRANT USAGE ON SEQUENCE event_ids TO linkshrink_ingest;
GRANT INSERT ON clicks TO linkshrink_ingest;
GRANT SELECT, INSERT ON click_visitors TO linkshrink_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON click_counts, click_stats, spool_offsets, spool_runs
	TO linkshrink_ingest;
GRANT INSERT ON click_days TO linkshrink_ingest;
GRANT SELECT, INSERT (hour, node, counted), UPDATE (counted) ON click_totals TO linkshrink_ingest;
GRANT EXECUTE ON FUNCTION search_tidy, search_take_in, events_sum_up TO linkshrink_web;
GRANT EXECUTE ON FUNCTION clicks_make_partitions, clicks_drop_partitions, clicks_index_partition
	TO linkshrink_ingest;
