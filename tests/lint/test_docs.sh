#!/bin/bash
# What the documents say there is: files and sections to which they lead, scripts, commands, settings,
# and in docs/troubleshooting.md the words that the product is to say. Each check is tried on a document
# with a planted fault first.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

case "${1:-}" in --help | -h) echo 'usage: tests/lint/test_docs.sh'; exit 0 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
documents=(README.md grafana/README.md tests/README.md docs/*.md docs/incidents/README.md docs/decisions/*.md)
today=(README.md grafana/README.md tests/README.md docs/*.md) # decisions may speak of what was
sources=(scripts common cgi-bin lighttpd lighttpd.conf systemd db prometheus alertmanager)

# ---- The checks: each prints what is wrong with the documents below a directory.

# "file#section" of each heading, by the names that they are given on a page.
sections() {
	awk '/^```/ { fenced = !fenced }
	!fenced && /^#+ / {
		name = tolower($0); sub(/^#+ /, "", name)
		gsub(/[^a-z0-9 _-]/, "", name); gsub(/ /, "-", name)
		print FILENAME "#" name
	}' "$@"
}

# "file target" of each link that stays here, its path from the root.
links() {
	awk '/^```/ { fenced = !fenced }
	!fenced {
		text = $0
		gsub(/`[^`]*`/, "", text)
		while (match(text, /\]\([^)]+\)/)) {
			to = substr(text, RSTART + 2, RLENGTH - 3); text = substr(text, RSTART + RLENGTH)
			if (to ~ /^[a-z]+:/) continue
			at = FILENAME; if (!sub(/\/[^\/]*$/, "", at)) at = "."
			if (to ~ /^#/) { at = FILENAME; print FILENAME, at to; continue }
			while (sub(/^\.\.\//, "", to)) if (!sub(/\/[^\/]*$/, "", at)) at = "."
			print FILENAME, (at == "." ? "" : at "/") to
		}
	}' "$@"
}

dead_links() ( # directory
	cd "$1"
	sections "${documents[@]}" >"$work/sections"
	links "${documents[@]}" | while read -r file to; do
		[ -e "${to%%#*}" ] || { echo "$file: there is no ${to%%#*}"; continue; }
		case $to in *.md#*) grep -qxF -e "$to" "$work/sections" || echo "$file: there is no section $to" ;; esac
	done
)

# What is in backticks, or a line of a shell's: "file text".
spans() {
	awk '/^```/ { fenced = !fenced; shell = fenced && /^```sh/; next }
	shell { print FILENAME, $0; next }
	fenced { next }
	{ n = split($0, part, "`"); for (i = 2; i < n; i += 2) print FILENAME, part[i] }' "$@"
}

unknown_scripts() ( # directory
	root=$PWD
	cd "$1"
	spans "${today[@]}" | grep -oE '^[^ ]+|(^|[^/a-zA-Z])scripts/[a-z][a-z0-9./-]*[a-z0-9]([^a-zA-Z0-9.…/-]|$)' |
		while read -r word; do
			word=${word#[ \"(\$]} word=${word%[^a-z0-9]}
			case $word in
			scripts/*) [ -e "$root/$word" ] || echo "$document: there is no $word" ;;
			*) document=$word ;;
			esac
		done
)

unknown_commands() ( # directory
	known=$(sed -n '/^migrate |/,/;;/p' scripts/linkshrink | tr -cs 'a-z-' ' ')
	cd "$1"
	spans "${today[@]}" | sed -nE 's/^([^ ]+) linkshrink ([a-z][a-z-]*).*/\1 \2/p' | while read -r file word; do
		case " $known " in *" $word "*) ;; *) echo "$file: linkshrink does not know $word" ;; esac
	done
)

unknown_settings() ( # directory
	grep -rhoE '\b(LINKSHRINK|DATABASE)_[A-Z_]*[A-Z]' Makefile tests "${sources[@]}" | sort -u >"$work/settings"
	cd "$1"
	grep -oE '\b(LINKSHRINK|DATABASE)_[A-Z_]*[A-Z]\b' "${today[@]}" | sort -u | while IFS=: read -r file name; do
		grep -qxF -e "$name" -e "${name%_FILE}" "$work/settings" || echo "$file: nobody reads $name"
	done
)

# systemd takes what stands behind a value for a part of it.
settings_with_remarks() ( # directory
	cd "$1"
	grep -nHE '^(LINKSHRINK|DATABASE|PG)[A-Z0-9_]*=[^ ]* +#' docs/deploy.md | cut -d : -f 1,2
)

# The first column of its tables: what is in backticks there, but for what changes, is in a source.
unsaid_words() { # directory
	awk -F '|' '/^\| / && $2 !~ /symptom|---/ {
		n = split($2, part, "`")
		for (i = 2; i < n; i += 2) { gsub(/\{[^}]*\}/, "", part[i]); gsub(/…/, "\n", part[i]); print part[i] }
	}' <(sed '1,/^## /d' "$1/docs/troubleshooting.md") | sed 's/^ *//; s/ *$//' | grep . | sort -u |
		while IFS= read -r words; do
			grep -rqF -e "$words" "${sources[@]}" || echo "nobody says: $words"
		done
}

# ---- Planted faults.

is_found() { # what, check, file, a line that is wrong
	rm -rf "$work/tree"
	mkdir -p "$work/tree/grafana" "$work/tree/tests"
	cp -r docs README.md LICENSE "$work/tree"
	cp grafana/README.md "$work/tree/grafana"
	cp tests/README.md "$work/tree/tests"
	"$2" "$work/tree" >"$work/before"
	printf '%s\n' "$4" >>"$work/tree/$3"
	"$2" "$work/tree" >"$work/after"
	check "$1 is found" fails_with -E . diff "$work/before" "$work/after"
}

is_found 'a link to nothing' dead_links docs/deploy.md 'see [there](nowhere.md)'
is_found 'a link to no section' dead_links docs/deploy.md 'see [there](operations.md#no-such-section)'
is_found 'a script that there is not' unknown_scripts docs/deploy.md 'type `scripts/no-such-script --now`'
is_found 'a command that there is not' unknown_commands docs/deploy.md 'type `linkshrink no-such-command`'
is_found 'a setting that nobody reads' unknown_settings docs/deploy.md 'set `LINKSHRINK_NO_SUCH_''SETTING`'
is_found 'a remark behind a setting' settings_with_remarks docs/deploy.md 'LINKSHRINK_PORT=80   # for all'
is_found 'words that nobody says' unsaid_words docs/troubleshooting.md '| `no such … words are said` | | |'

# ---- The documents.

nothing 'every link leads somewhere' dead_links .
nothing 'every script exists' unknown_scripts .
nothing 'every command of linkshrink exists' unknown_commands .
nothing 'every setting is read by somebody' unknown_settings .
nothing 'no setting to be pasted has a remark behind it' settings_with_remarks .
nothing 'what is to be said in trouble is said' unsaid_words .
finish
