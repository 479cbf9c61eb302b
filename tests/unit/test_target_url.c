#include "domain/target_url.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct row {
	const char *pasted;
	const char *expected; /* the canonical form, or a piece of the refusal */
};

static char canonical[TARGET_URL_MAX + 1];

static void expect_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *refusal = target_url_read(rows[i].pasted, canonical);
		cr_expect_null(refusal, "%s: %s", rows[i].pasted, refusal);
		cr_expect_str_eq(canonical, rows[i].expected, "%s: %s", rows[i].pasted, canonical);
	}
}

static void refuse_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *refusal = target_url_read(rows[i].pasted, canonical);
		cr_expect(refusal != NULL && strstr(refusal, rows[i].expected) != NULL, "%s: %s",
			rows[i].pasted, refusal == NULL ? canonical : refusal);
		cr_expect_str_empty(canonical, "%s", rows[i].pasted);
	}
}

#define EXPECT_ALL(rows) expect_all(rows, sizeof(rows) / sizeof *(rows))
#define REFUSE_ALL(rows) refuse_all(rows, sizeof(rows) / sizeof *(rows))

Test(target_url, takes_what_people_paste)
{
	static const struct row rows[] = {
		{ "http://example.com", "http://example.com/" },
		{ "HTTPS://Example.COM/Path", "https://example.com/Path" },
		{ "  https://example.com/a \r\n", "https://example.com/a" },
		{ "https://example.com/?q=a+b&c=d%20e", "https://example.com/?q=a+b&c=d%20e" },
		{ "https://example.com?q", "https://example.com/?q" },
		{ "https://example.com#top", "https://example.com/#top" },
		{ "https://example.com/?#", "https://example.com/?#" },
		{ "https://example.com/#a#b?c", "https://example.com/#a#b?c" },
		{ "https://example.com:8443/x", "https://example.com:8443/x" },
		{ "https://example.com/user@host", "https://example.com/user@host" },
		{ "https://example.com/100%", "https://example.com/100%" },
		{ "https://example.com/a:b;c,d!$&'()*+=~",
			"https://example.com/a:b;c,d!$&'()*+=~" },
		{ "https://en.wikipedia.org/wiki/C_(programming_language)",
			"https://en.wikipedia.org/wiki/C_(programming_language)" },
		{ "https://example.com//double//", "https://example.com//double//" },
		{ "https://xn--mnchen-3ya.de/", "https://xn--mnchen-3ya.de/" },
		{ "http://a_b.example.com/_", "http://a_b.example.com/_" },
		{ "http://_a.example.com/", "http://_a.example.com/" },
		{ "http://r4---sn-4g5e.example.com/", "http://r4---sn-4g5e.example.com/" },
		{ "http:example.com", "http://example.com/" },
		{ "https:/Example.com/a", "https://example.com/a" },
		{ "https:////example.com//a", "https://example.com//a" },
		{ "http://exa%6Dple%2Ecom/", "http://example.com/" },
		{ "http://example.com/a b?c d#e f ", "http://example.com/a%20b?c%20d#e%20f" },
		{ "http://8.8.8.8/", "http://8.8.8.8/" },
		{ "http://1.2.3.4.example.com/", "http://1.2.3.4.example.com/" },
	};
	EXPECT_ALL(rows);
}

Test(target_url, encodes_what_a_header_cannot_carry)
{
	static const struct row rows[] = {
		{ "https://example.com/m\u00fcnchen", "https://example.com/m%C3%BCnchen" },
		{ "https://example.com/?q=\u00fc", "https://example.com/?q=%C3%BC" },
		{ "https://example.com/#\u20ac", "https://example.com/#%E2%82%AC" },
		{ "https://example.com/\U0001f600", "https://example.com/%F0%9F%98%80" },
		{ "https://example.com/<a>\"`{}^|", "https://example.com/%3Ca%3E%22%60%7B%7D%5E|" },
		{ "https://example.com/?<a>'\"`{}", "https://example.com/?%3Ca%3E%27%22`{}" },
		{ "https://example.com/#<a>'\"`{}", "https://example.com/#%3Ca%3E'%22%60{}" },
		{ "https://example.com/\xc2\x85", "https://example.com/%C2%85" },
	};
	EXPECT_ALL(rows);
}

Test(target_url, resolves_dot_segments_as_browsers_do)
{
	static const struct row rows[] = {
		{ "http://example.com/a/./b", "http://example.com/a/b" },
		{ "http://example.com/a/../b", "http://example.com/b" },
		{ "http://example.com/a/..", "http://example.com/" },
		{ "http://example.com/a/.", "http://example.com/a/" },
		{ "http://example.com/a/b/..", "http://example.com/a/" },
		{ "http://example.com/..", "http://example.com/" },
		{ "http://example.com/../../x", "http://example.com/x" },
		{ "http://example.com/a//../b", "http://example.com/a/b" },
		{ "http://example.com/a/%2e%2E/b", "http://example.com/b" },
		{ "http://example.com/a/.%2e/b", "http://example.com/b" },
		{ "http://example.com/a/%2E/b", "http://example.com/a/b" },
		{ "http://example.com/a/.../b", "http://example.com/a/.../b" },
		{ "http://example.com/a/..b/.c", "http://example.com/a/..b/.c" },
		{ "http://example.com/?a/../b", "http://example.com/?a/../b" },
	};
	EXPECT_ALL(rows);
}

Test(target_url, spells_host_and_port_one_way)
{
	static const struct row rows[] = {
		{ "http://example.com:80/", "http://example.com/" },
		{ "https://example.com:443/", "https://example.com/" },
		{ "http://example.com:443/", "http://example.com:443/" },
		{ "http://example.com:/", "http://example.com/" },
		{ "http://example.com:0080/", "http://example.com/" },
		{ "http://example.com:00000000000081/", "http://example.com:81/" },
		{ "http://example.com:65535/", "http://example.com:65535/" },
		{ "http://example.com./", "http://example.com/" },
		{ "http://8.8.8.8./", "http://8.8.8.8/" },
		{ "http://[2606:4700:0:0:0:0:0:1111]/", "http://[2606:4700::1111]/" },
		{ "http://[2606:4700::ABCD]:81/", "http://[2606:4700::abcd]:81/" },
		{ "http://[::ffff:8.8.8.8]/", "http://[::ffff:8.8.8.8]/" },
		{ "http://[64:ff9b::808:808]/", "http://[64:ff9b::808:808]/" },
	};
	EXPECT_ALL(rows);
}

Test(target_url, refuses_what_is_no_web_address)
{
	static const struct row rows[] = {
		{ "", "http://" },
		{ "example.com", "http://" },
		{ "//example.com/", "http://" },
		{ "javascript:alert(1)", "http://" },
		{ "data:text/html,x", "http://" },
		{ "ftp://example.com/", "http://" },
		{ "httpx://example.com/", "http://" },
		{ "http://", "host" },
		{ "http://?q", "host" },
		{ "http://:80/", "host" },
		{ "http://./", "host" },
		{ "http://a..com/", "host" },
		{ "http://.example.com/", "host" },
		{ "http://example.com../", "host" },
		{ "http://-a.com/", "host" },
		{ "http://a-.com/", "host" },
		{ "http://exam,ple.com/", "host" },
		{ "http://exam ple.com/", "host" },
		{ "http://exam%2cple.com/", "host" },
		{ "http://exam%40ple.com/", "host" },
		{ "http://example.com%3a80/", "host" },
		{ "http://example.com%2fpath/", "host" },
		{ "http://exam%00ple.com/", "host" },
		{ "http://exam%ff.com/", "host" },
		{ "http://exam%6/", "host" },
		{ "http://exam%6g.com/", "host" },
		{ "http://%5b::1%5d/", "port" },
		{ "http:", "host" },
		{ "http:///", "host" },
		{ "http://user@example.com/", "user" },
		{ "http://user:word@example.com/", "user" },
		{ "http://@example.com/", "user" },
		{ "http://example.com:0/", "port" },
		{ "http://example.com:65536/", "port" },
		{ "http://example.com:-1/", "port" },
		{ "http://example.com:8o/", "port" },
		{ "http://example.com:80:80/", "port" },
		{ "http://example.com:99999999999999999999/", "port" },
	};
	REFUSE_ALL(rows);
}

Test(target_url, refuses_bytes_that_split_a_header_or_fool_a_reader)
{
	static const struct row rows[] = {
		{ "http://example.com/a\r\nSet-Cookie:x", "line breaks" },
		{ "http://example.com/a\tb", "line breaks" },
		{ "http://exa\nmple.com/", "line breaks" },
		{ "http://example.com/\x01", "line breaks" },
		{ "http://example.com/\x7f", "line breaks" },
		{ "http://example.com\\@evil.example/", "line breaks" },
		{ "http:\\\\example.com/", "line breaks" },
		{ "http://example.com/\xff", "UTF-8" },
		{ "http://example.com/\xc0\xaf", "UTF-8" },
		{ "http://example.com/\xed\xa0\x80", "UTF-8" },
	};
	REFUSE_ALL(rows);
}

Test(target_url, refuses_private_addresses_however_they_are_spelled)
{
	static const struct row rows[] = {
		{ "http://localhost/", "private" },
		{ "http://LOCALHOST./", "private" },
		{ "http://a.localhost/", "private" },
		{ "http://printer.local/", "private" },
		{ "http://vault.internal/", "private" },
		{ "http://nas.home.arpa/", "private" },
		{ "http://intranet/", "private" },
		{ "http://0.0.0.0/", "private" },
		{ "http://10.0.0.1/", "private" },
		{ "http://100.64.0.1/", "private" },
		{ "http://100.127.255.255/", "private" },
		{ "http://127.0.0.1/", "private" },
		{ "http://127.255.255.255/", "private" },
		{ "http://169.254.169.254/", "private" },
		{ "http://172.16.0.1/", "private" },
		{ "http://172.31.255.255/", "private" },
		{ "http://192.168.1.1/", "private" },
		{ "http://198.18.0.1/", "private" },
		{ "http://203.0.113.7/", "private" },
		{ "http://224.0.0.1/", "private" },
		{ "http://255.255.255.255/", "private" },
		{ "http://[::]/", "private" },
		{ "http://[::1]/", "private" },
		{ "http://[::7f00:1]/", "private" },
		{ "http://[::ffff:127.0.0.1]/", "private" },
		{ "http://[::ffff:a00:1]/", "private" },
		{ "http://[64:ff9b::10.0.0.1]/", "private" },
		{ "http://[64:ff9b:1::1]/", "private" },
		{ "http://[2002:7f00:1::]/", "private" },
		{ "http://[2002:c0a8:101::1]/", "private" },
		{ "http://[2001:0:1::1]/", "private" },
		{ "http://[2001:db8::1]/", "private" },
		{ "http://[3fff:fff::1]/", "private" },
		{ "http://[fc00::1]/", "private" },
		{ "http://[fdff::1]/", "private" },
		{ "http://[fe80::1]/", "private" },
		{ "http://[fec0::1]/", "private" },
		{ "http://[ff02::1]/", "private" },
		{ "http://[100::1]/", "private" },
		{ "http://[5f00::1]/", "private" },
	};
	REFUSE_ALL(rows);
}

Test(target_url, takes_public_addresses_next_to_private_ones)
{
	static const struct row rows[] = {
		{ "http://9.255.255.255/", "http://9.255.255.255/" },
		{ "http://11.0.0.0/", "http://11.0.0.0/" },
		{ "http://100.63.255.255/", "http://100.63.255.255/" },
		{ "http://100.128.0.0/", "http://100.128.0.0/" },
		{ "http://172.15.255.255/", "http://172.15.255.255/" },
		{ "http://172.32.0.0/", "http://172.32.0.0/" },
		{ "http://198.20.0.0/", "http://198.20.0.0/" },
		{ "http://223.255.255.255/", "http://223.255.255.255/" },
		{ "http://[2002:808:808::1]/", "http://[2002:808:808::1]/" },
		{ "http://[2001:200::1]/", "http://[2001:200::1]/" },
		{ "http://notlocalhost.com/", "http://notlocalhost.com/" },
		{ "http://mylocal.de/", "http://mylocal.de/" },
	};
	EXPECT_ALL(rows);
}

Test(target_url, refuses_disguised_ipv4_even_where_private_ones_pass)
{
	static const struct row rows[] = {
		{ "http://2130706433/", "four decimal" },
		{ "http://0x7f000001/", "four decimal" },
		{ "http://0x7f.1/", "four decimal" },
		{ "http://017700000001/", "four decimal" },
		{ "http://127.1/", "four decimal" },
		{ "http://127.0.1/", "four decimal" },
		{ "http://127.0.0.01/", "four decimal" },
		{ "http://127.0.0.0x1/", "four decimal" },
		{ "http://256.0.0.1/", "four decimal" },
		{ "http://1.2.3.4.5/", "four decimal" },
		{ "http://example.com.8/", "four decimal" },
		{ "http://example.0x/", "four decimal" },
		{ "http://[::1/", "bracket" },
		{ "http://[::1]x/", "host" },
		{ "http://[]/", "host" },
		{ "http://[1.2.3.4]/", "host" },
		{ "http://[fe80::1%25eth0]/", "host" },
		{ "http://[fe80::1%eth0]/", "host" },
		{ "http://[1:2:3:4:5:6:7:8:9]/", "host" },
		{ "http://::1/", "port" },
	};
	(void)target_url_init("https://short.example", "", true);
	REFUSE_ALL(rows);
}

Test(target_url, takes_private_addresses_where_the_configuration_says_so)
{
	static const struct row rows[] = {
		{ "http://10.0.0.1/", "http://10.0.0.1/" },
		{ "http://intranet:8000/", "http://intranet:8000/" },
		{ "http://[::1]/", "http://[::1]/" },
	};
	(void)target_url_init("https://short.example", "", true);
	EXPECT_ALL(rows);
}

Test(target_url, refuses_loops_to_its_own_names_on_every_port)
{
	static const struct row rows[] = {
		{ "https://short.example/abc", "itself" },
		{ "http://SHORT.example:8080/abc", "itself" },
		{ "https://short.example./abc", "itself" },
		{ "https://www.short.example/", "itself" },
		{ "https://s.example:9/", "itself" },
		{ "http://intranet:8080/", "itself" },
		{ "http://[2606:4700:0::1]:80/", "itself" },
	};
	static const struct row others[] = {
		{ "https://sub.short.example/", "https://sub.short.example/" },
		{ "https://short.example.com/", "https://short.example.com/" },
		{ "http://intranet/", "http://intranet/" },
	};
	(void)target_url_init("https://short.example",
		" www.short.example,S.example:8443,, intranet:8080 ,[2606:4700::1]", true);
	REFUSE_ALL(rows);
	EXPECT_ALL(others);
}

Test(target_url, lets_a_local_demo_link_to_its_neighbour_but_not_to_itself)
{
	static const struct row rows[] = {
		{ "http://127.0.0.1:8080/abc", "itself" },
		{ "http://localhost:8080/abc", "itself" },
		{ "http://[::1]:8080/abc", "itself" },
		{ "http://127.9.9.9:8080/abc", "itself" },
		{ "http://0.0.0.0:8080/abc", "itself" },
		{ "http://[::ffff:127.0.0.1]:8080/abc", "itself" },
	};
	static const struct row others[] = {
		{ "http://127.0.0.1:3000/", "http://127.0.0.1:3000/" },
		{ "http://192.168.0.1:8080/", "http://192.168.0.1:8080/" },
	};
	(void)target_url_init("http://127.0.0.1:8080", "", true);
	REFUSE_ALL(rows);
	EXPECT_ALL(others);
}

/* A URL of exactly len bytes whose last ones are `end`. */
static const char *long_url(size_t len, const char *end)
{
	static char url[TARGET_URL_MAX * 2];
	static const char begin[] = "https://example.com/";
	memset(url, 'a', len);
	memcpy(url, begin, strlen(begin));
	memcpy(url + len - strlen(end), end, strlen(end) + 1);
	return url;
}

Test(target_url, has_a_limit_before_and_after_encoding)
{
	cr_expect_null(target_url_read(long_url(TARGET_URL_MAX, ""), canonical));
	cr_expect_eq(strlen(canonical), TARGET_URL_MAX);
	cr_expect_not_null(target_url_read(long_url(TARGET_URL_MAX + 1, ""), canonical));
	cr_expect_null(target_url_read(long_url(TARGET_URL_MAX - 4, "\u00fc"), canonical));
	cr_expect_not_null(target_url_read(long_url(TARGET_URL_MAX - 3, "\u00fc"), canonical));
	cr_expect_str_empty(canonical);
}

Test(target_url, has_limits_for_labels_and_hosts)
{
	char url[400];
	char label[65] = { 0 };
	memset(label, 'a', 64);
	snprintf(url, sizeof(url), "http://%s.com/", label);
	cr_expect_not_null(target_url_read(url, canonical), "a label of 64");
	label[63] = '\0';
	snprintf(url, sizeof(url), "http://%s.com/", label);
	cr_expect_null(target_url_read(url, canonical), "a label of 63");
	snprintf(url, sizeof(url), "http://%s.%s.%s.%.61s./", label, label, label, label);
	cr_expect_null(target_url_read(url, canonical), "a host of 253");
	snprintf(url, sizeof(url), "http://%s.%s.%s.%.62s/", label, label, label, label);
	cr_expect_not_null(target_url_read(url, canonical), "a host of 254");
}

/* ---- Properties, over pseudo-random URLs from a fixed seed. */

static uint32_t seed = 20261123;

static uint32_t below(uint32_t bound)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % bound;
}

static void add_pieces(
	char *url, size_t room, const char *const *pieces, uint32_t count, uint32_t n)
{
	for (; n > 0; n--)
		strncat(url, pieces[below(count)], room - strlen(url) - 1);
}

static void make_url(char *url, size_t room)
{
	static const char *const schemes[] = { "http://", "https://", "HTTP://", "http:/",
		" http://", "https:" };
	static const char *const hosts[] = { "example.com", "Example.COM.", "8.8.8.8", "[2606::1]",
		"[::ffff:1.1.1.1]", "a.b.c", "10.0.0.1", "x", "-", ".", "0x7f", "xn--a", "1", ":",
		"m\u00fcnchen.de", "xn--mnchen-3ya.de", "\u05d0.a", "%41.b", "\u3002", "a_b.c",
		"80", ":65535", "@" };
	static const char *const pieces[] = { "/", "/", ".", "..", "/../", "%2e", "%2E%2e", "%",
		"%25", "?", "#", "a", "B", "\u00fc", "\U0001f600", "'", "\"", "<", "`", "{", "^",
		"|", "&", "=", "+", ";", "@", ":", "[", "]", "%zz", "%00", "\\", " ", "\xff",
		"\x01" };
	static const char *const ends[] = { "/", "/", "/", "?", "#", ":80/", ":1", "" };
	url[0] = '\0';
	add_pieces(url, room, schemes, sizeof(schemes) / sizeof(*schemes), 1);
	add_pieces(url, room, hosts, sizeof(hosts) / sizeof(*hosts), 1 + (below(4) == 0));
	add_pieces(url, room, ends, sizeof(ends) / sizeof(*ends), 1);
	/* The last four are refused anywhere: seldom, or nothing else would be tried. */
	uint32_t usual = sizeof(pieces) / sizeof(*pieces) - (below(8) == 0 ? 0 : 4);
	add_pieces(url, room, pieces, usual, below(24));
}

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= 0x20 || *text > 0x7e)
			return false;
	}
	return true;
}

Test(target_url, reads_its_own_output_unchanged)
{
	char url[TARGET_URL_MAX + 1], again[TARGET_URL_MAX + 1];
	int taken = 0;
	for (int i = 0; i < 50000; i++) {
		make_url(url, sizeof(url));
		if (target_url_read(url, canonical) != NULL)
			continue;
		taken++;
		const char *refusal = target_url_read(canonical, again);
		cr_assert_null(refusal, "%s -> %s: %s", url, canonical, refusal);
		cr_assert_str_eq(again, canonical, "%s -> %s -> %s", url, canonical, again);
		cr_assert(is_printable(canonical), "%s -> %s", url, canonical);
	}
	cr_expect_gt(taken, 4000, "only %d were good URLs: the generator is too wild", taken);
}

Test(target_url, names_the_setting_whose_hosts_are_none)
{
	static const struct {
		const char *base_url;
		const char *own_hosts;
		const char *setting;
	} rows[] = {
		{ "https://s.example", "", NULL },
		{ "https://s.example", " a.example , b.example:8080,,[2001:db8::1]", NULL },
		{ "https://s.example", "a.example,b example", "LINKSHRINK_OWN_HOSTS: " },
		{ "https://s.example", "https://a.example", "LINKSHRINK_OWN_HOSTS: " },
		{ "https://s..example", "", "LINKSHRINK_BASE_URL: " },
		{ "https://s.example:99999", "", "LINKSHRINK_BASE_URL: " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *fault = target_url_init(rows[i].base_url, rows[i].own_hosts, false);
		cr_expect_eq(fault == NULL, rows[i].setting == NULL, "row %zu: %s", i, fault);
		if (fault != NULL && rows[i].setting != NULL)
			cr_expect(text_starts_with(fault, rows[i].setting), "row %zu", i);
	}
}

Test(target_url, knows_an_own_address_by_every_spelling)
{
	static const char *const rows[] = { "http://8.8.8.8/", "http://[::ffff:8.8.8.8]/",
		"http://[64:ff9b::808:808]/", "http://[2002:808:808::]/" };
	cr_assert_null(target_url_init("http://8.8.8.8", "", true));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_not_null(target_url_read(rows[i], canonical), "%s", rows[i]);
	cr_expect_null(target_url_read("http://[::ffff:8.8.4.4]/", canonical));
}
