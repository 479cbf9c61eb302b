#!/bin/bash
# The package on a machine, reached as the internet would: HTTPS on 443 with listeners that systemd holds,
# a certificate replaced under load, operations with a key, and PostgreSQL by TLS. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
# shellcheck source=tests/install/container.sh
. tests/install/container.sh
# shellcheck source=tests/install/load.sh
. tests/install/load.sh

# ---- An authority of the test's own

tls=$work/tls
mkdir "$tls"
chmod 755 "$tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 60 -subj '/CN=Test authority' \
	-keyout "$work/ca.key" -out "$tls/ca.pem" 2>/dev/null
certificate() { # NAME HOST DAYS: $tls/NAME.key and $tls/NAME.pem
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$tls/$1.key" \
		-out "$work/csr" 2>/dev/null
	openssl x509 -req -in "$work/csr" -CA "$tls/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days "$3" \
		-extfile <(echo "subjectAltName=DNS:$2") -out "$tls/$1.pem" 2>/dev/null
}
certificate good link.test 50
certificate soon link.test 5
certificate database db.test 50

boot --bind-ro="$tls:/mnt/tls" --bind-ro="$LINKSHRINK_TESTS/torture:/mnt/torture" --bind="$work/results:/mnt/results"
check 'the package installs' inside dpkg --install /mnt/linkshrink.deb

# ---- From nothing to HTTPS, as docs/deploy.md says

# The commands of its first section, but for what needs the internet.
ten_minutes() { # from to: those between two of them
	sed -n '/^## Ten minutes/,/^## Install/p' docs/deploy.md | awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' |
		sed -e '/^apt install/d; /^certbot /d' -e "s/link\\.example/link.test/g; s|https://discord.com/.*|http://127.0.0.1:9/webhook|" |
		sed -n "/^$1/,/^$2/p"
}
follow_docs() { ten_minutes "$1" "$2" | inside bash -e; } # from to
inside systemctl start "$postgresql"

set_up() { # NAME=value…
	inside sh -c 'printf "%s\n" "$@" >>/etc/linkshrink/linkshrink.env' sh "$@"
	inside systemctl daemon-reload
}
check 'the docs lead to a database' follow_docs 'systemctl disable' 'systemctl reload'
set_up LINKSHRINK_TLS_CA=/mnt/tls/ca.pem LINKSHRINK_ANONYMOUS_CREATE=yes LINKSHRINK_RATE_CREATE=0
check 'and to a start' follow_docs 'cat >>' 'systemctl enable'
check 'with a key for lighttpd alone' same "$(inside stat -c '%a %U %G' /etc/linkshrink/secrets/tls.pem)" '640 root linkshrink'
check 'it is ready' wait_until 60 answers 9080/ready 200

main_process() { inside systemctl show -p MainPID --value linkshrink-web.service; }
held() { # PORT…: by systemd, and lighttpd has them from there
	local port
	for port in "$@"; do
		inside ss -Hltnp "sport = :$port" | grep -q '"systemd",pid=1,.*"lighttpd"\|"lighttpd".*"systemd",pid=1,' ||
			{ inside ss -Hltnp; return 1; }
	done
}
check 'systemd holds the listeners' held 443 80 8080 9080 9443
unprivileged() { same "$(inside awk '/^(Uid|CapEff|CapAmb):/ { printf "%s ", $2 }' "/proc/$(main_process)/status")" \
	"$(inside id -u linkshrink) 0000000000000000 0000000000000000 "; }
check 'and lighttpd has no right to open them' unprivileged

https() { # [curl options…] URL: the status; the answer is in /tmp/body and /tmp/head
	inside curl -s -o /tmp/body -D /tmp/head -w '%{http_code}' --max-time 20 --cacert /mnt/tls/ca.pem \
		--connect-to ::127.0.0.1: "$@"
}
gives() { same "$(https "${@:2}")" "$1"; } # STATUS [curl options…] URL
check 'nobody trusts that one' fails_with -F 'browsers refuse it' inside linkshrink certificate
check 'one of an authority takes its place' inside linkshrink certificate /mnt/tls/good.pem /mnt/tls/good.key
check 'and browsers take it' inside linkshrink certificate
check 'a link is made over HTTPS' gives 201 -H 'Content-Type: application/json' \
	-d '{"url": "https://www.debian.org/", "short_code": "debian"}' https://link.test/shorten
check 'and followed' gives 302 https://link.test/debian
check 'browsers are told to stay' inside grep -qi '^strict-transport-security: max-age=31536000' /tmp/head
check 'HTTP leads there' gives 308 http://link.test/debian
check 'to the same link' inside grep -qi '^location: https://link.test/debian' /tmp/head
refuses_version() { # of TLS
	! inside timeout 10 openssl s_client -connect 127.0.0.1:443 "-$1" -cipher DEFAULT:@SECLEVEL=0 </dev/null >"$work/said" 2>&1 &&
		grep -q 'alert protocol version' "$work/said"
}
check 'TLS 1.1 is refused' refuses_version tls1_1
check 'TLS 1.0 is refused' refuses_version tls1

# ---- Under load

# by_https NAME command…: meanwhile the same by HTTPS, each a connection of its own
by_https() {
	local results=$work/results/$1 asking status=0
	inside sh -c 'until [ -e "$1/end" ]; do
		curl -s -o /dev/null -w "%{http_code}\n" --max-time 20 --cacert /mnt/tls/ca.pem --connect-to ::127.0.0.1: https://link.test/debian
		sleep 0.02
	done >"$1/https"' sh "/mnt/results/$1" </dev/null &
	asking=$!
	shift
	"$@" || status=$?
	wait_until 10 grows "$results/https" || true
	touch "$results/end"
	wait "$asking" || true
	return "$status"
}
grows() { [ "$(wc -l <"$1")" -gt "${length:=$(wc -l <"$1")}" ]; }
unfailed_by_https() { same "$(sort -u "$work/results/$1/https")" 302; }
web=$(main_process)
renew() { # NAME…: one after the other
	local name
	for name in "$@"; do inside linkshrink certificate "/mnt/tls/$name.pem" "/mnt/tls/$name.key" || return 1; done
}
check 'it is renewed under load' under_load renewal by_https renewal renew soon good soon good soon
echo "# $(score renewal)"
check 'and no request failed' unfailed renewal
check 'nor one by HTTPS' unfailed_by_https renewal
check 'another lighttpd shows it' test "$(main_process)" != "$web"
check 'on the same listeners' held 443 80 8080 9080
web=$(main_process)
check 'a pair that does not belong together is refused' fails_with -F 'is not the key of' \
	inside linkshrink certificate /mnt/tls/good.pem /mnt/tls/soon.key
check 'one of another host is refused' fails_with -F 'is not for link.test' \
	inside linkshrink certificate /mnt/tls/database.pem /mnt/tls/database.key
check 'and nothing was restarted for that' same "$(main_process)" "$web"
broken_configuration() {
	inside sh -c 'echo "nonsense {" >>/etc/linkshrink/lighttpd.conf'
	fails_with -F 'nothing was changed' inside linkshrink certificate /mnt/tls/good.pem /mnt/tls/good.key || return 1
	inside sed -i '$d' /etc/linkshrink/lighttpd.conf
	same "$(main_process)" "$web"
}
check 'where lighttpd could not start again it is not ended' broken_configuration
lighttpd_fails() {
	local drop_in=/run/systemd/system/linkshrink-web.service.d/fails.conf
	inside install -D -m 644 /dev/stdin "$drop_in" <<<$'[Service]\nExecStart=\nExecStart=/bin/false'
	inside systemctl daemon-reload
	inside cp /etc/linkshrink/secrets/tls.pem /tmp/before.pem
	fails_with -F 'so the old one is in place again' inside linkshrink certificate /mnt/tls/good.pem /mnt/tls/good.key || return 1
	inside rm "$drop_in"
	inside systemctl daemon-reload
	inside cmp /etc/linkshrink/secrets/tls.pem /tmp/before.pem
}
check 'where it does not come back the old one does' lighttpd_fails
check 'and it runs' wait_until 30 gives 302 https://link.test/debian
crash() { inside kill -KILL "$(main_process)" && wait_until 20 gives 302 https://link.test/debian; }
check 'back after a kill -9' under_load crash by_https crash crash
echo "# $(score crash); by HTTPS $(sort "$work/results/crash/https" | uniq -c | tr -s '\n ' ' ')"

# ---- Operations

asked() { # query: its values
	inside curl -s -G http://127.0.0.1:9080/prometheus/api/v1/query --data-urlencode "query=$1" |
		jq -r '[.data.result[].value[1]] | join(" ")'
}
says() { same "$(asked "$1")" "$2"; }
check 'the probe follows links over HTTPS' wait_until 60 says 'probe_success{probe="redirect"} * on() probe_http_ssl{probe="redirect"}' 1
check 'that the certificate ends soon is noticed' wait_until 60 says 'count(ALERTS{alertname="CertificateExpiresSoon"})' 1
check 'and that it is not the last day yet' says 'count(ALERTS{alertname="CertificateExpires"})' ''
check 'the docs lead to a test alert' fails_with -F 'delivery fails' inside linkshrink test-alert
key=$(inside linkshrink admin-key --name phone --scopes ops:read) || true
check 'a key opens operations' wait_until 30 gives 200 -u "phone:$key" https://link.test:9443/metrics
check 'all of them' gives 200 -u "phone:$key" 'https://link.test:9443/prometheus/api/v1/query?query=up'
check 'nobody else does' gives 401 https://link.test:9443/metrics
check 'where alerts go is shown to nobody' gives 403 -u "phone:$key" https://link.test:9443/alertmanager/api/v2/status
inside systemctl stop "$postgresql"
check 'PostgreSQL away: they are open' gives 200 -u "phone:$key" https://link.test:9443/metrics
check 'also after a restart' inside systemctl restart linkshrink-web.service
check 'since the keys are known' wait_until 20 gives 200 -u "phone:$key" https://link.test:9443/metrics
inside systemctl start "$postgresql"
set_up LINKSHRINK_OPS_TLS_PORT=
inside systemctl restart linkshrink.target
nowhere() { ! inside ss -Hltn | grep ':9443 ' && gives 302 https://link.test/debian; }
check 'without a port they are nowhere but here' wait_until 60 nowhere

# ---- HTTPS on a machine that ran without it

set_up LINKSHRINK_TLS_FILE= LINKSHRINK_BASE_URL=http://link.test
inside systemctl restart linkshrink.target
check 'without a certificate there is no HTTPS' wait_until 60 answers 8080/debian 302
check 'nobody listens for it' same "$(inside ss -Hltn | grep -cE ':(443|80) ')" 0
inside sh -c 'printf "%s\n" LINKSHRINK_TLS_FILE=/etc/linkshrink/secrets/tls.pem LINKSHRINK_BASE_URL=https://link.test >>/etc/linkshrink/linkshrink.env'
web=$(main_process)
begins() { inside linkshrink certificate /mnt/tls/good.pem /mnt/tls/good.key | grep -F 'systemctl daemon-reload && systemctl restart linkshrink.target'; }
check 'the command says how it begins' begins
check 'and what runs goes on' same "$(main_process)" "$web"
inside systemctl daemon-reload
inside systemctl restart linkshrink.target
check 'so it does' wait_until 60 gives 302 https://link.test/debian

# ---- A port that somebody has

nobody_listens() { ! inside ss -Hltn | grep -qE ':(443|80|8080|9080|9443) '; }
inside systemctl stop linkshrink.target
wait_until 20 nobody_listens || true
inside systemd-socket-activate --accept -l 0.0.0.0:80 /bin/cat >"$work/holder" 2>&1 </dev/null &
holder=$!
taken() { inside ss -Hltn 'sport = :80' | grep -q .; }
check 'somebody else has port 80' wait_until 10 taken
inside systemctl start linkshrink.target || true
check 'the doctor names who has the port' fails_with -E '80 of 0\.0\.0\.0 is taken by ' inside linkshrink doctor
inside pkill -f systemd-socket-activate || true
wait "$holder" || true
check 'it gives it back: the target starts' inside systemctl start linkshrink.target
check 'and users are served' wait_until 60 gives 302 https://link.test/debian

# ---- PostgreSQL by TLS

secret() { # name group role
	printf 'postgresql://%s:secret@db.test/linkshrink\n' "$3" |
		inside install -m 640 -g "$2" /dev/stdin "/etc/linkshrink/secrets/$1"
}
encrypt() {
	inside sh -c 'echo 127.0.0.1 db.test >>/etc/hosts'
	inside install -o postgres -m 600 /mnt/tls/database.key /mnt/tls/database.pem "$postgresql_etc"
	as_postgres psql -q -X -c "ALTER SYSTEM SET ssl_cert_file = '$postgresql_etc/database.pem'" \
		-c "ALTER SYSTEM SET ssl_key_file = '$postgresql_etc/database.key'" -c 'ALTER SYSTEM SET ssl = on' \
		-c "ALTER ROLE linkshrink_web PASSWORD 'secret'" -c "ALTER ROLE linkshrink_ingest PASSWORD 'secret'" \
		-c "ALTER ROLE linkshrink_owner PASSWORD 'secret'"
	inside systemctl restart "$postgresql"
	secret database-url linkshrink linkshrink_web
	secret ingest-url linkshrink linkshrink_ingest
	secret owner-url linkshrink-backup linkshrink_owner
	set_up DATABASE_URL= DATABASE_URL_FILE=/etc/linkshrink/secrets/database-url DATABASE_INGEST_URL= \
		DATABASE_INGEST_URL_FILE=/etc/linkshrink/secrets/ingest-url DATABASE_OWNER_URL= \
		DATABASE_OWNER_URL_FILE=/etc/linkshrink/secrets/owner-url PGSSLROOTCERT=/mnt/tls/ca.pem
	inside systemctl restart linkshrink.target
}
check 'PostgreSQL gets a certificate, and what connects to it a password in a file' encrypt
check 'all is well' wait_until 60 answers 9080/ready 200
check 'and encrypted' same "$(as_postgres psql -X -A -t -d linkshrink -c "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
	WHERE usename IN ('linkshrink_web', 'linkshrink_ingest')")" t
check 'the commands connect so as well' inside linkshrink psql -c 'SELECT 1'
set_up PGSSLROOTCERT=/etc/ssl/certs/ca-certificates.crt
inside systemctl restart linkshrink-web.service
check 'one that cannot prove who it is is none' wait_until 30 answers 9080/ready 503
check 'and links are followed' wait_until 10 gives 302 https://link.test/debian
check 'the log says why' inside grep -q 'certificate verify failed' /var/log/linkshrink/linkshrink.log

check 'it stops' inside systemctl stop linkshrink.target
check 'and nobody listens' wait_until 20 nobody_listens
finish
