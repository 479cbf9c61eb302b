# Lines of linkshrink.log (read with -R), warnings and errors, to lines of `events`: the first of each
# component and event, and how many more there were. Wants $from and $to (ms). Links and clients are
# nobody's business here.

def ms: (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
def field: gsub("[\\t\\r\\n]+"; " ") | if . == "" then "-" else . end;
def words: del(.ts, .level, .component, .event, .pid, .ms, .request_id, .trace_id, .client, .code, .path, .user) | to_entries
	| map("\(.key) \(.value)") | join(", ");
def more: length - 1 | if . > 0 then "; and \(.) more" else "" end;

[inputs | fromjson? | select(.level == "error" or .level == "warning") | .ms = (.ts | ms) | select(.ms >= $from and .ms <= $to)]
| group_by([.component, .event])[] | sort_by(.ms) | more as $more | .[0]
| [.ms, "log", .component // "", "\(.level) \(.event)" + (words | if . == "" then "" else ": " + .[0:200] end) + $more,
	"log/linkshrink.log" + (if .request_id then ", request \(.request_id)" else "" end)]
| map(tostring | field) | join("\t")
