-- Every answer comes by here: it is counted, and lighttpd's own errors get the shape of the programs'
-- errors (application/problem+json or a page for people, a request id, Retry-After where it helps) and
-- a line in the log. This runs on each answer, so the common case leaves first.
--
-- lighttpd keeps one Lua for each script that lighttpd.conf names, for as long as it lives. So each
-- part of the site has a script of its own, edge-<part>.lua, and counts in the memory of that: nobody
-- has to ask an answer where it belongs. They are not lighttpd's own statistics, whose numbers have 32
-- bits. A request for the page of metrics comes by all of them before it is answered, and each adds
-- what it counted to a header for the program; see common/base/edge.h.

local reasons = {
	[400] = { "Bad Request", "malformed request" },
	[403] = { "Forbidden", "forbidden" },
	[404] = { "Not Found", "not found" },
	[405] = { "Method Not Allowed", "method not allowed" },
	[408] = { "Request Timeout", "the request took too long" },
	[411] = { "Length Required", "Content-Length is missing" },
	[413] = { "Content Too Large", "the body is too large" },
	[414] = { "URI Too Long", "the path is too long" },
	[417] = { "Expectation Failed", "expectation not supported" },
	[431] = { "Request Header Fields Too Large", "the path or the headers are too large" },
	[500] = { "Internal Server Error", "internal error" },
	[501] = { "Not Implemented", "method not known" },
	[502] = { "Bad Gateway", "no valid answer from the program" },
	[503] = { "Service Unavailable", "no program is free" },
	[504] = { "Gateway Timeout", "no answer in time" },
	[505] = { "HTTP Version Not Supported", "HTTP version not supported" },
}
local methods = { [0] = "other", "GET", "HEAD", "POST" }
local number_of = { GET = 1, HEAD = 2, POST = 3 }
local levels = { debug = 1, info = 1, warning = 2, error = 3 }

local log_file = os.getenv("LINKSHRINK_LOG") or ""
local least = levels[os.getenv("LINKSHRINK_LOG_LEVEL") or "info"] or 1
local pid = io.open("/proc/self/stat"):read("n")
local this_second, lines = 0, 0 -- how many were logged in it

-- Opened for each line, since it may have been rotated; not made, since its mode is up to the programs.
local function append(line)
	local there = io.open(log_file)
	local log = there and io.open(log_file, "a")
	if there then there:close() end
	if not log then return print(line) end
	log:write(line, "\n")
	log:close()
end

-- A line as those of the programs, in their log; so many a second, so that a flood fills no disk.
local function say(lighty, id, part, method, status, what)
	local seconds, nanoseconds = lighty.c.hrtime()
	local level = status >= 500 and "error" or "info"
	if levels[level] < least then return end
	if seconds ~= this_second then this_second, lines = seconds, 0 end
	lines = lines + 1
	if lines > 1000 then return end
	local attributes = lighty.r.req_attr
	local path = attributes["uri.path"] or ""
	if path == "" then path = attributes["request.path-info"] or "" end -- where programs find it
	append(('{"ts":"%s.%03dZ","level":"%s","component":"lighttpd","event":"request","pid":%d,' ..
		'"request_id":"%s","handler":"%s","method":"%s","status":%d,"path":"%s","error":"%s"}'):format(
		os.date("!%Y-%m-%dT%H:%M:%S", seconds), nanoseconds // 1000000, level, pid, id, part, method,
		status, (path:sub(1, 200):gsub("[^%w%-._~/+]", "?")), what))
end

local function answer_problem(lighty, part, method, status)
	local r = lighty.r
	local header = r.resp_header
	-- From a program of ours, or by mod_proxy: that has a date by now. It has its shape already.
	if header["X-Request-Id"] or header["Date"] then return 0 end
	local reason = reasons[status] or { "Error", "error" }

	-- Not secret, only distinct: it names an answer that no program knows of.
	local rand = lighty.c.rand
	local id = ("%08x%08x%08x%08x"):format(rand() & 0xffffffff, rand() & 0xffffffff,
		rand() & 0xffffffff, rand() & 0xffffffff)
	say(lighty, id, part, method, status, reason[2])

	header["X-Request-Id"] = id
	-- Not set yet when the request could not be parsed.
	header["X-Content-Type-Options"] = "nosniff"
	header["Referrer-Policy"] = "strict-origin-when-cross-origin"
	header["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; img-src 'self'; " ..
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	header["Cache-Control"] = "no-store"
	if status == 503 then header["Retry-After"] = "1" end

	-- Coarser than the programs' reading of Accept: who names a page and no JSON is a person.
	local accept = r.req_header["Accept"] or ""
	if accept:find("text/html", 1, true) and not accept:find("json", 1, true) then
		header["Content-Type"] = "text/html; charset=utf-8"
		r.resp_body:set(([[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%s · Link-Shrink</title>
<link rel="icon" href="/www/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/www/style.css">
</head>
<body>
<main class="single problem">
<p class="number">%d</p>
<h1>%s</h1>
<p class="actions"><a class="button" href="/">Make a short link</a></p>
<p class="note">%s · request <code>%s</code></p>
</main>
</body>
</html>
]]):format(reason[1], status, reason[1], reason[2], id))
		return status
	end

	header["Content-Type"] = "application/problem+json"
	r.resp_body:set(('{"type":"about:blank","title":"%s","status":%d,"detail":"%s","error":"%s","request_id":"%s"}\n')
		:format(reason[1], status, reason[2], reason[2], id))
	return status
end

-- The counts of a part, added to those of the parts before: the first begins the list, whatever the
-- client sent, and the last says that it is whole.
local function hand_over(r, part, counts)
	local header = r.req_header
	local list = { part ~= "none" and header["Linkshrink-Edge"] or "" }
	for kind, count in pairs(counts) do
		list[#list + 1] = ("%s %s %d %d,"):format(part, methods[kind & 3], kind >> 2, count)
	end
	if part == "operations" then list[#list + 1] = "." end
	header["Linkshrink-Edge"] = table.concat(list)
	return 0
end

return function(part)
	local counts = {} -- by status * 4 + method: a few, whatever clients send
	return function(lighty)
		local r = lighty.r
		local status = r.req_item.http_status
		if status == 0 then return hand_over(r, part, counts) end -- not answered yet
		local method = number_of[r.req_attr["request.method"]] or 0
		local kind = status << 2 | method
		counts[kind] = (counts[kind] or 0) + 1
		if status < 400 then return 0 end
		return answer_problem(lighty, part, methods[method], status)
	end
end
