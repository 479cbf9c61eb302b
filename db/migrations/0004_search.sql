-- A search looks among the newest links first: the index of texts knows which 65,536 ids a link is
-- among, so that what is looked for is found there without fetching all links that have it.
CREATE EXTENSION btree_gin SCHEMA extensions;
DROP INDEX links_by_text;
CREATE INDEX links_by_text ON links USING gin
	(((code COLLATE "default") || ' ' || coalesce(title, '') || ' ' || (target COLLATE "default")) extensions.gin_trgm_ops,
	 (id >> 16) extensions.int8_ops)
	WITH (gin_pending_list_limit = 16384);
ALTER INDEX users_by_text SET (gin_pending_list_limit = 16384);

-- What is new waits in a list beside each of these indexes, which every search reads as well. Whoever
-- makes the list too long has to take it in at once, all of it, so this is done before, by `replicate`.
CREATE FUNCTION search_tidy() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT gin_clean_pending_list('links_by_text'), gin_clean_pending_list('users_by_text')
$$;
