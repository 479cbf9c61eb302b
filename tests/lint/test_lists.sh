#!/bin/bash
# Lists that must agree: what stands once in a .def file and is needed again elsewhere.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

# agree STATEMENT LIST LIST: the same words in both, in any order
agree() { check "$1" same "$(tr ' ' '\n' <<<"$2" | sort)" "$(tr ' ' '\n' <<<"$3" | sort)"; }

words() { tr '\n' ' ' | sed 's/ *$//'; }

# A secret may come in a file as well.
settings=$(sed -n -e 's/^CONFIG_SECRET([a-z_]*, "\([A-Z_]*\)".*/\1\n\1_FILE/p; t' \
	-e 's/^CONFIG_[A-Z]*([a-z_]*, "\([A-Z_]*\)".*/\1/p' common/base/config.def | words)
# shellcheck disable=SC2016 # awk's own fields
handed=$(awk '/^var.(settings|as_web)/ { on = 1 } on { print } on && /\)$/ { on = 0 }' lighttpd.conf |
	grep -o '"LINKSHRINK_[A-Z_]*"' | tr -d '"' | words)
agree 'lighttpd hands every setting to the programs' "$settings" "$handed"

programs=$(sed -n 's/^PROGRAMS *:= *//p' Makefile)
local=$(sed -n 's/^LOCAL *:= *\([a-z]*\).*/\1/p' Makefile)
started=$(sed -n 's/.*bin + "\([a-z]*\)".*/\1/p' lighttpd.conf | words)
labels=$(sed -n 's/^LABEL_VALUE(program, [A-Z]*, "\([a-z]*\)")/\1/p' common/base/labels.def | grep -vx other | words)
files=$(for file in cgi-bin/*.c; do basename "$file" .c; done | grep -v _ | words)
agree 'lighttpd starts every program that is built' "$programs" "$started"
agree 'every program has its own value of the label program' "$programs" "$labels"
agree 'every file of cgi-bin is a program' "$programs $local" "$files"

reserved=$(sed -n 's/^PATH("\([a-z-]*\)".*/\1/p' common/base/paths.def)

# not_reserved: those of the words on standard input that paths.def does not have
not_reserved() { sort -u | grep -vxF -f <(echo "$reserved") | words; }

agree 'every path of lighttpd.conf is reserved in paths.def' '' \
	"$(grep -o '"/[a-z-]\+"' lighttpd.conf | tr -d '"/' | not_reserved)"
agree 'and so is every first segment of a route' '' \
	"$(find cgi-bin -name '*.c' ! -name "$local.c" -exec sed -n 's/.*\(HTTP_[A-Z |_]*, \|\(READ\|MAKE\|CHANGE\|DELETE\)(\)"\/\([a-z-]\+\)[/"].*/\3/p' {} + | not_reserved)"
agree 'and what comes after /urls/ where a code may come' '' \
	"$(grep -oh '[^a-z]urls/[a-z-]\+' lighttpd.conf cgi-bin/*.c | sed 's,.*/,,' | not_reserved)"

check 'the tables of settings and metrics in docs/operations are fresh' scripts/docs-settings --check

check 'the table of faults in docs/simulation is fresh' scripts/docs-faults --check

finish
