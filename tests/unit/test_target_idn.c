#include "domain/target_idn.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "domain/target_url.h"

struct row {
	const char *pasted;
	const char *expected; /* the canonical form, or a piece of the refusal */
};

/* Through target_url: what libidn2 says and what we check ourselves only count together. */
static void compare_all(const struct row *rows, size_t count, bool taken)
{
	char canonical[TARGET_URL_MAX + 1];
	for (size_t i = 0; i < count; i++) {
		const char *refusal = target_url_read(rows[i].pasted, canonical);
		const char *said = refusal == NULL ? canonical : refusal;
		cr_expect_eq(refusal == NULL, taken, "%s: %s", rows[i].pasted, said);
		cr_expect_not_null(strstr(said, rows[i].expected), "%s: %s", rows[i].pasted, said);
	}
}

#define EXPECT_ALL(rows) compare_all(rows, sizeof(rows) / sizeof *(rows), true)
#define REFUSE_ALL(rows) compare_all(rows, sizeof(rows) / sizeof *(rows), false)

Test(target_idn, spells_hosts_of_other_letters_as_dns_does)
{
	static const struct row rows[] = {
		{ "http://m\u00fcnchen.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://M\u00dcNCHEN.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://mu\u0308nchen.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://m\u00fcn\u00adchen.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://m%C3%BCnchen.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://XN--MNCHEN-3YA.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://fa\u00df.de/", "http://xn--fa-hia.de/" },
		{ "http://\u0434\u043e\u043c.\u0440\u0444/", "http://xn--d1aqf.xn--p1ai/" },
		{ "http://\u05d0\u05d1.example/", "http://xn--4dbc.example/" },
		{ "http://\u65e5\u672c\u3002jp/", "http://xn--wgv71a.jp/" },
		{ "http://a\uff0eexample\uff61com\u3002/", "http://a.example.com/" },
		{ "http://\uff27\uff2f.com/", "http://go.com/" },
		{ "http://\uff58n--mnchen-3ya.de/", "http://xn--mnchen-3ya.de/" },
		{ "http://\uff18.8.8.8/", "http://8.8.8.8/" },
		{ "http://\u00fc_\u00fc.de/", "http://xn--_-dhab.de/" },
	};
	EXPECT_ALL(rows);
}

Test(target_idn, refuses_hosts_of_letters_that_browsers_refuse)
{
	static const struct row rows[] = {
		{ "http://xn--a.de/", "host" },
		{ "http://xn--.de/", "host" },
		{ "http://xn--abc.de/", "host" },
		{ "http://xn--a-.de/", "host" }, /* decodes to plain "a" */
		{ "http://xn--\u00fc.de/", "host" },
		{ "http://a\u200db.de/", "host" },      /* a joiner that joins nothing */
		{ "http://exa\u2100mple.de/", "host" }, /* would become exaa/cmple */
		{ "http://exam\uff05ple.de/", "host" }, /* % */
		{ "http://\u00e9!.de/", "host" },
		{ "http://\u00ad.de/", "host" }, /* nothing is left */
		{ "http://a.\u3002de/", "host" },
		{ "http://a\u2488com/", "host" }, /* a digit with a dot */
		{ "http://\ufffd.de/", "host" },
		{ "http://0\u05d0.de/", "host" }, /* would be displayed in another order */
		{ "http://1.\u05d0\u05d1.de/", "host" },
		{ "http://a_.xn--4dbc.de/", "host" },
		{ "http://\u0627\u0661"
		  "1.de/",
			"host" },
		{ "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "private" },
		{ "http://%31%32%37.0.0.1/", "private" },
		{ "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "private" },
		{ "http://1%2e1/", "four decimal" },
	};
	REFUSE_ALL(rows);
}

Test(target_idn, knows_its_own_names_in_other_letters)
{
	static const struct row rows[] = {
		{ "http://b\u00fccher.example/a", "itself" },
		{ "http://B%C3%9CCHER.example/a", "itself" },
		{ "http://xn--bcher-kva.example/a", "itself" },
		{ "http://xn--4dbc.example/a", "itself" },
	};
	(void)target_url_init("https://b\u00fccher.example", "\u05d0\u05d1.example", false);
	REFUSE_ALL(rows);
}

Test(target_idn, never_writes_past_its_room)
{
	char ascii[16] = "untouched";
	cr_expect_not(target_idn_read("m\u00fcnchen", ascii, 14), "it needs 14 and a zero");
	cr_expect(target_idn_read("m\u00fcnchen", ascii, 15));
	cr_expect_str_eq(ascii, "xn--mnchen-3ya");
}

Test(target_idn, limits_labels_by_their_length_in_ascii)
{
	char url[200];
	char label[2 * 64 + 1] = { 0 };
	for (size_t i = 0; i < 64; i++)
		memcpy(label + 2 * i, "\u00fc", 2);
	char canonical[TARGET_URL_MAX + 1];
	snprintf(url, sizeof(url), "http://%s.de/", label);
	cr_expect_not_null(target_url_read(url, canonical), "%s", canonical);
	label[2 * 20] = '\0';
	snprintf(url, sizeof(url), "http://%s.de/", label);
	cr_expect_null(target_url_read(url, canonical));
	cr_expect(strlen(canonical) < sizeof("http://.de/") + 63, "%s", canonical);
}
