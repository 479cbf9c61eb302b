#!/bin/bash
# Plants violations of the layers and sizes in a copy and looks whether they are found.
set -eu

case "${1:-}" in --help | -h) echo 'usage: tests/lint/test_layers.sh'; exit 0 ;; esac
cd "$(dirname "$0")/../.."
scripts=$PWD/scripts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fresh() {
	rm -rf "${work:?}"/*
	mkdir -p "$work"/common/{base,http,db,domain,service} "$work/cgi-bin"
	printf '#include "base/text.h"\n' >"$work/common/base/text.c"
}

# What, file, include line: the violation must be named as file:line.
is_found() {
	fresh
	printf '/* planted */\n%s\n' "$3" >"$work/$2"
	if ! output=$("$scripts/layers" "$work") && grep -q "^$2:2: " <<<"$output"; then
		echo "ok - layers: $1 is found"
	else
		echo "not ok - layers: $1 is found"
		printf '    %s\n' "$output"
	fi
}

is_allowed() {
	fresh
	printf '/* planted */\n%s\n' "$3" >"$work/$2"
	if output=$("$scripts/layers" "$work"); then
		echo "ok - layers: $1 is allowed"
	else
		echo "not ok - layers: $1 is allowed"
		printf '    %s\n' "$output"
	fi
}

is_found 'base that knows http' common/base/log.c '#include "http/http.h"'
is_found 'http that knows db' common/http/http.c '#include "db/db.h"'
is_found 'db that knows http' common/db/db.c '#include "http/http.h"'
is_found 'db that knows domain' common/db/db.h '#include "domain/link.h"'
is_found 'domain that knows http' common/domain/link.c '#  include "http/http.h"'
is_found 'domain that knows service' common/domain/rate.c '#include "service/service.h"'
is_found 'an include without a folder' common/domain/rate.c '#include "rate.h"'
is_found 'an include by way of ..' common/domain/rate.c '#include "../http/http.h"'
is_found 'libfcgi outside its file' common/service/service.c '#include <fcgiapp.h>'
is_found 'libpq outside db' common/domain/link.c '#include <libpq-fe.h>'
is_found 'cJSON outside its file' common/http/json_write.c '#include <cjson/cJSON.h>'
is_found 'lmdb outside its file' common/domain/link.c '#include <lmdb.h>'
is_found 'libqrencode outside its file' common/service/page.c '#include <qrencode.h>'
is_found 'openssl outside its file' common/base/random.c '#include <openssl/rand.h>'
is_found 'a program that opens libpq' cgi-bin/redirect.c '#include <libpq-fe.h>'
is_allowed 'a program that knows all layers' cgi-bin/redirect.c '#include "domain/link.h"'
is_allowed 'domain that knows db' common/domain/link.c '#include "db/db.h"'
is_allowed 'libfcgi in fcgi.c' common/service/fcgi.c '#include <fcgiapp.h>'
is_allowed 'openssl in apikey.c' common/domain/apikey.c '#include <openssl/sha.h>'

sizes_say() { # what, expected status
	status=0
	output=$("$scripts/sizes" "$work") || status=1
	if [ "$status" -eq "$2" ]; then
		echo "ok - sizes: $1"
	else
		echo "not ok - sizes: $1"
		printf '    %s\n' "$output"
	fi
}

# file, lines between the braces, how many such functions
plant_functions() {
	awk -v body="$2" -v count="$3" 'BEGIN {
		for (i = 0; i < count; i++) {
			print "void f" i "(void)\n{"
			for (j = 0; j < body; j++) print "\t;"
			print "}"
		}
	}' >>"$work/$1"
}

fresh
plant_functions common/base/a.c 16 9
plant_functions common/base/b.c 200 1
sizes_say 'one function of ten may be long' 0
plant_functions common/base/b.c 200 1
sizes_say 'two of eleven may not' 1
fresh
plant_functions common/base/a.c 17 5
sizes_say 'a median of 19 lines is too much' 1
fresh
plant_functions common/base/a.c 1 1
yes '' | head -n 497 >"$work/common/base/a.h"
sizes_say 'a file of 497 lines is fine' 0
yes '' | head -n 501 >"$work/common/base/a.h"
sizes_say 'a file of 501 lines is too long' 1
