# Prints the verdict of a game day, a statement a line; ends with 0 if all are ok, 1 if not, 2 if
# there is nothing to judge. Wants text, journal, figures and verdict.

END {
	if (!sound()) exit 2
	if (!is_gameday()) {
		print "judge: of an incident nothing was expected, so nothing is judged" | "cat 1>&2"
		exit 2
	}
	figures()
	met = judge()
	for (i = 1; i <= verdicts; i++) print (verdict_ok[i] ? "ok - " : "not ok - ") plain(verdict_says[i], 400)
	for (i = 1; i <= gaps; i++) print "# not assessed: " gap[i]
	exit !met
}
