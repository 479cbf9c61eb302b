/*
 * A query string, a zero byte, and a text: what is found fits, is UTF-8, and comes back whole. What
 * is read by a table is what is found, or a fault.
 */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/query.h"

static void find(const char *query, const char *name)
{
	char small[8], large[4096];
	bool in_small = query_find(query, name, small, sizeof(small));
	bool in_large = query_find(query, name, large, sizeof(large));
	FUZZ_CHECK(in_small || small[0] == '\0');
	FUZZ_CHECK(in_large || large[0] == '\0');
	FUZZ_CHECK(strnlen(small, sizeof(small)) < sizeof(small));
	FUZZ_CHECK(text_is_utf8(large, strlen(large)));
	if (in_small)
		FUZZ_CHECK(in_large && strcmp(small, large) == 0);
	if (in_large)
		FUZZ_CHECK(query_has(query, name));
}

static void read_by_table(const char *query)
{
	static const struct json_field fields[] = {
		{ "limit", JSON_TEXT, false, 0, QUERY_VALUE_MAX, 0 }, { 0 }
	};
	char read[QUERY_VALUE_MAX + 1] = "", found[QUERY_VALUE_MAX + 1];
	struct http_faults faults = { 0 };
	uint32_t present;
	bool good = query_read(query, fields, read, &present, &faults);
	bool there = query_find(query, "limit", found, sizeof(found));
	FUZZ_CHECK(good == (faults.count == 0));
	FUZZ_CHECK(present == 1 || (good && found[0] == '\0'));
	FUZZ_CHECK(!good || strcmp(read, found) == 0);
	FUZZ_CHECK(there || !good || present == 0);
	FUZZ_CHECK(good || read[0] == '\0');
}

/* Every text, written with percent signs, is found as it was. */
static void write_and_find(const char *value)
{
	char found[1024];
	struct text query = text_growing(8192);
	text_add(&query, "b=1&a=");
	for (const char *at = value; *at != '\0'; at++)
		text_addf(&query, "%%%02x", (unsigned char)*at);
	text_add(&query, "&a=2");
	bool good = text_is_utf8(value, strlen(value)) && strlen(value) < sizeof(found);
	if (good) {
		FUZZ_CHECK(query_find(query.data, "a", found, sizeof(found)));
		FUZZ_CHECK(strcmp(found, value) == 0);
	}
	text_free(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *query = fuzz_text(&data, &size), *value = fuzz_text(&data, &size);
	find(query, "limit");
	read_by_table(query);
	find(query, value);
	if (strlen(value) < 1024)
		write_and_find(value);
	free(query);
	free(value);
	return 0;
}
