# map - an export of another shortener as rows of the columns of /urls/bulk, /users/bulk or /events/bulk.
#
# awk -f csv.awk -f time.awk -f text.awk -f report.awk -f map.awk formats - <FILE >ROWS, with
#   IMPORT_FORMAT    one of the file formats
#   IMPORT_FILE      what the file is called; IMPORT_REPORT: where report.awk writes
#   IMPORT_DATES     no: leave out ids and dates, which only keys of the operators may write
#   IMPORT_RESERVED  codes that are none here are mended, and so are these words; "": they are not
#   IMPORT_FACTS     file for "to urls", "rows N", "written N", "refused N", "changed N", "clicks N", and the
#                    columns: "takes HERE THERE", "leaves THERE"
# ROWS is CSV: row and line in the file, then the columns. Exit code: 2 if it is no such export.

BEGIN {
	format = ENVIRON["IMPORT_FORMAT"]
	mends = split(tolower(ENVIRON["IMPORT_RESERVED"]), words, " ")
	for (i in words)
		text_reserved[words[i]] = 1
	csv_begin()
}
FNR == NR {
	if ($1 == format)
		learn()
	next
}
csv_feed($0) {
	if (!columns)
		take_header()
	else
		take_row()
	if (wrong || csv_lost)
		exit
}
END {
	if (!wrong && !columns)
		complain("it is empty")
	if (!wrong && csv_end() != "")
		complain(csv_end())
	if (wrong)
		exit 2
	print_facts()
}

function complain(what) {
	print "import: " ENVIRON["IMPORT_FILE"] ": " what >"/dev/stderr"
	wrong = 1
}

# ---- The table of columns

function learn() {
	rules++
	to[rules] = $2
	here[rules] = $3
	must[rules] = sub(/\*$/, "", here[rules])
	how[rules] = $4
	names[rules] = $5
	if (!($2 in known)) {
		known[$2] = ++kinds
		kind[kinds] = $2
	}
}

function plain(name) {
	name = tolower(name)
	gsub(/[^a-z0-9]/, "", name)
	return name
}

# Cells of a rule, as " 3 1", in the order of its names.
function cells_of(rule,    list, count, i, cells) {
	count = split(names[rule], list, ",")
	for (i = 1; i <= count; i++)
		if (plain(list[i]) in place)
			cells = cells " " place[plain(list[i])]
	return cells
}

function said(name_list) {
	gsub(/,/, " or ", name_list)
	gsub(/_/, " ", name_list)
	return name_list
}

# What a kind of file must have and this one lacks; "" if it is one.
function lacking(which,    rule, lack) {
	for (rule = 1; rule <= rules; rule++)
		if (to[rule] == which && must[rule] && cells_of(rule) == "")
			lack = lack (lack == "" ? "" : ", ") said(names[rule])
	return lack
}

function take_header(    i) {
	columns = csv_cells
	for (i = columns; i >= 1; i--) {
		place[plain(csv_cell[i])] = i
		title[i] = csv_cell[i]
	}
	for (i = 1; i <= kinds && into == ""; i++)
		if (lacking(kind[i]) == "")
			into = kind[i]
	if (into == "")
		refuse_file()
	else
		print_header()
}

function refuse_file(    i) {
	complain("this is no export of " format)
	printf "  its first line has:" >"/dev/stderr"
	for (i = 1; i <= columns; i++)
		printf "%s %s", (i == 1 ? "" : ","), text_cut(text_line(title[i]), 60) >"/dev/stderr"
	print "" >"/dev/stderr"
	for (i = 1; i <= kinds; i++)
		print "  for " kind[i] " it lacks: " lacking(kind[i]) >"/dev/stderr"
}

function is_sent(rule) {
	if (how[rule] ~ /^(count|secret|other)$/)
		return 0
	return ENVIRON["IMPORT_DATES"] != "no" || here[rule] !~ /^(id|created_at|updated_at|timestamp)$/
}

function print_header(    rule, i, used) {
	printf "row,line"
	for (rule = 1; rule <= rules; rule++) {
		cells[rule] = to[rule] == into ? cells_of(rule) : ""
		if (cells[rule] == "")
			continue
		if (is_sent(rule)) {
			printf ",%s", here[rule]
			takes[rule] = here[rule]
		}
		if (how[rule] != "count" && (is_sent(rule) || how[rule] != "text"))
			used = used cells[rule] " "
	}
	print ""
	for (i = 1; i <= columns; i++)
		left[i] = index(used " ", " " i " ") == 0
}

# ---- Rows

function refuse(reason) {
	refusal = refusal (refusal == "" ? "" : "; ") reason
}
function change(what) {
	changes = changes (changes == "" ? "" : "; ") what
}

function take_row(    rule) {
	rows++
	refusal = changes = code = url = second = ""
	if (csv_fault != "")
		refuse(csv_fault)
	else if (csv_cells != columns)
		refuse("it has " csv_cells " cells, and the first line has " columns)
	else
		for (rule = 1; rule <= rules; rule++)
			if (cells[rule] != "")
				value[rule] = read_cell(rule, there(rule))
	if (refusal != "") {
		refused++
		report(rows, csv_line, code, url, "refused", refusal)
		return
	}
	if (changes != "") {
		changed++
		report(rows, csv_line, code, url, "changed", changes)
	}
	print_row(code)
	if (second != "" && second != code)
		print_row(second)
}

function there(rule,    list, count, i, text) {
	count = split(cells[rule], list, " ")
	for (i = 1; i <= count && text == ""; i++)
		text = text_trim(csv_cell[list[i]])
	return text
}

function read_cell(rule, text,    way) {
	way = how[rule]
	if (here[rule] ~ /^(original_url|email|event_type)$/)
		url = text_line(text)
	if (here[rule] ~ /^(username|url_id)$/)
		code = text_line(text)
	if (way == "title")
		return read_title(text)
	if (way == "code")
		return read_code(text)
	if (way == "other")
		return read_other(text)
	if (way == "tags")
		return read_tags(text)
	if (way == "time" || way == "end")
		return read_time(text, way, here[rule])
	if (way == "flag" || way == "not")
		return read_flag(text, way, here[rule])
	if (way == "status")
		return tolower(text) ~ /^(deleted|inactive|disabled|expired)$/ ? "false" : ""
	if (way == "id" && text == "")
		refuse("it has no id")
	if (way == "count")
		return read_count(text)
	if (way == "secret" && text != "" && text_flag(text) != "false")
		refuse("a password protects it there, and here it would be open to all")
	return text
}

function read_title(text,    line) {
	line = text_line(text)
	text = text_cut(line, 255)
	if (text != line)
		change("the title was cut to 255 bytes")
	return text
}

function legal(text) {
	return mends ? text_mend(text) : text
}

function read_code(text) {
	text = text_code(text)
	code = text == "" ? "" : legal(text)
	if (text == "")
		refuse("it has no short code")
	else if (code != text)
		change("the code " text " is none here and became " code)
	return code
}

# Whoever has a link of his own domain beside its custom one has given away both. What is on a domain
# of Bitly's stays there, whatever we do.
function read_other(text) {
	if (text !~ /^([a-z]+:\/\/)?(www\.)?(bit\.ly|j\.mp|bitly\.com)\// && text_code(text) != "")
		second = legal(text_code(text))
	return text
}

function read_tags(text,    list, count, i, tags, tag) {
	count = split(text_line(text), list, "[|,]")
	for (i = 1; i <= count; i++)
		if ((tag = text_trim(list[i])) != "")
			tags = tags (tags == "" ? "" : ",") tag
	return tags
}

# A link that lived too long would be worse than one that is not there; a lost date of birth is not.
function read_time(text, way, column,    time) {
	time = time_read(text)
	if (text == "" && column == "timestamp")
		refuse("it has no timestamp")
	if (text == "" || text ~ /^0000-00-00/ || time != "")
		return time
	if (way == "end")
		refuse(column " is no time: " text_cut(text_line(text), 60))
	else
		change(column " is no time and is left out: " text_cut(text_line(text), 60))
	return ""
}

function read_flag(text, way, column,    flag) {
	flag = text_flag(text)
	if (text != "" && flag == "")
		refuse(column " is neither true nor false: " text_cut(text_line(text), 60))
	if (way == "not" && flag != "")
		flag = flag == "true" ? "false" : "true"
	return flag
}

function read_count(text) {
	gsub(/[^0-9]/, "", text)
	clicks += text
	return ""
}

function print_row(as,    rule) {
	written++
	printf "%d,%d", rows, csv_line
	for (rule = 1; rule <= rules; rule++)
		if (rule in takes)
			printf ",%s", csv_quote(takes[rule] == "short_code" ? as : value[rule])
	print ""
}

function print_facts(    rule, i, list, count, there_names) {
	out = ENVIRON["IMPORT_FACTS"]
	printf "to %s\nrows %d\nwritten %d\nrefused %d\nchanged %d\nclicks %.0f\n", into, rows, written, refused, changed, clicks >out
	for (rule = 1; rule <= rules; rule++) {
		if (!(rule in takes))
			continue
		count = split(cells[rule], list, " ")
		there_names = ""
		for (i = 1; i <= count; i++)
			there_names = there_names (i > 1 ? ", else " : "") title[list[i]]
		print "takes " takes[rule] " " there_names >out
	}
	for (i = 1; i <= columns; i++)
		if (left[i])
			print "leaves " text_line(title[i]) >out
}
