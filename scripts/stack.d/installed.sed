# Where systemd starts Link-Shrink, what people are told to type has other names; docs/runbook.md has the
# same as a table. scripts/service applies it to the rules that Prometheus gets, and only to those: what
# lies in /etc is the operator's. For sed -E. '' is ' in a text of YAML in single quotes, and harmless to
# a shell in any other.
/^ *#/b
s#(^|[` ])scripts/stack status\b#\1systemctl status ''linkshrink*''#g
s#(^|[` ])scripts/stack up( --detach)?\b#\1systemctl start linkshrink.target#g
s#(^|[` ])scripts/stack down\b#\1systemctl stop linkshrink.target#g
# One program alone: lighttpd's unit has them all.
s#(^|[` ])scripts/stack restart [a-z]+#\1systemctl restart linkshrink-web#g
s#(^|[` ])scripts/psql --superuser\b#\1runuser -u postgres -- psql -d linkshrink#g
s#(^|[` ])scripts/backup --list\b#\1linkshrink backup --list#g
s#(^|[` ])scripts/(backup|backup-rehearsal)([` ;]|$)#\1systemctl start linkshrink-\2; journalctl -n 20 -u linkshrink-\2\3#g
s#(^|[` ])scripts/(admin-key|audit|certificate|disable-links|doctor|import|incident-report|psql|reconcile|restore|test-alert|upgrade|watch)\b#\1linkshrink \2#g
# Who logs to a file at a stack, and to the journal there.
s#\b(grep [^`|]*[^`| ]) log/(prometheus|alertmanager)\.log\b#journalctl -u linkshrink-monitor@\2 | \1#g
s#(^|[` ])log/(prometheus|alertmanager)\.log\b#\1journalctl -u linkshrink-monitor@\2#g
s#(^|[` ])log/stack\.log\b#\1journalctl -u ''linkshrink*''#g
s#(^|[` ])log/postgresql\.log\b#\1/var/log/postgresql/*.log#g
s#(^|[` ])log/#\1/var/log/linkshrink/#g
# What lies in var/ there.
s#(^|[` ])(du [^`|]*) pg pg/pg_wal/ log spool\b#\1\2 /var/lib/postgresql/*/main{,/pg_wal/} /var/log/linkshrink /var/lib/linkshrink/spool#g
s#(^|[` ])pg/base pg/pg_wal/#\1/var/lib/postgresql/*/main/{base,pg_wal/}#g
s#(^|[` ])pg/(base|pg_wal)\b#\1/var/lib/postgresql/*/main/\2#g
s#(^|[` ])pg/#\1/var/lib/postgresql/#g
s#(^|[` ])(spool|replica)/#\1/var/lib/linkshrink/\2/#g
s#(^|[` ])var/\*#\1/var/lib/linkshrink*/* /var/log/linkshrink#g
