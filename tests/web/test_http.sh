#!/bin/bash
# What a client sees of the real lighttpd with the real configuration and the real programs.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

stack_up
trap stack_down EXIT

public=http://127.0.0.1:$LINKSHRINK_PORT
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT

shorten() {
	status -H 'Content-Type: application/json' -d "$1" "$public/shorten"
}

# raw BYTES: the first line that comes back for bytes sent as they are
raw() {
	printf '%b' "$1" | timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$LINKSHRINK_PORT; cat >&3; cat <&3" |
		tr -d '\r' | head -n 1
}

head_has() { grep -qi "^$1" "$work/head" || { cat "$work/head"; return 1; }; }
body_has() { grep -qF -e "$1" "$work/body" || { cat "$work/body"; return 1; }; }

# The whole shape that every error has, whoever made it.
is_problem() {
	same "$1" "$2" && head_has 'Content-Type: application/problem+json' &&
		head_has 'X-Request-Id: [0-9a-f]\{32\}' && body_has "\"status\":$2" &&
		body_has '"type":"about:blank"' && body_has '"title":' && body_has '"error":' &&
		body_has "\"request_id\":\"$(tr -d '\r' <"$work/head" | sed -n 's/^X-Request-Id: //Ip')\""
}

json_lines() { "$LINKSHRINK_TESTS/web/json_lines" <"$1"; }

# ---- The way of a link

check 'a link is made' same "$(shorten '{"url":"https://example.com/a?b=c#d"}')" 201
code=$(sed 's/.*"short_code":"\([^"]*\)".*/\1/' "$work/body")
check 'its short URL begins with the base URL' body_has "\"short_url\":\"$public/$code\""
clicks=$(metric linkshrink_clicks_total)
check 'it is followed' same "$(status "$public/$code")" 302
check 'to its target' head_has 'Location: https://example.com/a?b=c#d'
request_id=$(tr -d '\r' <"$work/head" | sed -n 's/^X-Request-Id: //Ip')
check 'the click is in /metrics' same "$(metric linkshrink_clicks_total)" $((clicks + 1))
check 'the click is in the log, under the id of the response' \
	grep -q "\"request_id\":\"$request_id\".*\"status\":302.*\"code\":\"$code\"" "$LINKSHRINK_VAR/log/linkshrink.log"
counted_once() { same "$(sql "SELECT n FROM click_hours JOIN links ON links.id = link WHERE code = '$code'")" 1; }
check 'the click is in PostgreSQL' wait_until 10 counted_once
check 'a HEAD is answered' same "$(status -I "$public/$code")" 302
check 'and is no click' same "$(metric linkshrink_clicks_total)" $((clicks + 1))
check 'the other path leads there too' same "$(status "$public/r/$code")" 302
id=$(sql "SELECT id FROM links WHERE code = '$code'")
check 'and the path by id' same "$(status "$public/urls/$id/redirect")" 302
check 'and the path by code under /urls' same "$(status "$public/urls/$code/redirect")" 302
check 'the log truncates addresses' grep -q '"client":"127.0.0.0"' "$LINKSHRINK_VAR/log/linkshrink.log"
check 'every log line is one JSON object' json_lines "$LINKSHRINK_VAR/log/linkshrink.log"

# ---- Who is where

check 'health is public' same "$(status "$public/health")" 200
check 'and says so' body_has '{"status":"ok"}'
check 'health is there for operations' same "$(status "$operations/health")" 200
for path in metrics system ready version server-status logs/recent; do
	check "/$path is not on the public listener" same "$(status "$public/$path")" 404
done
for path in metrics system ready version health; do
	check "/$path answers on the operations listener" same "$(status "$operations/$path")" 200
done
check 'the server status is for operations' same "$(status "$operations/server-status?auto")" 200
check 'links are not followed on the operations listener' is_problem "$(status "$operations/$code")" 404
check 'no link is made there' is_problem "$(status -H 'Content-Type: application/json' -d '{"url":"https://example.com"}' "$operations/shorten")" 404
check 'encoded letters open no way to operations' same "$(status "$public/%6detrics")" 404
check 'encoded letters are the letters' same "$(status "$public/${code/${code:0:1}/$(printf '%%%02x' "'${code:0:1}")}")" 302
check 'dots open no way to operations' same "$(status --path-as-is "$public/health/../metrics")" 400
for path in health-care shortened rabbit metrics-2 urlsEVIL readymade system7; do
	check "$path can be a code although a path of the site begins like it" \
		same "$(shorten "{\"url\":\"https://example.com/\",\"short_code\":\"$path\"}") $(status "$public/$path")" '201 302'
done

# ---- What people see

person='Accept: text/html,application/xhtml+xml,*/*;q=0.8'
check 'the root is a page' same "$(status "$public/")" 200
check 'for people' head_has 'Content-Type: text/html; charset=utf-8'
check 'that runs its own script and nothing else' head_has "Content-Security-Policy: default-src 'none'; script-src 'self';"
for file in www/style.css www/page.js www/favicon.svg favicon.ico robots.txt openapi.yaml; do
	check "/$file is there" same "$(status "$public/$file")" 200
	check "/$file is kept for five minutes" head_has 'Cache-Control: public, max-age=300'
done
check 'the description of the API is called YAML' head_has 'Content-Type: application/yaml'
check 'and is the one of the documentation' cmp "$work/body" docs/openapi.yaml
check 'it is at one place' is_problem "$(status "$public/www/openapi.yaml")" 404
check 'the page is not for operations' is_problem "$(status "$operations/")" 404
check 'there is no way out of www' same "$(status --path-as-is "$public/www/../bin/redirect")" 400
check 'nor a directory to be listed' is_problem "$(status "$public/www/")" 404
check 'a person gets a page for a 404' same "$(status -H "$person" "$public/unknown-code")" 404
check 'in HTML' head_has 'Content-Type: text/html; charset=utf-8'
check 'and for one of lighttpd itself' same "$(status -H "$person" "$public/www/nothing.html")" 404
check 'with its request id' body_has "$(tr -d '\r' <"$work/head" | sed -n 's/^X-Request-Id: //Ip')"
check 'in HTML, too' head_has 'Content-Type: text/html; charset=utf-8'
status -H "$person" "$public/unknown-code" >/dev/null
check 'no page of a program may run a script' head_has "Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'"
clicks=$(metric linkshrink_clicks_total)
for path in "$code+" "$code%2B" "$code%2b"; do
	check "/$path shows where the link goes" same "$(status "$public/$path")" 200
	check "as JSON: $path" body_has '"original_url":"https://example.com/a?b=c#d"'
done
check 'a preview is a page for people' same "$(status -H "$person" "$public/$code+")" 200
check 'its QR code is there' same "$(status "$public/$code.qr")" 200
check 'as SVG' head_has 'Content-Type: image/svg+xml'
check 'and a HEAD of it' same "$(status -I "$public/$code.qr")" 200
check 'a preview of nothing is a 404' is_problem "$(status "$public/unknown-code+")" 404
check 'a QR code of nothing is a 404' is_problem "$(status "$public/unknown-code.qr")" 404
check 'nothing of this is a click' same "$(metric linkshrink_clicks_total)" "$clicks"

# ---- The page of metrics

curl -s "$operations/metrics" >"$work/page"
check 'promtool accepts the page' promtool check metrics <"$work/page"
series=$(grep -vc '^#' "$work/page")
check 'it has at most 1,200 series' test "$series" -le 1200
for _ in $(seq 50); do curl -s -o /dev/null "$public/unknown-$RANDOM$RANDOM"; done
check 'unknown codes add none' same "$(curl -s "$operations/metrics" | grep -vc '^#')" "$series"

# ---- Wrong input

check 'an unknown code is a 404' is_problem "$(status "$public/unknown-code")" 404
check 'a path that no code can have is a 404' is_problem "$(status "$public/a.b/c")" 404
check 'a page that is not there is a 404' is_problem "$(status "$public/www/nothing.html")" 404
check 'a method that a path has not is a 405' is_problem "$(status -X DELETE "$public/shorten")" 405
check 'with Allow' head_has 'Allow: POST'
check 'a method that nobody has is refused' is_problem "$(status -X BREW "$public/$code")" 501
check 'a body without a length is a 411' same "$(raw 'POST /shorten HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')" 'HTTP/1.1 411 Length Required'
head -c 65537 /dev/zero | tr '\0' ' ' >"$work/large"
check 'a body over 64 KiB is a 413' is_problem "$(status -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$work/large" "$public/shorten")" 413
check 'a body that is not called JSON is a 415' is_problem "$(status -d '{"url":"https://example.com"}' "$public/shorten")" 415
for body in '' '{' 'nonsense' '[' '{"url":}' '{"url":"https://example.com"' "{'url':1}"; do
	check "what is no JSON is a 400: $body" is_problem "$(shorten "$body")" 400
	check "and is called so: $body" body_has '"error":"invalid_json"'
done
for body in '[]' 'null' '{"url":"https://a.example","url":"https://b.example"}'; do
	check "JSON that is no clear object is a 400: $body" is_problem "$(shorten "$body")" 400
	check "and says so: $body" body_has '"field":"body"'
done
for target in 'javascript:alert(1)' 'ftp://example.com' 'https://user:secret@example.com' "$public/loop" \
	'http://127.0.0.1/' 'http://10.0.0.1/' 'http://[::1]/' 'http://localhost/' 'example.com' 'https://'; do
	check "no link leads to $target" is_problem "$(shorten "{\"url\":\"$target\"}")" 400
	check "and the fault is named: $target" body_has '"error":"invalid_url"'
done
check 'all faults are reported at once' is_problem "$(shorten '{"url":"ftp://x","short_code":"a","title":7}')" 400
check 'by field' body_has '"field":"title"'
check 'a code that is taken is a 409' is_problem "$(shorten "{\"url\":\"https://example.com\",\"short_code\":\"$code\"}")" 409
check 'a key in the query is a 400' is_problem "$(status -H 'Content-Type: application/json' -d '{"url":"https://example.com"}' "$public/shorten?api_key=ls_1_x")" 400

check 'a file of the site has one path' same "$(status "$public/www/page.js/x")" 403

# ---- Hostile bytes

shorten '{"url":"https://example.com/\r\nSet-Cookie: a=b"}' >/dev/null
check 'a line break in a target is refused' body_has '"error":"invalid_url"'
status "$public/$code%0d%0aSet-Cookie:%20a=b" >/dev/null
check 'a line break in a path splits no header' test -z "$(grep -i '^set-cookie' "$work/head" || true)"
forwarded=$(sql "UPDATE links SET forward_query = true WHERE code = '$code' RETURNING code")
status "$public/$forwarded?x=%0d%0aSet-Cookie:%20a=b" >/dev/null
check 'nor does one in a forwarded query' test -z "$(grep -i '^set-cookie' "$work/head" || true)"
check 'a control byte in a header is a 400' same "$(raw 'GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\nConnection: close\r\n\r\n')" 'HTTP/1.1 400 Bad Request'
check 'a line that is no request is a 400' same "$(raw 'GET /health HTTP/1.1 x\r\nHost: a\r\n\r\n')" 'HTTP/1.0 400 Bad Request'
check 'a zero byte in a path is refused' same "$(status "$public/a%00b")" 400
long=$(printf 'a%.0s' $(seq 9000))
check 'a path longer than all limits is refused' test "$(status "$public/$long")" -ge 400
check 'the service is still well' same "$(status "$operations/ready")" 200

# ---- What every answer has

status "$public/$code" >/dev/null
check 'no answer says which server it is' test -z "$(grep -i '^server:' "$work/head" || true)"
check 'no answer is to be sniffed' head_has 'X-Content-Type-Options: nosniff'

# ---- Keys

export LINKSHRINK_ANONYMOUS_CREATE=no
stack_restart
check 'without a key nobody makes a link' is_problem "$(shorten '{"url":"https://example.com"}')" 401
key=$(scripts/admin-key)
create() { status -H 'Content-Type: application/json' -H "Authorization: Bearer $1" -d '{"url":"https://example.com"}' "$public/shorten"; }
check 'with one it is made' same "$(create "$key")" 201
check 'a wrong secret is a 401' is_problem "$(create "${key%?????}00000")" 401
check 'a key without the scope is a 403' is_problem "$(create "$(scripts/admin-key --scopes links:read)")" 403
sql 'UPDATE api_keys SET revoked_at = now()' >/dev/null
check 'a revoked key is a 401' is_problem "$(create "$key")" 401
check 'no key is in any log' test -z "$(grep -rlF "${key#ls_*_}" "$LINKSHRINK_VAR/log" || true)"

finish
