#!/bin/bash
# Behind a proxy (nginx) that speaks HTTPS: whom it asks for is believed, of it alone.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

nginx=
clean() {
	[ -z "$nginx" ] || { kill -TERM "$nginx" 2>/dev/null || true; wait "$nginx" 2>/dev/null || true; }
	stack_down
}
trap clean EXIT

tls=$(free_port)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=link.test \
	-addext subjectAltName=DNS:link.test -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
# It asks from an address of its own, so that it can be told from others on this machine.
export LINKSHRINK_BASE_URL=https://link.test:$tls LINKSHRINK_PROXY=127.0.0.2 LINKSHRINK_RATE_CREATE=3
stack_up

mkdir "$work/nginx"
cat >"$work/nginx/nginx.conf" <<END
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events {}
http {
	access_log off;
	client_body_temp_path $work/nginx/body;
	proxy_temp_path $work/nginx/proxy;
	fastcgi_temp_path $work/nginx/fastcgi;
	uwsgi_temp_path $work/nginx/uwsgi;
	scgi_temp_path $work/nginx/scgi;
	server {
		listen 127.0.0.1:$tls ssl;
		ssl_certificate $work/cert.pem;
		ssl_certificate_key $work/key.pem;
		location / {
			proxy_bind 127.0.0.2;
			proxy_pass http://127.0.0.1:$LINKSHRINK_PORT;
			proxy_set_header Host \$host;
			proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
		}
	}
}
END
/usr/sbin/nginx -c "$work/nginx/nginx.conf" >"$work/nginx/said" 2>&1 &
nginx=$!
answers() { listens "$tls"; }
check 'the proxy runs' wait_until 10 answers

public=https://link.test:$tls log=$LINKSHRINK_VAR/log/linkshrink.log
through() { # address [curl options…] URL: by the proxy, from there
	status --noproxy '*' --cacert "$work/cert.pem" --resolve "link.test:$tls:127.0.0.1" --interface "$1" "${@:2}"
}
directly() { status --noproxy '*' --interface "$1" "${@:2}"; } # address [curl options…] URL
shorten=(-H 'Content-Type: application/json' -d '{"url": "https://www.debian.org/"}')
network() { # the client's of the last line about a handler
	grep "\"handler\":\"$1\"" "$log" | tail -n 1 | sed 's/.*"client":"\([^"]*\)".*/\1/'
}
seen() { same "$(network "$1")" "$2"; }

check 'a link is made' same "$(through 127.1.1.1 "${shorten[@]}" "$public/shorten")" 201
code=$(sed -n 's/.*"short_code":"\([^"]*\)".*/\1/p' "$work/body")
check 'it begins with the name of the proxy' grep -qF "\"short_url\":\"$public/$code\"" "$work/body"
check 'who made it is the client' seen shorten 127.1.1.0
check 'it is followed' same "$(through 127.1.2.1 "$public/$code")" 302
check 'by the client' seen redirect 127.1.2.0
check 'who claims another address to the proxy' same "$(through 127.1.3.1 -H 'X-Forwarded-For: 203.0.113.9' "$public/$code")" 302
check 'is still himself' seen redirect 127.1.3.0
check 'who claims one to lighttpd' same \
	"$(directly 127.1.4.1 -H 'X-Forwarded-For: 203.0.113.9' "http://127.0.0.1:$LINKSHRINK_PORT/$code")" 302
check 'as well' seen redirect 127.1.4.0

exhaust() { # address: the statuses of calls until the first refusal
	for _ in 1 2 3 4 5 6; do through "$1" "${shorten[@]}" "$public/shorten"; echo; done
}
check 'one client is refused after some links' grep -qx 429 <(exhaust 127.1.5.1)
check 'and no other one' same "$(through 127.1.6.1 "${shorten[@]}" "$public/shorten")" 201
finish
