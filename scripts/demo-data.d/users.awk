# users - people of all countries in turn, as rows of /users/bulk.
# awk -v seed=N -v count=N -f random.awk -f users.awk people

/^[^#]/ {
	split($0, half, " \\| ")
	countries++
	givens[countries] = half[1]
	families[countries] = half[2]
}
END {
	random_begin(seed)
	print "username,email"
	for (i = 0; i < count; i++)
		print_person(i % countries + 1)
}

# The second of a name is called so, as providers of mail do it.
function print_person(country,    given, family, name, address) {
	given = one_of(givens[country])
	family = one_of(families[country])
	name = written(given) " " written(family)
	address = spelt(given) "." spelt(family)
	if (++known[address] > 1) {
		name = name " " known[address]
		address = address known[address]
	}
	print name "," address "@example.org"
}

function one_of(list,    words, count) {
	count = split(list, words, " ")
	return words[1 + random_below(count)]
}
function written(name) {
	sub(/=.*/, "", name)
	return name
}
function spelt(name) {
	sub(/.*=/, "", name)
	return tolower(name)
}
