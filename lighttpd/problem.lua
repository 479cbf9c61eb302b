-- lighttpd's own errors in the shape of the programs' errors: application/problem+json, or a page
-- for people, a request id, Retry-After where it helps. It runs on every answer, so the common case
-- leaves first.

local r = lighty.r
local status = r.req_item.http_status

if status < 400 then return 0 end

local header = r.resp_header
if header["X-Request-Id"] then return 0 end -- from a program: it has its shape already

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
local reason = reasons[status] or { "Error", "error" }

-- Not secret, only distinct: it names an answer that no program's log knows.
local rand = lighty.c.rand
local id = ("%08x%08x%08x%08x"):format(rand() & 0xffffffff, rand() & 0xffffffff,
	rand() & 0xffffffff, rand() & 0xffffffff)

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
