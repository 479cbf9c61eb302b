# number - puts the ids of links before the lines of the plan that links.awk wrote.
# awk -f csv.awk -f number.awk part=plan PLAN part=export EXPORT; EXPORT as GET /urls/export gives it.

part == "plan" {
	plan[$1] = $0
	next
}
FNR == 1 { csv_begin() }
!csv_feed($0) { next }
!headed++ {
	for (i = 1; i <= csv_cells; i++)
		at[csv_cell[i]] = i
	next
}
csv_cell[at["short_code"]] in plan { print csv_cell[at["id"]], plan[csv_cell[at["short_code"]]] }
