# Within how many seconds a message has to be there, computed from what Prometheus and Alertmanager
# are told: until the condition holds + a scrape + an evaluation + the rule's for + Alertmanager's
# wait. Sourced by lib.sh; $repo is set.
# shellcheck shell=bash disable=SC2034,SC2154 # repo is the caller's

in_seconds() { # 10s, 1m, 2h
	case $1 in
	*s) echo "${1%s}" ;;
	*m) echo $((${1%m} * 60)) ;;
	*h) echo $((${1%h} * 3600)) ;;
	*) echo 0 ;;
	esac
}

# "interval for severity job" of an alert, as its file has them; the job is whose figures it reads.
rule_of() { # alert
	awk -v wanted="$1" '
		$1 == "-" && $2 == "name:" { interval = "" }
		$1 == "interval:" { interval = $2 }
		$1 == "-" && $2 == "alert:" { here = $3 == wanted; hold = "0s"; job = "" }
		here && job == "" && match($0, /job="[a-z]+"/) { job = substr($0, RSTART + 5, RLENGTH - 6) }
		here && $1 == "for:" { hold = $2 }
		here && $1 == "labels:" && match($0, /severity: [a-z]+/) {
			print interval, hold, substr($0, RSTART + 10, RLENGTH - 10), job
			exit
		}' "$repo"/prometheus/rules/*.yml
}

scrape_interval() { # job: its own, or else everybody's, which the file has first
	awk -v wanted="$1" '
		$1 == "-" && $2 == "job_name:" { job = $3 }
		$1 == "scrape_interval:" && (interval == "" || job == wanted) { interval = $2 }
		END { print interval }' "$repo/prometheus/prometheus.yml"
}

group_wait() { # severity: of the route that takes it; the first one in the file is everybody's
	awk -v severity="$1" '
		$1 == "-" && $2 == "matchers:" { here = index($0, "severity = " severity) > 0 }
		$1 == "group_wait:" && (here || wait == "") { wait = $2 }
		END { print wait }' "$repo/alertmanager/alertmanager.yml"
}

must() { # alert seconds why
	hold=20
	local interval hold severity job scrape evaluation pending wait
	read -r interval hold severity job <<<"$(rule_of "$1")"
	[ -n "${severity:-}" ] || { echo "no rule is called $1" >&2; exit 1; }
	scrape=$(in_seconds "$(scrape_interval "$job")") evaluation=$(in_seconds "$interval")
	pending=$(in_seconds "$hold") wait=$(in_seconds "$(group_wait "$severity")")
	musts+=("$1 $(($2 + scrape + evaluation + pending + wait))")
	bounds+=("$1 $2 ($3) + $scrape (scrape) + $evaluation (evaluation) + $pending (for) + $wait (group_wait)")
}

# Whoever listens waits for three heartbeats; two of them may be under way when the fault begins.
readonly heartbeats_missed=90
must_fall_silent() { # seconds why
	hold=20
	musts+=("Silence $(($1 + heartbeats_missed))")
	bounds+=("Silence $1 ($2) + $heartbeats_missed (three heartbeats that do not come)")
}
