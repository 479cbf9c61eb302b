#!/bin/bash
# Who is told of what, and what Discord is told: the configuration as Alertmanager reads it, the
# route of every alert that there is, and messages as its own template engine writes them.
set -eu
export LC_ALL=C.UTF-8 # ${#text} is characters

usage() {
	cat <<'USAGE'
usage: tests/lint/test_alertmanager.sh [--update]
  --update    write what the template makes of alertmanager/tests/*.json into the .golden files
              there, to be read before it is committed
USAGE
}

update=no
case ${1:-} in
--help | -h) usage; exit 0 ;;
--update) update=yes ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

work=$(mktemp -d)
alertmanager=''
clean() {
	[ -z "$alertmanager" ] || { kill "$alertmanager"; wait "$alertmanager" || true; } 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 143' TERM
# ---- The configuration, and the routes of all alerts

sed -e "s|TEMPLATES|$PWD/alertmanager/templates|" -e "s|DISCORD_URL|http://127.0.0.1:9/discord|" \
	-e "s|DEADMAN_URL|http://127.0.0.1:9/heartbeat|" alertmanager/alertmanager.yml >"$work/alertmanager.yml"
check 'amtool accepts the configuration' amtool check-config "$work/alertmanager.yml"

goes_to() { # receiver label=value…
	local receiver=$1
	shift
	same "$(amtool config routes test --config.file="$work/alertmanager.yml" "$@")" "$receiver"
}

# name severity of each alert in the rules; a severity that comes of the series is "critical" here.
alerts() {
	local file
	for file in prometheus/rules/*.yml; do
		[ ! -f "$file" ] || awk '
			function done() { if (name != "") print name, severity == "" ? "critical" : severity; name = severity = "" }
			/^ *- *(alert|record):/ { done() }
			/^ *- *alert:/ { name = $NF }
			/severity:/ { severity = $0; sub(/.*severity: */, "", severity); sub(/[^a-z].*/, "", severity) }
			END { done() }' "$file"
	done | sort -u
}

receiver_of() { # name severity
	case $1/$2 in
	Watchdog/*) echo deadman ;;
	*/critical) echo pages ;;
	*/warning) echo tickets ;;
	*/none) echo nobody ;;
	*) echo "no receiver for severity $2" ;;
	esac
}

all_routed() {
	local name severity status=0
	while read -r name severity; do
		goes_to "$(receiver_of "$name" "$severity")" "alertname=$name" "severity=$severity" instance=local ||
			{ echo "$name ($severity)"; status=1; }
	done <"$work/alerts"
	return "$status"
}

alerts >"$work/alerts"
check "each of $(wc -l <"$work/alerts") alerts goes to whom its severity says" all_routed
check 'who is woken hears of pages only' goes_to pages alertname=RedirectsDown severity=critical
check 'a severity that nobody thought of is a ticket' goes_to tickets alertname=New severity=odd
check 'and so is none at all' goes_to tickets alertname=New

# ---- Inhibition: a page is left out only for a page, and whatever is named exists

inhibitions() { # "source line<TAB>target line" of each rule
	awk '/source_matchers:/ { source = $0 } /target_matchers:/ { print source "\t" $0 }' alertmanager/alertmanager.yml
}
ticket_over_page() { inhibitions | awk -F '\t' '$2 ~ /critical/ && $1 !~ /severity = critical/'; }
without_severity() { inhibitions | awk -F '\t' '$1 !~ /severity/ || $2 !~ /severity/'; }
check 'no ticket keeps a page back' same "$(ticket_over_page)" ''
check 'both sides of an inhibition say how severe they are' same "$(without_severity)" ''

unknown_names() {
	sed -n "s/.*'alertname =~* \"*\([^\"']*\)\"*'.*/\1/p" alertmanager/alertmanager.yml | tr '|' '\n' | sort -u |
		while read -r pattern; do
			cut -d ' ' -f 1 "$work/alerts" | grep -qxE "$pattern" || echo "$pattern"
		done
}
[ ! -s "$work/alerts" ] ||
	check 'the alerts that the configuration names exist' same "$(unknown_names)" ''

# ---- What Alertmanager itself makes of them, in a second

ports=${TEST_PORTS:-20000 12000} # first and count, as in tests/web/lib.sh
free_port() {
	local port
	while port=$((${ports% *} + RANDOM % ${ports#* })) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
	echo "$port"
}
tool() { amtool --alertmanager.url="http://127.0.0.1:$port" "$@"; }
answers() { tool alert query >/dev/null 2>&1; }
wait_until() { # seconds command…
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}
start_alertmanager() {
	port=$(free_port)
	prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/data" \
		--web.listen-address="127.0.0.1:$port" --cluster.listen-address= >"$work/alertmanager.log" 2>&1 &
	alertmanager=$!
	wait_until 20 answers || { cat "$work/alertmanager.log"; exit 1; }
}
fires() { tool alert add "$@" >/dev/null; } # label=value…
kept_back() { [ "$(tool alert query -i -o json "alertname=$1" | grep -o '"state":"[a-z]*"')" = '"state":"suppressed"' ]; }
goes_out() { [ "$(tool alert query -o json "alertname=$1" | grep -o '"state":"[a-z]*"')" = '"state":"active"' ]; }

start_alertmanager
fires alertname=DatabaseDiskFull severity=warning
fires alertname=HighErrorRate severity=warning
check 'a disk that is full keeps back what follows' wait_until 5 kept_back HighErrorRate
fires alertname=RedirectsDown severity=critical instance=local
fires alertname=ErrorBudgetFlash severity=critical slo=redirect-availability
fires alertname=ErrorBudgetBurnFast severity=critical slo=shorten-availability
fires alertname=DatabaseDown severity=warning
fires alertname=ReplicaStale severity=warning
fires alertname=ReplicaRefusesShrink severity=critical
fires alertname=Watchdog severity=none
check 'an outage keeps back what says the same of it' wait_until 5 kept_back ErrorBudgetFlash
check 'but no other objective' wait_until 5 goes_out ErrorBudgetBurnFast
check 'a database that is down keeps back what follows' wait_until 5 kept_back ReplicaStale
check 'and not the full disk that it may have died of' wait_until 5 goes_out DatabaseDiskFull
check 'but no page' wait_until 5 goes_out ReplicaRefusesShrink
check 'while messages arrive, the dead man hears of it' wait_until 5 goes_out Watchdog
fires alertname=AlertDeliveryFailing severity=critical integration=discord
check 'when they do not, he hears nothing more' wait_until 5 kept_back Watchdog

# ---- The message

render() { # data part
	amtool template render --template.glob='alertmanager/templates/*.tmpl' \
		--template.data="$1" --template.text="{{ template \"discord.$2\" . }}"
}

# Discord says "characters"; counted as UTF-16 would be, emoji are two. None of both may be too many.
units() { printf %s "$1" | iconv -t UTF-16LE | wc -c | awk '{ print $1 / 2 }'; }

broken_links() { # what is left of "](" and "<t:" when whole ones are taken away
	sed -E 's/\[[A-Z][a-z]+\]\(https?:\/\/[^] ()]+\)//g; s/<t:[0-9]+:[TR]>//g' <<<"$1" | grep -E '\]\(|<t:|https?://[^ ]*…' || true
}

is_sound() { # data
	local title message
	title=$(render "$1" title)
	message=$(render "$1" message)
	if [ -z "$title" ] || [ -z "$message" ]; then echo 'empty' && return 1; fi
	[ "$(units "$title")" -le 256 ] || { echo "a title of $(units "$title")"; return 1; }
	[ "$(units "$message")" -le 4096 ] || { echo "a text of $(units "$message")"; return 1; }
	[ -z "$(broken_links "$message")" ] || { echo "broken: $(broken_links "$message")"; return 1; }
	! grep -E '@(everyone|here)|<@|<#|<:|</|```|\*\*\*|\|\||~~' <<<"$title$message" || return 1
}

golden() { # name data
	{ render "$2" title; echo; render "$2" message; echo; } >"$work/$1.got"
	[ "$update" = no ] || cp "$work/$1.got" "alertmanager/tests/$1.golden"
	diff "alertmanager/tests/$1.golden" "$work/$1.got"
}

repeated() { printf "%$2s" '' | sed "s/ /$1/g"; } # text count

of_page() { # sed expression: the data of a page, altered
	sed -E "$1" alertmanager/tests/page.json
}

many() { # thirty of one alert at once
	local head alert number
	head=$(head -n 1 alertmanager/tests/page.json)
	alert=$(sed -n '2s/]}$//p' alertmanager/tests/page.json)
	printf '%s\n' "${head/pages/tickets}"
	for number in $(seq 30); do
		[ "$number" -eq 1 ] || echo ,
		printf '%s\n' "${alert/\"probe\":\"redirect\"/\"program\":\"number$number\"}"
	done
	echo ']}'
}

# 10,000 characters in each text; umlauts and emoji where the cut is.
filled() { # text: into all annotations but the links
	of_page "s/\"(summary|impact|first_action|description)\":\"[^\"]*\"/\"\1\":\"$1\"/g"
}

cp alertmanager/tests/{page,over,hostile}.json "$work/"
many >"$work/many.json"
filled "$(repeated 'a long text ' 834)" >"$work/long.json"
filled "$(repeated 'ä' 199)🔥ö$(repeated 'ü' 48)👩‍🚒ß$(repeated '😀' 9750)" >"$work/letters.json"
sed -E 's/"status":"firing"/"status":"resolved"/g; s/0001-01-01T00:00:00Z/2026-11-24T03:05:35.9Z/' \
	"$work/page.json" >"$work/resolved.json"
for case in page resolved over many long letters hostile; do
	check "golden: $case" golden "$case" "$work/$case.json"
	check "sound: $case" is_sound "$work/$case.json"
done

# The most that each cleaning and each limit lets through, all at once.
worst() { # text
	filled "$(repeated "$1" 5000)" | sed -E "s/\"instance\":\"local\"/\"instance\":\"$(repeated "$1" 500)\"/g
		s/\"probe\":/\"slo\":\"$(repeated "$1" 300)\",\"probe\":/g
		s|(runbook_url\":\"http://)|\1$(repeated r 200)|; s|(dashboard_url\":\"http://)|\1$(repeated d 190)|
		s|(g0.expr=)|\1$(repeated q 230)|"
}
for text in '@' '<@' '*' '`' '`**`' "\\\\\\\\" '|' '😀' 'a_'; do
	worst "$text" >"$work/worst.json"
	check "sound: nothing but $text" is_sound "$work/worst.json"
done

[ "$update" = no ] || git status --short alertmanager/tests
finish
