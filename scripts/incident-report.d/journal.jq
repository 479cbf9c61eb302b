# Lines of systemd's journal (journalctl -o json) about our units, to lines of `events`. A message that is
# no text (its bytes, or null where it is too long) is left out, and so is what a unit used at its end.

select((.MESSAGE | type) == "string" and .UNIT != null)
| (.UNIT + ": ") as $prefix
| (.MESSAGE | ltrimstr($prefix)) as $text
| select($text | startswith("Consumed ") | not)
| [.__REALTIME_TIMESTAMP[:-3], "process", (.UNIT | rtrimstr(".service")), $text, "journal of systemd"]
| map(gsub("[\\t\\r\\n]+"; " ")) | join("\t")
