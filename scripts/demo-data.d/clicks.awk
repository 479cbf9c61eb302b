# clicks - a month of clicks on these links, as rows of map.awk's kind for /events/bulk.
#
# awk -v seed=N -v count=N -v now=SECONDS -f random.awk -f ../import.d/csv.awk -f ../import.d/time.awk
#     -f clicks.awk part=visitors VISITORS part=links LINKS
# LINKS has lines "id code born active most rank", as links.awk makes them, with the id in front.
# By rank: few links are popular, most are not. By hour: nights and weekends are quiet, in the middle
# of Europe. The second of all links was in a newsletter nine days ago: an eighth of all clicks.

part == "visitors" && /^[0-9]/ {
	take_visitor($1, $2)
	next
}
part == "links" && $4 {
	links++
	id[links] = $1
	born[links] = $3
	most[links] = $5
	link_sums[links] = link_sums[links - 1] + 1 / $6 ^ 1.05
	if ($6 == 2)
		campaign = links
}
END {
	print "row,line,url_id,event_type,timestamp,details"
	if (!links)
		exit
	random_begin(seed)
	hour = 3600
	hours = 30 * 24
	for (i = 1; i <= hours; i++)
		hour_sums[i] = hour_sums[i - 1] + busy(now - (hours - i + 1) * hour)
	for (i = 1; i <= count; i++)
		if (campaign && random() < 0.125)
			print_click(campaign, campaign_time(), "https://mail.google.com/", phone[1 + random_below(phones)])
		else
			click_somewhere()
}

function take_visitor(weight, what,    text) {
	text = $0
	sub(/^[0-9]+ [a-z]+ /, "", text)
	if (what == "from") {
		page[++pages] = text == "-" ? "" : text
		page_sums[pages] = page_sums[pages - 1] + weight
		return
	}
	agent[++agents] = text
	agent_sums[agents] = agent_sums[agents - 1] + weight
	if (what == "phone")
		phone[++phones] = text
}

# How much happens in the hour that begins then.
function busy(time,    weekday, quiet) {
	time += hour # in the middle of Europe
	weekday = (int(time / 86400) + 4) % 7 # 0 is Sunday
	quiet = weekday == 0 ? 0.6 : weekday == 6 ? 0.55 : weekday == 5 ? 0.9 : 1
	split("2 1 1 1 1 2 4 8 12 15 16 15 13 14 15 15 14 12 11 11 12 11 8 5", by_hour, " ")
	return quiet * by_hour[int(time % 86400 / hour) + 1]
}

# What has all the clicks that it may have leaves them to the next one.
function click_somewhere(    link, tries) {
	link = random_pick(link_sums, links)
	while (most[link] && given[link] >= most[link])
		if (++tries < links)
			link = link % links + 1
		else
			return
	given[link]++
	print_click(link, time_of(link), page[random_pick(page_sums, pages)], agent[random_pick(agent_sums, agents)])
}

# Nobody clicked before there was a link.
function time_of(link,    time, tries) {
	do
		time = int(now - hours * hour + (random_pick(hour_sums, hours) - 1 + random()) * hour)
	while (time < born[link] && ++tries < 20)
	return time < born[link] ? int(born[link] + random() * (now - born[link])) : time
}

# Most open a letter in the first hours.
function campaign_time(    begin, time) {
	begin = now - 9 * 86400
	if (begin < born[campaign])
		begin = born[campaign]
	time = int(begin - 7 * hour * log(1 - random()))
	return time < now ? time : now - 1
}

# Addresses are of the ranges for documentation: nobody's.
function visitor_address(    draw) {
	draw = random_below(4)
	if (draw == 3)
		return "2001:db8:" random_below(10) ":" random_below(100) "::" 1 + random_below(200)
	return (draw == 0 ? "192.0.2." : draw == 1 ? "198.51.100." : "203.0.113.") 1 + random_below(254)
}

function print_click(link, time, from, browser,    details) {
	details = "{\"referrer\":" (from == "" ? "null" : "\"" from "\"") ",\"user_agent\":\"" browser \
		"\",\"ip_address\":\"" visitor_address() "\"}"
	print ++rows "," rows "," id[link] ",redirect," time_text(time) "," csv_quote(details)
}
