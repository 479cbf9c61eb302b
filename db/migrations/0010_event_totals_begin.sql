-- The events of before. One statement sees each event either with its change or without both; who writes
-- events waits for the triggers of the file before, not for this.
WITH gone AS (DELETE FROM event_changes)
INSERT INTO event_totals (type, day, n)
	SELECT type, (time AT TIME ZONE 'UTC')::date, count(*) FROM events GROUP BY 1, 2;
