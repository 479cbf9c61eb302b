-- Once a second each node asks for the keys that open its operations pages; there are few of them
-- among all keys.
CREATE INDEX api_keys_of_operations ON api_keys (id)
	WHERE 'ops:read' = ANY (scopes) AND revoked_at IS NULL;
