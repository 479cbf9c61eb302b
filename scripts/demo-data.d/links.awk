# links - links of these people to public pages, as rows of map.awk's kind for /urls/bulk.
#
# awk -v seed=N -v luck=N -v count=N -v now=SECONDS -v taken="CODE CODE" -v plan=FILE
#     -f random.awk -f ../import.d/csv.awk -f ../import.d/time.awk -f links.awk part=owners OWNERS part=pages PAGES
# OWNERS: ids of users, one a line, who has more links first. luck makes the codes, which differ each
# time; taken are codes that would suit but are there already. PLAN gets "code born active most rank"
# for each link: when it was made, whether it leads anywhere, how many clicks it may have at most (0:
# any number), and its place by popularity.

part == "owners" {
	owner[++owners] = $1
	next
}
/^\[/ {
	kinds++
	kind[kinds] = substr($2, 1, length($2) - 1)
	kind_sums[kinds] = kind_sums[kinds - 1] + substr($1, 2)
	next
}
/^https/ {
	page = ++pages[kinds]
	url[kinds, page] = $1
	name[kinds, page] = $2
	$1 = $2 = ""
	title[kinds, page] = substr($0, 3)
}
END {
	prepare()
	print "row,line,user_id,short_code,original_url,title,is_active,redirect_status,forward_query," \
		"valid_since,valid_until,max_visits,tags,created_at"
	for (i = 1; i <= count; i++)
		make(i)
}

function prepare(    i, list, n) {
	day = 86400
	random_begin(luck)
	for (i = 1; i <= count; i++)
		code[i] = random_code()
	n = split(taken, list, " ")
	for (i = 1; i <= n; i++)
		used[list[i]] = 1
	random_begin(seed)
	for (i = 1; i <= owners; i++)
		owner_sums[i] = owner_sums[i - 1] + 1 / i ^ 0.7
	shuffle()
	channels = split("newsletter social talk poster mailing wiki chat", channel, " ")
}

# Places by popularity, in no order.
function shuffle(    i, other, kept) {
	for (i = 1; i <= count; i++)
		rank[i] = i
	for (i = count; i > 1; i--) {
		other = 1 + random_below(i)
		kept = rank[i]
		rank[i] = rank[other]
		rank[other] = kept
	}
}

# Seven letters that nobody takes for each other, as the service itself makes them.
function random_code(    code, i) {
	for (i = 0; i < 7; i++)
		code = code substr("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 1 + random_below(57), 1)
	return code
}

function make(i,    draw, born, active, most, whose) {
	draw = random_below(100)
	born = int(now - 75 * day + (i - random()) * 74 * day / count)
	whose = random() < 0.88 && owners ? owner[random_pick(owner_sums, owners)] : ""
	active = draw >= 4 || rank[i] <= 10
	most = draw >= 20 && draw < 23 ? 500 * (draw - 18) : 0
	choose_page(i)
	print i "," i "," whose "," code[i] "," csv_quote(address) "," csv_quote(heading) "," \
		(active ? "true" : "false") "," (draw % 20 == 7 ? 301 : 302) "," \
		(draw % 25 == 11 ? "true" : "false") "," window(draw, born) "," \
		(most ? most : "") "," csv_quote(tags) "," time_text(born)
	print code[i], born, active, most, rank[i] >plan
}

# Pages that have names are for popular links, at first. A page that is shared again is shared on another way.
function choose_page(i,    which, page, way, tries, popular, with_name) {
	popular = rank[i] <= 3 + count / 25
	do {
		which = random_pick(kind_sums, kinds)
		page = 1 + random_below(pages[which])
	} while (popular != named(which, page) && ++tries < 50)
	with_name = popular && named(which, page)
	way = channel[1 + random_below(channels)]
	address = url[which, page]
	heading = title[which, page]
	tags = "demo," kind[which]
	if (shared[which, page]++) {
		address = address "?utm_source=" way "&utm_campaign=" kind[which] "-" shared[which, page]
		heading = heading " (" way ")"
		tags = tags "," way
	}
	if (with_name)
		code[i] = name[which, page] (name[which, page] in used ? "-" substr(code[i], 1, 3) : "")
}

function named(which, page) {
	return name[which, page] != "-" && !shared[which, page]
}

# Some links lead somewhere only for a while.
function window(draw, born) {
	if (draw == 35)
		return time_text(born) ","
	if (draw >= 30 && draw < 35)
		return time_text(born) "," time_text(now + (draw - 27) * 5 * day)
	return ","
}
