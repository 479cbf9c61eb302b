#include "domain/referrer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define LABEL_63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct {
	const char *sent, *host;
} good[] = {
	{ "https://www.example.com/path?q=1#top", "www.example.com" },
	{ "http://example.com", "example.com" },
	{ "https://example.com/", "example.com" },
	{ "HTTPS://WWW.Example.COM/", "www.example.com" },
	{ "https://example.com?q", "example.com" },
	{ "https://example.com#top", "example.com" },
	{ "https://example.com:8443/", "example.com" },
	{ "https://example.com:/", "example.com" },
	{ "https://example.com./", "example.com" },
	{ "https://user:secret@example.com/", "example.com" },
	{ "https://example.com/@someone", "example.com" },
	{ "https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example" },
	{ "http://localhost/", "localhost" },
	{ "http://192.0.2.7:80/x", "192.0.2.7" },
	{ "http://[2001:DB8::7]/", "[2001:db8::7]" },
	{ "http://[2001:db8:0:0::7]:8080/", "[2001:db8::7]" },
	{ "https://" LABEL_63 ".example/", LABEL_63 ".example" },
};

static const char *const odd[] = { "", "example.com", "//example.com/", "ftp://example.com/",
	"android-app://com.example/", "javascript:alert(1)", "https:/example.com", "https://",
	"https:///path", "https://:80/", "https://user@/", "https://a@b@c/",
	"https://exa mple.com/", "https://exa\tmple.com/", "https://example.com\\N",
	"https://exa%6dple.com/", "https://m\xc3\xbcnchen.example/", "https://under_score.example/",
	"https://-a.example/", "https://a-.example/", "https://a..example/", "https://.example/",
	"https://./", "https://example.com../", "https://example.com:80a/",
	"https://example.com:123456/", "https://[2001:db8::7/", "https://[2001:db8::7]x/",
	"https://[2001:db8::7%25eth0]/", "https://[example.com]/", "https://[]/",
	"https://" LABEL_63 "d.example/", " https://example.com/", "https://example.com\n/" };

Test(referrer, is_the_host_and_nothing_else)
{
	char host[REFERRER_MAX + 1];
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		cr_expect(referrer_read(good[i].sent, host), "%s", good[i].sent);
		cr_expect_str_eq(host, good[i].host);
	}
}

Test(referrer, is_nothing_where_anything_is_odd)
{
	char host[REFERRER_MAX + 1];
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		cr_expect_not(referrer_read(odd[i], host), "%s", odd[i]);
		cr_expect_str_eq(host, "", "%s", odd[i]);
	}
}

Test(referrer, is_a_name_of_up_to_253_bytes)
{
	char host[REFERRER_MAX + 1], url[400] = "https://";
	for (size_t i = 0; i < 127; i++)
		memcpy(url + 8 + 2 * i, "a.", 3);
	url[8 + REFERRER_MAX] = '\0';
	cr_expect(referrer_read(url, host));
	cr_expect_eq(strlen(host), REFERRER_MAX);
	url[8 + REFERRER_MAX] = 'c';
	cr_expect_not(referrer_read(url, host));
}
