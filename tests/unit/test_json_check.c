#include "http/json_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct document {
	const char *bytes;
	size_t len;
	enum json_verdict verdict;
};

static const struct document documents[] = {
#define VALID(bytes)   { bytes, sizeof(bytes) - 1, JSON_IS_GOOD },
#define INVALID(bytes) { bytes, sizeof(bytes) - 1, JSON_IS_INVALID },
#define BEYOND(bytes)  { bytes, sizeof(bytes) - 1, JSON_IS_BEYOND_US },
#include "unit/json_documents.def"
};

/* Over a copy of exactly its length, so that a sanitizer sees a read past the end. */
static enum json_verdict judge(const char *bytes, size_t len)
{
	char *copy = malloc(len == 0 ? 1 : len);
	memcpy(copy, bytes, len);
	enum json_verdict verdict = json_judge(copy, len);
	cr_expect_eq(json_check(copy, len), verdict == JSON_IS_GOOD);
	free(copy);
	return verdict;
}

static bool check(const char *bytes, size_t len)
{
	return judge(bytes, len) == JSON_IS_GOOD;
}

Test(json_check, tells_valid_from_invalid_documents)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		const struct document *document = &documents[i];
		cr_expect_eq(judge(document->bytes, document->len), document->verdict, "%s",
			document->bytes);
	}
}

Test(json_check, sees_through_every_kind_of_nesting)
{
	static const char *const around[][2] = { { "[", "]" }, { "{\"a\":", "}" },
		{ " [1,", ",2]" }, { "\n", "\t" } };
	char nested[512];
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		const struct document *document = &documents[i];
		/* One bracket may close what another opened, a comma makes two of one. */
		if (memchr(document->bytes, '[', document->len) != NULL ||
			memchr(document->bytes, ',', document->len) != NULL || document->len < 2 ||
			strchr("{[,\"]} ", document->bytes[document->len - 1]) != NULL)
			continue;
		for (size_t j = 0; j < sizeof(around) / sizeof(*around); j++) {
			size_t before = strlen(around[j][0]), after = strlen(around[j][1]);
			memcpy(nested, around[j][0], before);
			memcpy(nested + before, document->bytes, document->len);
			memcpy(nested + before + document->len, around[j][1], after);
			cr_expect_eq(judge(nested, before + document->len + after),
				document->verdict, "%s in %s%s", document->bytes, around[j][0],
				around[j][1]);
		}
	}
}

Test(json_check, does_not_run_out_of_stack_on_a_wall_of_brackets)
{
	static char wall[64 << 10];
	memset(wall, '[', sizeof(wall));
	cr_expect_not(check(wall, sizeof(wall)));
}

Test(json_check, never_takes_a_document_that_was_cut_short)
{
	static const char whole[] =
		"{\"a\":[1.5e3,\"\\ud83d\\ude00\u00fc\",true,null,{\"b\":false}]}";
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		cr_expect_not(check(whole, len), "%.*s", (int)len, whole);
	cr_expect(check(whole, sizeof(whole) - 1));
}
