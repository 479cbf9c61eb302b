/*
 * A byte that says how to cut, then JSON: however it is cut, the same elements are found. Of what
 * is valid JSON, an array is one here too, with as many elements as cJSON finds.
 */
#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/json_array.h"
#include "http/json_check.h"
#include "unit/pieces.h"

struct notes {
	struct text elements;
	size_t count;
	size_t bad; /* no JSON documents */
	bool is_array;
};

static void note(const struct json_element *element, void *context)
{
	struct notes *notes = context;
	FUZZ_CHECK(element->number == ++notes->count);
	FUZZ_CHECK(element->fault == NULL && element->len > 0 && element->len <= JSON_ELEMENT_MAX);
	text_add_bytes(&notes->elements, element->bytes, element->len);
	text_add_char(&notes->elements, '\0');
	if (json_judge(element->bytes, element->len) == JSON_IS_INVALID)
		notes->bad++;
}

static void feed(const char *bytes, size_t len, void *context)
{
	json_array_feed(context, bytes, len);
}

static struct notes read_array(const char *bytes, size_t len, uint32_t kind)
{
	struct notes notes = { .elements = text_growing(1 << 20) };
	struct json_array *array = json_array_new(note, &notes);
	FUZZ_CHECK(array != NULL);
	text_add(&notes.elements, "");
	feed_pieces(bytes, len, kind, feed, array);
	notes.is_array = json_array_end(array);
	json_array_free(array);
	FUZZ_CHECK(!notes.elements.cut);
	return notes;
}

/* An array whose elements are all valid is valid, and the other way round. */
static void compare(const char *bytes, size_t len, const struct notes *notes)
{
	if (len > JSON_CHECK_RECURSION)
		return; /* the array may nest too deep for the check, and its elements not */
	if (json_judge(bytes, len) == JSON_IS_INVALID) {
		FUZZ_CHECK(!notes->is_array || notes->bad > 0);
		return;
	}
	cJSON *document = cJSON_ParseWithLength(bytes, len);
	if (document != NULL && cJSON_IsArray(document)) {
		FUZZ_CHECK(notes->is_array && notes->bad == 0);
		FUZZ_CHECK((size_t)cJSON_GetArraySize(document) == notes->count);
	} else if (document != NULL) {
		FUZZ_CHECK(!notes->is_array && notes->count == 0);
	}
	cJSON_Delete(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *bytes = (const char *)data + 1;
	struct notes whole = read_array(bytes, size - 1, PIECES_WHOLE);
	struct notes cut = read_array(bytes, size - 1, 1 + data[0]);
	FUZZ_CHECK(whole.is_array == cut.is_array && whole.count == cut.count);
	FUZZ_CHECK(whole.elements.len == cut.elements.len);
	FUZZ_CHECK(memcmp(whole.elements.data, cut.elements.data, whole.elements.len) == 0);
	compare(bytes, size - 1, &whole);
	text_free(&whole.elements);
	text_free(&cut.elements);
	return 0;
}
