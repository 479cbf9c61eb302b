#!/bin/bash
# Each query of each dashboard, asked of a live Prometheus that watches a stack under load: none may
# fail, and none may come back empty but those of which it is said here why. And what a Grafana gets
# of the stack: one that only shows a page stands in for it.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

export LINKSHRINK_MONITORING=yes
load=$LINKSHRINK_TESTS/web/load
loads=()

# What may have no figures although all is well: dashboard, panel.
may_be_empty() {
	case $1/$2 in
	linkshrink-overview/'Firing alerts') ;;      # nothing fires
	linkshrink-database/'Last comparison') ;;    # the first one comes an hour after the copy was built
	*) return 1 ;;
	esac
}

# ---- Queries as the browser would send them at the first visit.

# Standard input: lines of tests/web/dashboard. Gives "uid panel title instant|range query", with the
# values of the variables and, for the last minutes at a step of 5 s, of Grafana's own.
queries() {
	awk -F '\t' -v OFS='\t' '
	function filled(uid, text,    i, name) {
		gsub(/\$__rate_interval/, "20s", text)
		gsub(/\$__range/, "5m", text)
		for (i = split(names[uid], name, " "); i > 0; i--) gsub("[$]" name[i], value[uid, name[i]], text)
		return text
	}
	$1 == "variable" && $4 == "query" {
		names[$2] = names[$2] " " $3
		value[$2, $3] = $5
		print $2, 0, "variable " $3, "variable", $6
	}
	$1 == "annotation" && $5 != "" { print $2, 0, "annotation " $3, "annotation", filled($2, $5) }
	$1 == "panel" { title[$2, $3] = $11 }
	$1 == "query" { print $2, $3, title[$2, $3], $5, filled($2, $6) }'
}

prometheus() { # path curl-options…
	local path=$1
	shift
	curl -s --max-time 10 "http://127.0.0.1:$LINKSHRINK_MONITORING_PORT/prometheus/api/v1/$path" "$@"
}

ask() { # kind query: the answer
	local now=${EPOCHSECONDS} inside label
	case $1 in
	instant) prometheus query --get --data-urlencode "query=$2" ;;
	range | annotation) prometheus query_range --get --data-urlencode "query=$2" \
		-d "start=$((now - 120))" -d "end=$now" -d step=5 ;;
	variable) # label_values(series, label)
		inside=${2#*(} label=${2##*, }
		prometheus "label/${label%)}/values" --get --data-urlencode "match[]=${inside%,*}" ;;
	esac
}

answered() { grep -q '^{"status":"success"' <<<"$1"; }

# A NaN draws nothing. Figures stand in quotes after their time; values of labels in a plain list.
has_figures() {
	case $1 in
	variable) ! grep -q '"data":\[\]' <<<"$2" ;;
	*) grep -qE '\[[0-9.]+,"[-+]?[0-9I]' <<<"$2" ;;
	esac
}

# ---- What is still empty.

ask_all() { # fills $work/failed and $work/empty; $work/open with what to ask again
	local line uid panel title kind query answer
	: >"$work/failed"
	: >"$work/empty"
	: >"$work/open"
	while IFS= read -r line; do
		IFS=$'\t' read -r uid panel title kind query <<<"$line"
		answer=$(ask "$kind" "$query")
		if ! answered "$answer"; then
			printf '%s, %s (%s): %s\n    %s\n' "$uid" "$panel" "$title" "$query" "${answer:-no answer}" >>"$work/failed"
		elif [ "$kind" = annotation ] || has_figures "$kind" "$answer" || may_be_empty "$uid" "$title"; then
			continue
		else
			printf '%s, %s (%s): %s\n' "$uid" "$panel" "$title" "$query" >>"$work/empty"
		fi
		echo "$line" >>"$work/open"
	done <"$1"
}

# Some figures are rates over minutes or come with the first turn of a group of rules.
all_have_figures() {
	ask_all "$work/asked"
	mv "$work/open" "$work/asked"
	[ ! -s "$work/empty" ]
}

is_empty() {
	[ ! -s "$1" ] || {
		cat "$1"
		return 1
	}
}

under_load() {
	"$load" create "$LINKSHRINK_PORT" 2 200 >"$work/links" 2>/dev/null
	"$load" follow "$LINKSHRINK_PORT" 4 0 <"$work/links" >/dev/null 2>&1 &
	loads+=($!)
	"$load" create "$LINKSHRINK_PORT" 1 0 >/dev/null 2>&1 &
	loads+=($!)
}

end_load() { [ "${#loads[@]}" -eq 0 ] || kill "${loads[@]}" 2>/dev/null || true; }

# ---- In the place of Grafana.

make_grafana() {
	mkdir -p "$work/grafana/bin" "$work/grafana/public/grafana"
	echo 'shown' >"$work/grafana/public/grafana/index.html"
	cat >"$work/grafana/lighttpd.conf" <<-END
		server.bind = "127.0.0.1"
		server.port = env.LINKSHRINK_GRAFANA_PORT
		server.document-root = "$work/grafana/public"
		index-file.names = ( "index.html" )
	END
	printf '#!/bin/sh\necho "$@" >"$LINKSHRINK_GRAFANA_DATA/arguments"\nexec /usr/sbin/lighttpd -D -f %s\n' \
		"$work/grafana/lighttpd.conf" >"$work/grafana/bin/grafana"
	chmod 755 "$work/grafana/bin/grafana"
}

shown() { same "$(status "http://127.0.0.1:$LINKSHRINK_OPS_PORT/grafana/")" 200 && grep -qx shown "$work/body"; }

given() { tr '\0' '\n' <"/proc/$(noted grafana)/environ" | sed -n "s/^$1=//p"; }

configured() { # no setting that its files name is missing
	local name copy
	copy=$(given LINKSHRINK_GRAFANA)
	grep -rhoE '\$(__env)?\{[A-Z_]+' "$copy/grafana.ini" "$copy/provisioning" | sed 's/.*{//' | sort -u |
		while read -r name; do
			[ -n "$(given "$name")" ] || echo "# $name is not set"
		done | is_nothing
}

is_nothing() { ! grep .; }

readable() { # by its user
	local user=()
	[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid="$(ps -o user= -p "$(noted grafana)")" --clear-groups --)
	same "$("${user[@]}" cat "$(given LINKSHRINK_GRAFANA)"/dashboards/*.json | grep -c '^  "uid"')" 6
}

# ---- The tests.

trap 'end_load; stack_down' EXIT
LINKSHRINK_MONITORING_PORT=$(free_block 7)
make_grafana
export LINKSHRINK_MONITORING_PORT LINKSHRINK_GRAFANA_HOME=$work/grafana
stack_up
"$LINKSHRINK_TESTS/web/dashboard" grafana/dashboards/*.json | queries >"$work/asked"

check 'a Grafana that is installed is shown under the operations listener' wait_until 10 shown
check 'with our configuration' grep -qx "server --homepath=$work/grafana --config=$(given LINKSHRINK_GRAFANA)/grafana.ini" \
	"$LINKSHRINK_VAR/grafana/arguments"
check 'with all settings that it names' configured
check 'with the dashboards' readable
check 'which lead to our runbook' is_nothing < <(grep -r DOCS_URL "$(given LINKSHRINK_GRAFANA)/dashboards")
check 'and with the Prometheus of the stack' grep -q '"status":"success"' \
	<(curl -s "$(given LINKSHRINK_PROMETHEUS_URL)/api/v1/query?query=up")

prometheus_knows() { has_figures instant "$(ask instant "$1")"; }
check 'Prometheus watches' wait_until 20 prometheus_knows 'http_requests_total{job="linkshrink"}'

under_load
backed_up() { LINKSHRINK_BACKUP_MAX_AGE=43200 scripts/backup && scripts/backup-rehearsal; }
check 'there is a backup, and it was tried' backed_up

printf 'x\t0\tplanted\tinstant\tsum(rate(\n' >"$work/planted"
ask_all "$work/planted"
check 'a query that fails is found' test -s "$work/failed"
printf 'x\t0\tplanted\trange\tlinkshrink_no_such_metric\n' >"$work/planted"
ask_all "$work/planted"
check 'a query without figures is found' test -s "$work/empty"
printf 'x\t0\tplanted\tinstant\tvector(0) / 0\n' >"$work/planted"
ask_all "$work/planted"
check 'and one without numbers' test -s "$work/empty"

wait_until 120 all_have_figures || true
check 'each query of each dashboard can be answered' is_empty "$work/failed"
check 'and has figures under load' is_empty "$work/empty"
finish
