#!/bin/bash
# HTTPS by lighttpd itself: what it speaks and what it refuses, what HTTP leads to, who sees the pages of
# operations, and that its certificate is watched.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

# ---- An authority of the test's own

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Test authority' \
		-keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
}

# Makes $work/NAME.key and $work/NAME.pem.
certificate() { # NAME HOST DAYS
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$work/$1.key" \
		-out "$work/$1.csr" 2>/dev/null
	openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days "$3" \
		-extfile <(echo "subjectAltName=DNS:$2") -out "$work/$1.pem" 2>/dev/null
}

authority
certificate good link.test 60
certificate soon link.test 5
certificate other other.test 60
certificate past link.test -1
cat "$work/good.key" "$work/good.pem" >"$work/tls.pem"
chmod 644 "$work/tls.pem" "$work/ca.pem" # the users of the stack read them

# ---- Started

tls=$(free_port) plain=$(free_port) private=$(free_port)
# Many wrong keys come from one address here, one after the other.
export LINKSHRINK_RATE_AUTH_FAIL=0
export LINKSHRINK_BASE_URL=https://link.test:$tls LINKSHRINK_TLS_FILE=$work/tls.pem LINKSHRINK_TLS_CA=$work/ca.pem
# Where this machine has IPv6 it is spoken as well.
[ ! -e /proc/net/if_inet6 ] || ! grep -q ' lo$' /proc/net/if_inet6 || export LINKSHRINK_TLS_LISTEN6=::1
export LINKSHRINK_TLS_LISTEN=127.0.0.1 LINKSHRINK_TLS_PORT=$tls LINKSHRINK_HTTP_PORT=$plain
export LINKSHRINK_OPS_TLS_PORT=$private LINKSHRINK_ACME=$work/acme LINKSHRINK_MONITORING=yes
LINKSHRINK_MONITORING_PORT=$(free_block 7)
export LINKSHRINK_MONITORING_PORT
mkdir -p "$LINKSHRINK_ACME/.well-known/acme-challenge"
echo token.thumbprint >"$LINKSHRINK_ACME/.well-known/acme-challenge/token-1"
chmod -R a+rX "$LINKSHRINK_ACME"
trap stack_down EXIT
stack_up

public=https://link.test:$tls operations=https://link.test:$private
https() { # [curl options…] URL: the status
	status --noproxy '*' --cacert "$work/ca.pem" --resolve "link.test:$tls:127.0.0.1" \
		--resolve "link.test:$private:127.0.0.1" "$@"
}
has_header() { grep -qi "^$1" "$work/head" || { cat "$work/head"; return 1; }; }
has_no_header() { ! has_header "$1" >/dev/null; }
gives() { same "$(https "${@:2}")" "$1"; } # STATUS [curl options…] URL
gives_in_clear() { same "$(status --noproxy '*' "${@:2}")" "$1"; }

# ---- Users

check 'a link is made over HTTPS' gives 201 -H 'Content-Type: application/json' \
	-d '{"url": "https://www.debian.org/", "short_code": "debian"}' "$public/shorten"
check 'its short link is one of HTTPS' grep -qF "\"short_url\":\"$public/debian\"" "$work/body"
check 'it is followed' gives 302 "$public/debian"
check 'browsers are told to remember' has_header 'strict-transport-security: max-age=31536000'
check 'so by the page' gives 200 "$public/"
check 'and its headers' has_header 'strict-transport-security: max-age=31536000'
check 'so by errors' gives 404 "$public/absent"
check 'and theirs' has_header 'strict-transport-security: max-age=31536000'
check 'operations are not there' gives 404 "$public/metrics"

speaks() { # PROTOCOL [option…]: whether the handshake succeeds; everything is allowed on this side
	timeout 10 openssl s_client -connect "127.0.0.1:$tls" -servername link.test -CAfile "$work/ca.pem" \
		"-$1" "${@:2}" </dev/null >"$work/said" 2>&1 && grep -q 'Verify return code: 0 (ok)' "$work/said"
}
refuses() { ! speaks "$@" && grep -qE 'alert protocol version|alert handshake failure|no protocols available' "$work/said"; }
check 'TLS 1.3 is spoken' speaks tls1_3
check 'TLS 1.2 is spoken' speaks tls1_2
check 'TLS 1.1 is refused' refuses tls1_1 -cipher DEFAULT:@SECLEVEL=0
check 'TLS 1.0 is refused' refuses tls1 -cipher DEFAULT:@SECLEVEL=0
check 'a cipher without forward secrecy is refused' refuses tls1_2 -cipher AES128-SHA:AES256-SHA:AES128-GCM-SHA256:@SECLEVEL=0
check 'one that is not authenticated encryption as well' refuses tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0

# ---- HTTP

clear=http://127.0.0.1:$plain
redirects_before=$(metric 'http_requests_total{handler="redirect",method="GET",code="308"}')
check 'HTTP leads to HTTPS' gives_in_clear 308 "$clear/debian?a=b%20c&d"
check 'to the same place' has_header "location: $public/debian?a=b%20c&d"
check 'without a promise that anybody could have forged' has_no_header strict-transport
check 'the page, too' gives_in_clear 308 "$clear/"
check 'what would be sent in clear is refused' gives_in_clear 403 -d '{"url": "https://www.debian.org/"}' "$clear/shorten"
check 'so is a key, also of who only reads' gives_in_clear 403 -H 'Authorization: Bearer ls_1_x' "$clear/urls"
check 'in our words' grep -qF '"error":"forbidden"' "$work/body"
check 'a certificate authority finds what it asks for' gives_in_clear 200 "$clear/.well-known/acme-challenge/token-1"
check 'as it was put there' same "$(cat "$work/body")" token.thumbprint
check 'and nothing else' gives_in_clear 308 "$clear/.well-known/acme-challenge/"
check 'nor above it' gives_in_clear 400 --path-as-is "$clear/.well-known/acme-challenge/..%2f..%2f..%2ftls.pem"
check 'none of that counts as a link that was followed' same \
	"$(metric 'http_requests_total{handler="redirect",method="GET",code="308"}')" "$redirects_before"
check 'this machine itself goes on in clear' gives_in_clear 302 "http://127.0.0.1:$LINKSHRINK_PORT/debian"

[ -z "${LINKSHRINK_TLS_LISTEN6:-}" ] || {
	check 'by IPv6 as well' same "$(status --noproxy '*' --cacert "$work/ca.pem" --resolve "link.test:$tls:[::1]" "$public/debian")" 302
	check 'and HTTP there' gives_in_clear 308 "http://[::1]:$plain/debian"
}

# ---- Operations

good=$(scripts/admin-key --name call --scopes ops:read) other=$(scripts/admin-key --name other --scopes links:read,stats:read)
opens() { gives 200 -u "on-call:$good" "$operations$1"; } # PATH
is_closed() { # [curl options…] URL: and not a byte of what is behind
	same "$(https "$@")" 401 && has_header 'www-authenticate: basic realm=' && grep -qF '"error":"unauthorized"' "$work/body" &&
		! grep -qE 'linkshrink_|"checks"|<html' "$work/body"
}
check 'a key opens the pages of operations' wait_until 5 opens /metrics
check 'which are those' grep -q '^linkshrink_' "$work/body"
for path in /ready /logs/recent /system /server-status /prometheus/api/v1/query?query=up /alertmanager/ /runbook.md; do
	check "$path is shown" opens "$path"
done
check 'with the headers of who answers, once' same "$(grep -ci '^x-request-id' <(https -u ":$good" "$operations/ready" >/dev/null; cat "$work/head"))" 1
check 'and HSTS' has_header 'strict-transport-security: max-age=31536000'
check 'a program may say it as it does elsewhere' gives 200 -H "Authorization: Bearer $good" "$operations/ready"
check 'a question too long for a URL is read' gives 200 -u ":$good" -d query=up "$operations/prometheus/api/v1/query"
check 'a silence is not made' gives 403 -u ":$good" -H 'Content-Type: application/json' -d '{}' "$operations/alertmanager/api/v2/silences"
check 'nor anything deleted' gives 403 -u ":$good" -X DELETE "$operations/alertmanager/api/v2/silence/x"
for path in / /metrics /ready /logs/recent /prometheus/graph /prometheus/static/x.js /alertmanager/ /www/style.css; do
	check "$path is closed without a key" is_closed "$operations$path"
done
check 'a question with a body, too' is_closed -d query=up "$operations/prometheus/api/v1/query"
check 'to a wrong one' is_closed -u ":ls_1_$(printf '%064d' 0)" "$operations/metrics"
check 'to one of another scope' is_closed -u ":$other" "$operations/metrics"
check 'to no key at all' is_closed -u 'admin:admin' "$operations/metrics"
check 'not to a key in the URL' gives 401 "$operations/metrics?x=$good"
check 'nobody on it gets to the links' gives 404 -u ":$good" "$operations/debian"
process=$(noted postgresql)
kill -STOP "$process"
check 'PostgreSQL hangs: who is on call sees it' opens '/prometheus/api/v1/query?query=up'
kill -CONT "$process"
refused_now() { [ "$(https -u ":$good" "$operations/metrics")" = 401 ]; }
check 'it goes on: a key is revoked' sql "UPDATE api_keys SET revoked_at = now() WHERE name = 'call'"
check 'and is none' wait_until 10 refused_now
check 'as everywhere' is_closed -u ":$good" "$operations/prometheus/graph"

# ---- Watched

asked() { # query: its value
	curl -s -G "http://127.0.0.1:$LINKSHRINK_MONITORING_PORT/prometheus/api/v1/query" --data-urlencode "query=$1" |
		jq -r '[.data.result[].value[1]] | join(" ")'
}
says() { same "$(asked "$1")" "$2"; }
check 'the probe follows links over HTTPS' wait_until 20 says 'probe_success{probe="redirect"} * on() probe_http_ssl{probe="redirect"}' 1
check 'and makes them' wait_until 20 says 'probe_success{probe="shorten"}' 1
check 'the certificate is one' wait_until 40 says 'probe_success{job="certificate"}' 1
check 'and how long it lasts is known' says '(probe_ssl_earliest_cert_expiry{job="certificate"} - time()) / 86400 > bool 59' 1

# ---- A new one

check 'the command names names and days' grep -qE '^file +for link.test$' <(scripts/certificate)
check 'and finds nothing wrong' scripts/certificate
check 'two that do not belong together are refused' fails_with -F 'is not the key of' \
	scripts/certificate "$work/good.pem" "$work/other.key"
check 'one of another host is refused' fails_with -F 'is not for link.test' \
	scripts/certificate "$work/other.pem" "$work/other.key"
check 'one that has expired is refused' fails_with -F 'has expired' \
	scripts/certificate "$work/past.pem" "$work/past.key"
check 'none at all is refused' fails_with -F 'has no certificate' \
	scripts/certificate "$work/ca.key" "$work/good.key"
check 'the file is what it was' cmp -s "$work/tls.pem" <(cat "$work/good.key" "$work/good.pem")
check 'a good one takes its place' env LINKSHRINK_WEB_USER="$(id -un)" RENEWED_LINEAGE= scripts/certificate "$work/soon.pem" "$work/soon.key"
check 'that it is not shown yet is said' fails_with -F 'it is not the one of' scripts/certificate
chmod 644 "$work/tls.pem"
check 'lighttpd starts again' scripts/stack restart lighttpd
check 'it is shown' wait_until 20 scripts/certificate
check 'links are followed' gives 302 "$public/debian"

# ---- Settings that make no sense

down() { scripts/stack down >/dev/null; }
not_started() { # WORDS NAME=value…
	fails_with -F "$1" env "${@:2}" scripts/stack up --detach
}
down
check 'operations over HTTPS without a certificate are refused' not_started 'LINKSHRINK_OPS_TLS_PORT is set' LINKSHRINK_TLS_FILE=
check 'short links in clear are refused' not_started 'must begin with https' LINKSHRINK_BASE_URL=http://link.test
check 'a file that is missing is named' not_started "$work/missing" LINKSHRINK_TLS_FILE="$work/missing"
cat "$work/other.key" "$work/good.pem" >"$work/mixed.pem"
chmod 644 "$work/mixed.pem"
check 'a key of another certificate is refused' not_started 'lighttpd refuses' LINKSHRINK_TLS_FILE="$work/mixed.pem"
finish
