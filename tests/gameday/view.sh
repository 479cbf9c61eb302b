# How far a game day is, in the terminal: a line a fault, drawn again and again; where nobody looks on, a
# line for each step. Sourced by run, as bash. view_begin, view, view_end.
# shellcheck shell=bash disable=SC2154 # run and queue are the game day's

drawing=no
declare -A shown=()

view_begin() {
	[ ! -t 1 ] || [ "${TERM:-dumb}" = dumb ] || drawing=yes
	[ "$drawing" = no ] || printf '\e[?1049h\e[?25l'
}

view_end() {
	[ "$drawing" = no ] || printf '\e[?25h\e[?1049l'
	drawing=no
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# Into $word, $since, $text.
read_phase() { # fault
	word=waiting since=0 text=''
	[ ! -e "$run/$1/phase" ] || read -r word since text <"$run/$1/phase" || true
	[ ! -e "$run/$1/failed" ] || [ "$word" = failed ] || word=failed
}

mark() { # word
	case $1 in
	passed) printf '\e[32m✔\e[0m' ;;
	failed) printf '\e[31m✘\e[0m' ;;
	waiting) printf '\e[2m·\e[0m' ;;
	broken) printf '\e[31m●\e[0m' ;;
	*) printf '\e[33m●\e[0m' ;;
	esac
}

# "seconds since the fault, bad a second, alerts" of a fault that goes on.
situation() { # fault
	local row="" rest="" good bad created failed alerts
	{ read -r row; rest=$(cat); } <"$run/$1/now" 2>/dev/null || true
	read -r _ good bad created failed <<<"$row" || true
	alerts=$(sed 's/ [^(]*(/ (/; s/(firing)/FIRING/; s/(pending)/pending/' <<<"$rest" | sort -u | paste -sd , | sed 's/,/, /g')
	printf '%s ok/s, %s failed/s  %s' $((${good:-0} + ${created:-0})) $((${bad:-0} + ${failed:-0})) "$alerts"
}

line_of() { # fault: as wide as the terminal
	local word since text age=''
	read_phase "$1"
	case $word in
	broken | undoing | recovering) age=$(printf '%4d s' $((($(now_ms) - ${text:-$since}) / 1000))) ;;
	esac
	case $word in
	broken | warming | undoing | recovering) text=$(situation "$1") ;;
	failed) text=$(grep -h '^not ok' "$run/$1/verdict" "$run/$1/trouble" 2>/dev/null | head -n 1) ;;
	*) text='' ;;
	esac
	printf '%s %-23s %-10s %6s  %s' "$(mark "$word")" "$1" "$word" "$age" "${text:0:$((columns > 52 ? columns - 48 : 4))}"
}

draw() {
	local fault columns
	columns=$(tput cols 2>/dev/null || echo 80)
	printf '\e[H\e[1mGame day\e[0m  %d:%02d  %d of %d done\e[K\n\e[K\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) \
		"$(find "$run" -maxdepth 2 -name phase -exec grep -lE '^(passed|failed)' {} + | wc -l)" "${#queue[@]}"
	for fault in "${queue[@]}"; do printf '%s\e[K\n' "$(line_of "$fault")"; done
	printf '\e[J'
}

tell() {
	local fault word since text
	for fault in "${queue[@]}"; do
		read_phase "$fault"
		[ "${shown[$fault]:-waiting}" != "$word" ] || continue
		shown[$fault]=$word
		printf '%4d s  %-23s %s %s\n' $((SECONDS - began)) "$fault" "$word" "$(
			[ "$word" != failed ] || grep -h '^not ok' "$run/$fault/verdict" "$run/$fault/trouble" 2>/dev/null | head -n 1 || true)"
	done
}

view() {
	if [ "$drawing" = yes ]; then draw; else tell; fi
}
