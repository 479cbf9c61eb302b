# first - of what map.awk wrote the first line and the first rows, as they would be sent; -v most=N.
BEGIN { csv_begin() }
csv_feed($0) {
	print "  " csv_record(3)
	if (++records > most)
		exit
}
