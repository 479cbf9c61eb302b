# random - numbers that look random and are the same for the same seed, in every awk.
#
# random_begin(seed)     seed: a whole number from 0
# random()               from 0 to below 1
# random_below(n)        a whole number from 0 to n - 1
# random_pick(sums, n)   an index from 1 to n, by weights that are summed up in sums[1…n]
# Source: Park and Miller, "Random number generators: good ones are hard to find", 1988.

function random_begin(seed,    i) {
	random_state = seed % 2147483646 + 1
	for (i = 0; i < 10; i++) # small seeds begin alike
		random()
}

function random() {
	random_state = random_state * 16807 % 2147483647
	return (random_state - 1) / 2147483646
}

function random_below(n) {
	return int(random() * n)
}

function random_pick(sums, n,    wanted, low, high, middle) {
	wanted = random() * sums[n]
	low = 1
	high = n
	while (low < high) {
		middle = int((low + high) / 2)
		if (sums[middle] > wanted)
			high = middle
		else
			low = middle + 1
	}
	return low
}
