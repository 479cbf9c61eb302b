# Discord does not take the message of an outage: the inbox behaves as told. Sourced by the faults.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with lib.sh

# AlertDeliveryFailing: 90 s after the first message that is refused, 22 s after the outage. It keeps
# the heartbeat back, whose last one may just have gone out.
must_fall_silent 142 '22 s until there is a message, 5 + 5 + 60 s until AlertDeliveryFailing, 20 s that an attempt may take, 30 s between two heartbeats'
may RedirectsDown AlertDeliveryFailing TargetDown SeriesMissing

behave() { # how
	local file=$var/inbox/behave
	[ -d "$var/inbox" ] || fail 'this stack has no inbox'
	journal_continue "$(supervisor)"
	journal_remove "$file"
	told_before=$(told)
	# As who owns the directory: root follows no links of others.
	as "$monitoring_user" sh -c 'echo "$2" >"$1"' sh "$file" "$1"
	kill -STOP "$(supervisor)"
	strike "the inbox answers as told ($1); SIGKILL to lighttpd, pid $(noted lighttpd), which nobody starts again"
	kill -KILL "$(noted lighttpd)"
}

told() { grep -cE '"status": ?20.*🔴 RedirectsDown"' "$var/inbox/messages.jsonl" 2>/dev/null || true; }
is_delivered() { [ "$(told)" -gt "${told_before:-0}" ]; }

# Discord first: what it did not take has to arrive then, while it is still true.
lift() {
	rm -f "$var/inbox/behave"
	event note 'Discord takes messages again'
	wait_until 60 is_delivered || { echo 'the page did not arrive within 60 s' >&2; return 1; }
}
