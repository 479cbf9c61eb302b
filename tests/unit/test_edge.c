#include "base/edge.h"

#include <criterion/criterion.h>

static struct edge edge;

static uint64_t count(enum label_edge a, enum label_method b, enum label_code c)
{
	return edge.counts[a][b][c];
}

Test(edge, reads_what_lighttpd_counted)
{
	cr_assert(edge_read(
		&edge, "redirect GET 302 18446744073709551615,none other 400 2,page HEAD 200 7,."));
	cr_expect_eq(count(LABEL_edge_REDIRECT, LABEL_method_GET, LABEL_code_302), UINT64_MAX);
	cr_expect_eq(count(LABEL_edge_NONE, LABEL_method_OTHER, LABEL_code_400), 2);
	cr_expect_eq(count(LABEL_edge_PAGE, LABEL_method_HEAD, LABEL_code_200), 7);
	cr_expect_eq(count(LABEL_edge_PAGE, LABEL_method_HEAD, LABEL_code_304), 0);
}

Test(edge, reads_no_counts_as_none)
{
	edge.counts[0][0][0] = 1;
	cr_assert(edge_read(&edge, "."));
	cr_expect_eq(edge.counts[0][0][0], 0);
}

Test(edge, adds_up_statuses_that_have_no_name)
{
	cr_assert(edge_read(&edge, "redirect GET 418 2,redirect GET 505 3,redirect GET 0 1,."));
	cr_expect_eq(count(LABEL_edge_REDIRECT, LABEL_method_GET, LABEL_code_OTHER), 6);
}

Test(edge, refuses_anything_else)
{
	static const char *const wrong[] = { "", ",", "..", ". ", "redirect GET 302 1",
		"redirect GET 302 1,", "redirect GET 302 1.", "redirect GET 302 1,.x",
		"redirect GET 302,.", "redirect GET 302 -1,.", "redirect GET 302 +1,.",
		"redirect GET 302 1 ,.", " redirect GET 302 1,.", "redirect  GET 302 1,.",
		"redirect GET 3020 1,.", "redirect GET x 1,.", "redirect BREW 302 1,.",
		"nonsense GET 302 1,.", "redirect,.", "redirect GET,.",
		"averyveryverylongword GET 302 1,." };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_expect_not(edge_read(&edge, wrong[i]), "%s", wrong[i]);
}
