# Which suites run at once, and on which ports. Sourced by tests/run, as bash:
#
#   in_order                  of lines "suite command…": the same with what the suite needs in front,
#                             those that are tried first first
#   may_start NEED MOST RUNNING…   whether one that needs this may begin beside those that run, at
#                             most MOST of them
#   ports_of SLOT SLOTS       the ports of whatever runs there: "first count"
#
# What a suite needs of the machine:
#
#   alone   all of it: it asserts that nobody notices anything
#   busy    no other stack beside its own: it loads that one, or has clocks that another's start upsets
#   calm    no load beside it: its stack waits most of the time, or does one thing after another
#   other   a processor, no load beside it, and none of its kind: it has no stack, but clocks
#   patient nothing: it only computes, and gets what nobody else wants of the processors
#
# So stacks run at once where none would wait for another, and whatever needs more has what it always
# had. A suite with a stack that is not named here counts as busy.
# shellcheck shell=bash

# The longest first, so that none is left over at the end.
table() {
	cat <<'TABLE'
web/test_gameday alone
web/test_alerts calm
web/test_dashboards calm
web/test_monitoring calm
web/test_watch calm
web/test_runbook calm
web/test_doctor calm
web/test_replica calm
web/test_logs calm
web/test_clicks calm
web/test_openapi calm
web/test_metrics calm
web/test_matrix calm
web/test_import calm
web/test_abuse calm
web/test_api calm
web/test_http calm
web/test_tls calm
web/test_proxy calm
web/test_demo_data calm
lint/test_rules patient
lint/test_rules_noticed patient
TABLE
}

# What has no stack is named only where it is long. The patient fill what is left of the machine, and come last.
in_order() {
	awk '
	NR == FNR { need[$1] = $2; rank[$1] = FNR; next }
	!($1 in need) {
		need[$1] = $1 ~ /^(web|browser)\// ? "busy" : $1 ~ /^(lint|fuzz)\// ? "patient" : "other"
		rank[$1] = 1000 + FNR
	}
	{ print index("alone busy other calm patient", need[$1]), rank[$1], need[$1], $0 }' <(table) - |
		sort -n -k 1,1 -k 2,2 | cut -d ' ' -f 3-
}

may_start() { # need most running…
	local need=$1 most=$2 other
	shift 2
	[ "$#" -lt "$most" ] || return 1
	for other; do
		case $need+$other in
		patient+* | *+patient | calm+calm | calm+other | other+calm) ;;
		*) return 1 ;;
		esac
	done
}

# Below the ports that the kernel gives to clients; no two slots share one.
ports_of() { # slot slots
	local count=$((12000 / $2))
	echo "$((20000 + count * $1)) $count"
}
