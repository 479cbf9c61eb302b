-- The events of before, while others write: one statement sees each event either with its change or
-- without both.
WITH gone AS (DELETE FROM event_changes)
INSERT INTO event_totals (type, day, n)
	SELECT type, (time AT TIME ZONE 'UTC')::date, count(*) FROM events GROUP BY 1, 2;
