# Lines of the inbox's messages.jsonl (read with -R) to lines of `events`. Wants $from and $to (ms).

def ms: (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
def field: gsub("[\\t\\r\\n]+"; " ") | if . == "" then "-" else . end;
def kind: if startswith("🔴") then "page" elif startswith("🟠") then "ticket" elif startswith("🟢") then "over" else "note" end;
# "🟠 2 × TargetDown · x; over: 1" is about TargetDown.
def alert: sub("^[^ ]+ "; "") | sub("^[0-9]+ × "; "") | sub("[^A-Za-z0-9_].*"; "");

[inputs | fromjson? | select(.path == "/discord") | .ms = (.received | ms) | select(.ms >= $from and .ms <= $to)]
| to_entries[] | .key as $number | .value
| (.payload | if type == "object" then (.embeds // [] | map(.title // "")) else [] end | if . == [] then ["(no title)"] else . end)[] as $title
| if .status >= 200 and .status < 300 then [.ms, ($title | kind), ($title | alert), $title]
	else [.ms, "note", "inbox", "a message was refused with \(.status): \($title)"] end
| map(tostring | field) + ["inbox message \($number + 1)"] | join("\t")
