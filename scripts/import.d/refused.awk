# refused - reports the rows of a piece that the API did not take.
#
# awk -f csv.awk -f report.awk -f refused.awk part=errors ERRORS part=rows PIECE.rows >REST
# ERRORS has lines "row TAB reason", row from 1 in the piece. REST is the piece without those rows.

part == "errors" {
	at = index($0, "\t")
	reason[substr($0, 1, at - 1)] = substr($0, at + 1)
	next
}
FNR == 1 { csv_begin() }
!csv_feed($0) { next }
!headed++ {
	report_head()
	print csv_record(1)
	next
}
!(++row in reason) {
	print csv_record(1)
	next
}
{ report(csv_cell[1], csv_cell[2], report_name(), report_target(), "refused", reason[row]) }
