#include "domain/agent.h"

#include <criterion/criterion.h>
#include <string.h>

/* As browsers and programs send them. Where bot is true, the browser is the bot's class. */
static const struct {
	const char *sent, *browser, *os;
	bool bot;
} agents[] = {
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/124.0.0.0 Safari/537.36",
		"chrome", "windows", false },
	{ "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/124.0.0.0 Mobile Safari/537.36",
		"chrome", "android", false },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like "
	  "Gecko) CriOS/124.0.6367.71 Mobile/15E148 Safari/604.1",
		"chrome", "ios", false },
	{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/124.0.0.0 Safari/537.36",
		"chrome", "chromeos", false },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
	  "Gecko) "
	  "Version/17.4.1 Safari/605.1.15",
		"safari", "macos", false },
	{ "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	  "Version/16.6 Mobile/15E148 Safari/604.1",
		"safari", "ios", false },
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0", "firefox",
		"linux", false },
	{ "Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0", "firefox",
		"android", false },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like "
	  "Gecko) FxiOS/125.0 Mobile/15E148 Safari/605.1.15",
		"firefox", "ios", false },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
		"edge", "windows", false },
	{ "Mozilla/5.0 (Windows Phone 10.0; Android 4.2.1; Microsoft; Lumia 950) "
	  "AppleWebKit/537.36 "
	  "(KHTML, like Gecko) Chrome/46.0.2486.0 Mobile Safari/537.36 Edge/13.10586",
		"edge", "windows", false },
	{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
	  "Safari/537.36 OPR/110.0.0.0",
		"opera", "linux", false },
	{ "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.8.131 Version/11.11", "opera", "windows",
		false },
	{ "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like "
	  "Gecko) "
	  "SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
		"samsung", "android", false },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/122.0.0.0 YaBrowser/24.4.0.0 Safari/537.36",
		"yandex", "windows", false },
	{ "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/122.0.0.0 Safari/537.36 Vivaldi/6.6.3271.45",
		"vivaldi", "windows", false },
	{ "Mozilla/5.0 (Linux; U; Android 12; en-US; Redmi Note) AppleWebKit/537.36 (KHTML, like "
	  "Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/15.5.4.1320 Mobile Safari/537.36",
		"uc", "android", false },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
	  "Gecko) "
	  "Version/17.4 Safari/605.1.15 Ddg/17.4",
		"duckduckgo", "macos", false },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like "
	  "Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/459.0.0.31.108;FBBV/588;FBDV/iPhone14,2]",
		"in-app", "ios", false },
	{ "Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Instagram 327.0.0.48.93 Android",
		"in-app", "android", false },
	{ "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "ie", "windows",
		false },
	{ "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "ie", "windows", false },
	{ "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.5) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "85.0.4183.93/6.5 TV Safari/537.36",
		"safari", "tv", false },
	{ "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/79.0.3945.79 Safari/537.36",
		"chrome", "tv", false },
	{ "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/120.0.0.0 Mobile Safari/537.36",
		"chrome", "android", false },
	{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "googlebot",
		"other", true },
	{ "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, "
	  "like "
	  "Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
	  "+http://www.google.com/bot.html)",
		"googlebot", "other", true },
	{ "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot",
		"other", true },
	{ "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "yandexbot", "other",
		true },
	{ "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
		"baiduspider", "other", true },
	{ "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "duckduckbot", "other",
		true },
	{ "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "slackbot", "other", true },
	{ "WhatsApp/2.23.20.0 A", "whatsapp", "other", true },
	{ "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "discordbot",
		"other", true },
	{ "TelegramBot (like TwitterBot)", "telegrambot", "other", true },
	{ "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebook",
		"other", true },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
	  "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
		"facebook", "other", true },
	{ "Twitterbot/1.0", "twitterbot", "other", true },
	{ "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
		"linkedinbot", "other", true },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like "
	  "Gecko) "
	  "Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
		"applebot", "other", true },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; "
	  "+https://openai.com/gptbot",
		"ai-bot", "other", true },
	{ "curl/8.5.0", "tool", "other", true },
	{ "Wget/1.21.3", "tool", "other", true },
	{ "python-requests/2.31.0", "tool", "other", true },
	{ "Go-http-client/2.0", "tool", "other", true },
	{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "HeadlessChrome/124.0.0.0 Safari/537.36",
		"tool", "other", true },
	{ "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "other-bot",
		"other", true },
	{ "SomeCrawler/0.1", "other-bot", "other", true },
	{ "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
		"other-bot", "other", true },
	{ "", "other", "other", false },
	{ "-", "other", "other", false },
	{ "Mozilla/5.0", "other", "other", false },
};

Test(agent, knows_what_browsers_and_bots_send)
{
	for (size_t i = 0; i < sizeof(agents) / sizeof(*agents); i++) {
		struct agent read = agent_read(agents[i].sent);
		cr_expect_str_eq(read.browser, agents[i].browser, "%s", agents[i].sent);
		cr_expect_str_eq(read.os, agents[i].os, "%s", agents[i].sent);
		cr_expect_eq(read.bot, agents[i].bot, "%s", agents[i].sent);
	}
}

Test(agent, looks_at_no_more_than_its_limit)
{
	char sent[4 * AGENT_READ_MAX];
	memset(sent, 'x', sizeof(sent));
	memcpy(sent + AGENT_READ_MAX - 8, "Firefox/", 8);
	memcpy(sent + AGENT_READ_MAX, "Googlebot", 10);
	struct agent read = agent_read(sent);
	cr_expect_str_eq(read.browser, "firefox");
	cr_expect_not(read.bot);
}

/* A row that another one hides can never be found: say so here, not years later. */
Test(agent, has_a_table_whose_rows_can_all_be_found)
{
	static const struct {
		const char *part, *name;
		char kind;
	} rows[] = {
#define AGENT_BOT(part, name)     { part, name, 'b' },
#define AGENT_BROWSER(part, name) { part, name, 'w' },
#define AGENT_OS(part, name)      { part, name, 'o' },
#include "domain/agents.def"
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct agent read = agent_read(rows[i].part);
		const char *found = rows[i].kind == 'o' ? read.os : read.browser;
		bool bot = rows[i].kind == 'b' && rows[i].name[0] != '\0';
		cr_expect_eq(read.bot, bot, "%s", rows[i].part);
		if (rows[i].name[0] != '\0')
			cr_expect_str_eq(found, rows[i].name, "%s", rows[i].part);
	}
}

Test(agent, tells_a_prefetch_by_its_purpose)
{
	static const char *const ahead[] = { "prefetch", "prefetch;prerender", "Prefetch",
		"prefetch;anonymous-client-ip", "prerender" };
	static const char *const asked[] = { "", "preview", "pre-fetch", "prefetc" };
	for (size_t i = 0; i < sizeof(ahead) / sizeof(*ahead); i++)
		cr_expect(agent_prefetches(ahead[i]), "%s", ahead[i]);
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		cr_expect_not(agent_prefetches(asked[i]), "%s", asked[i]);
}
