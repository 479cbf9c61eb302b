# What the doctor says of backups: whether there are any, how old, and whether what came after the
# newest is kept. Sourced by doctor, with scripts/backup.d/backups.sh.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

makes_no_backups() { false; }

check_backup() {
	settle_backups
	if makes_no_backups; then
		ok backup "left to another node: $backup_timer is masked"
	elif [ -d "$backups" ] && [ ! -r "$backups" ]; then
		warn backup "$backups can't be read by $(id -un)"
	elif [ -z "$(newest_backup)" ]; then
		warn backup "there is none in $backups; $make_backup makes one, $backup_timer one every six hours"
	else
		judge_backups
	fi
}

judge_backups() {
	local newest age time promised kept
	newest=$(newest_backup)
	time=$(about "$newest" time)
	age=$(($(date +%s) - ${time:-0}))
	promised=$(read_figure backup max_age_seconds)
	kept=$(value LINKSHRINK_SPOOL_RETENTION)
	if [ "$promised" -gt 0 ] && [ "$age" -gt "$promised" ]; then
		bad backup "the newest, $newest, is $((age / 3600)) h old; run $make_backup and see what it says"
	else
		ok backup "the newest is $newest; of $(list_backups | grep -c .)"
	fi
	case $kept in
	*[!0-9]*) ;; # said already
	*) [ "$promised" -le "$kept" ] ||
		warn backup "clicks are kept for $kept s and a backup may be $promised s old: clicks between would be lost; raise LINKSHRINK_SPOOL_RETENTION" ;;
	esac
	[ "$(read_figure rehearsal rehearsal_failed)" = 0 ] ||
		bad backup "the last rehearsal failed; run $rehearse and see what it says"
	[ "$own_cluster" = no ] || [ "$(stat -c %d "$backups")" != "$(stat -c %d "$(existing "$cluster")")" ] ||
		warn backup "$backups is on the disk of PostgreSQL and dies with it; copy backups elsewhere"
}
