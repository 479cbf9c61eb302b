-- What links and clicks take of the disk, by table; partitions count with their parent. Of a database
-- that was filled and analysed (tests/bench/lists.sql does both), as its owner:
--
--   tests/domain/with-cluster.sh sh -c 'for file in lists sizes; do
--     psql -X -v links=1000000 -v clicks=5000000 -v days=90 -f tests/bench/$file.sql "$LINKSHRINK_TEST_OWNER_URL"; done'
\set ON_ERROR_STOP on
\pset footer off
SELECT regexp_replace(relname, '_(\d{8}|other)$', '') AS "table",
	round(sum(greatest(reltuples, 0))) AS rows,
	sum(pg_total_relation_size(oid)) AS bytes,
	sum(pg_indexes_size(oid)) AS "of these indexes",
	round(sum(pg_total_relation_size(oid)) / nullif(sum(greatest(reltuples, 0))::numeric, 0)) AS "bytes a row"
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
GROUP BY 1 HAVING sum(pg_total_relation_size(oid)) > 1048576 ORDER BY 3 DESC;
SELECT pg_size_pretty(pg_database_size(current_database())) AS "in all";
