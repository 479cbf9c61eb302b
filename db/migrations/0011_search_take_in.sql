-- search_tidy() again, which versions before call, and says how many pages of lists were taken in.
CREATE FUNCTION search_take_in() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
	SELECT gin_clean_pending_list('links_by_text') + gin_clean_pending_list('users_by_text')
$$;
