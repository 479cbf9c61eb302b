# Compares two pages of metrics, the older first: prints each counter that is less than it was, but
# not if the segment is another one, where they began at 0. Nor those of lighttpd, which begin at 0
# with each start of it.

function series(line) { return substr(line, 1, length(line) - length($NF) - 1) }
function is_counter(name) {
	return name !~ /^http_requests_total/ && name ~ /^[a-z_]+_(total|count|bucket)([{].*)?$/
}

/^#/ { next }
$1 == "linkshrink_segment_created_timestamp_seconds" {
	if (NR == FNR)
		created = $2
	else if ($2 != created)
		another = 1
}
NR == FNR { before[series($0)] = $NF; next }
series($0) in before && is_counter(series($0)) && $NF + 0 < before[series($0)] + 0 {
	fallen[++n] = series($0) " from " before[series($0)] " to " $NF
}

END {
	for (i = 1; i <= n && !another; i++)
		print now, fallen[i]
}
