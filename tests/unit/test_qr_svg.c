#include <criterion/criterion.h>
#include <string.h>

#include "http/qr_svg.h"

static struct text svg;

static void forget(void)
{
	text_free(&svg);
}

TestSuite(qr_svg, .fini = forget);

Test(qr_svg, has_a_quiet_zone_and_no_size_of_its_own)
{
	svg = text_growing(64 << 10);
	cr_assert(qr_svg(&svg, "https://s.example/abc"));
	/* Version 2, level M: 25 modules, and four of white on each side. */
	cr_expect(strstr(svg.data, "viewBox=\"0 0 33 33\"") != NULL, "%s", svg.data);
	cr_expect(strstr(svg.data, "<path d=\"M4 4h7v1h-7z") != NULL, "%s", svg.data);
	cr_expect(strstr(svg.data, " width=") == NULL);
	cr_expect_not(svg.cut);
}

Test(qr_svg, escapes_its_title)
{
	svg = text_growing(64 << 10);
	cr_assert(qr_svg(&svg, "</title><script>'\"&"));
	cr_expect(strstr(svg.data, "<script>") == NULL);
	cr_expect(strstr(svg.data, "&lt;script&gt;&#39;&quot;&amp;") != NULL);
}

Test(qr_svg, refuses_what_no_code_holds)
{
	static char content[4096];
	memset(content, 'a', sizeof(content) - 1);
	svg = text_growing(64 << 10);
	cr_expect_not(qr_svg(&svg, content));
}
