-- What wrk sends, by the arguments after its "--":
--   (none)              one path again and again: wrk's own way, the cheapest for it
--   follow FILE [MS]    the codes of FILE in turn, one a line; each client rests MS in between
--   create WORD         POST /shorten, each time with another target; WORD goes into all of them
--   ask FILE KEY        the paths of FILE in turn, one a line, with this key of the API
-- At the end one line for the benchmark: requests, microseconds, those of the median and of the
-- 99th percentile, and how many had no answer or another one than 2xx or 3xx.

-- Everybody but a create says who asks and from where, as browsers do: a click keeps some of it.
wrk.headers["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " ..
	"(KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
wrk.headers["Referer"] = "https://news.example.net/item?id=4711"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
wrk.headers["Accept-Language"] = "en-GB,en;q=0.7"

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local function in_turn(file, before)
	local requests = {}
	for line in io.lines(file) do requests[#requests + 1] = wrk.format("GET", before .. line) end
	local next = number * 4999 % #requests -- threads begin at different places
	return function()
		next = next % #requests + 1
		return requests[next]
	end
end

local function create(word)
	local made = 0
	local head = "POST /shorten HTTP/1.1\r\nHost: localhost\r\n" ..
		"Content-Type: application/json\r\nContent-Length: "
	return function()
		made = made + 1
		local body = ('{"url":"https://example.com/bench/%s/%d/%d"}'):format(word, number, made)
		return head .. #body .. "\r\n\r\n" .. body
	end
end

function init(arguments)
	if arguments[1] == "follow" then
		request = in_turn(arguments[2], "/")
		local rest = tonumber(arguments[3])
		if rest then delay = function() return rest end end
	end
	if arguments[1] == "create" then request = create(arguments[2]) end
	if arguments[1] == "ask" then
		wrk.headers["Authorization"] = "Bearer " .. arguments[3]
		request = in_turn(arguments[2], "")
	end
end

function done(summary, latency)
	local errors = summary.errors
	print(("bench %d %d %d %d %d"):format(summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99),
		errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
