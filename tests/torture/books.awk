# Joins what clients know and what PostgreSQL has: sums on standard output, and a line for each
# difference in the file `differences`. The variable `file` says what is read: acknowledged ("code
# target"), clicks ("code acknowledged unknown") or stored ("code target counted rows").

function differs(kind, by, text) {
	sums[kind] += by
	print kind, text >differences
}

BEGIN {
	count = split("links lost retargeted unasked acknowledged unknown counted missing surplus rows", names, " ")
}

file == "acknowledged" { target[$1] = $2; sums["links"]++ }

file == "clicks" {
	acknowledged[$1] = $2
	unknown[$1] = $3
	sums["acknowledged"] += $2
	sums["unknown"] += $3
}

file == "stored" {
	stored[$1] = 1
	sums["counted"] += $3
	if (!($1 in target))
		sums["unasked"]++
	else if (target[$1] != $2)
		differs("retargeted", 1, $1 " wanted " target[$1] " stored " $2)
	if ($3 < acknowledged[$1])
		differs("missing", acknowledged[$1] - $3, $1 " acknowledged " acknowledged[$1] " counted " $3)
	if ($3 > acknowledged[$1] + unknown[$1])
		differs("surplus", $3 - acknowledged[$1] - unknown[$1], $1 " acknowledged " \
			acknowledged[$1] + 0 " unknown " unknown[$1] + 0 " counted " $3)
	if ($3 != $4)
		differs("rows", 1, $1 " counted " $3 " rows " $4)
}

END {
	for (code in target)
		if (!(code in stored)) {
			sums["missing"] += acknowledged[code]
			differs("lost", 1, code " " target[code])
		}
	for (i = 1; i <= count; i++)
		print names[i], sums[names[i]] + 0
}
