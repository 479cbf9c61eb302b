-- The index of click_days with the node, for who leaves out what was imported (node 0): such clicks are no
-- rows of clicks. A file of its own: to exchange it, it waits for whoever reads the table, a backup too.
CREATE INDEX click_days_of_link ON click_days (link, day) INCLUDE (n, bots, node);
DROP INDEX click_days_by_link;
ALTER INDEX click_days_of_link RENAME TO click_days_by_link;
