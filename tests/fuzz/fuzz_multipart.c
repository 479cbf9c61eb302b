/*
 * A byte that says how to cut, a Content-Type, a zero byte, and a body: however it is cut, the same
 * file comes out. A file that we put into a form ourselves comes out as it was.
 */
#include <stdbool.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "http/multipart.h"
#include "unit/pieces.h"

enum { FORM_MAX = 64 << 10 };

static void note(const char *bytes, size_t len, void *context)
{
	FUZZ_CHECK(len > 0);
	text_add_bytes(context, bytes, len);
}

static void feed(const char *bytes, size_t len, void *context)
{
	multipart_feed(context, bytes, len);
}

/* The file as far as it came, and how it ended. */
static struct text read_form(const char *boundary, const char *body, size_t len, uint32_t kind,
	enum multipart_result *result)
{
	struct text file = text_growing(FORM_MAX);
	struct multipart_reader *reader = multipart_reader_new(boundary, note, &file);
	FUZZ_CHECK(reader != NULL);
	text_add(&file, "");
	feed_pieces(body, len, kind, feed, reader);
	*result = multipart_end(reader);
	FUZZ_CHECK((*result == MULTIPART_MALFORMED) == (multipart_fault(reader) != NULL));
	FUZZ_CHECK(*result != MULTIPART_NO_FILE || file.len == 0);
	FUZZ_CHECK(!file.cut && file.len <= len);
	multipart_reader_free(reader);
	return file;
}

static void cut_anywhere(const char *boundary, const char *body, size_t len, uint32_t kind)
{
	enum multipart_result of_whole, of_cut;
	struct text whole = read_form(boundary, body, len, PIECES_WHOLE, &of_whole);
	struct text cut = read_form(boundary, body, len, kind, &of_cut);
	FUZZ_CHECK(of_whole == of_cut && whole.len == cut.len);
	FUZZ_CHECK(memcmp(whole.data, cut.data, whole.len) == 0);
	text_free(&whole);
	text_free(&cut);
}

/* But for a file that has the boundary in it: nobody would put that into this form. */
static void put_and_find(const char *boundary, const char *file, size_t len, uint32_t kind)
{
	enum multipart_result result;
	struct text form = text_growing(FORM_MAX);
	if (memmem(file, len, boundary, strlen(boundary)) != NULL)
		return;
	text_addf(&form, "--%s\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n", boundary);
	text_add_bytes(&form, file, len);
	text_addf(&form, "\r\n--%s--\r\n", boundary);
	struct text found = read_form(boundary, form.data, form.len, kind, &result);
	FUZZ_CHECK(result == MULTIPART_WHOLE && found.len == len);
	FUZZ_CHECK(memcmp(found.data, file, len) == 0);
	text_free(&found);
	text_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	if (size == 0)
		return 0;
	uint32_t kind = 1 + *data++;
	size--;
	char *content_type = fuzz_text(&data, &size);
	if (multipart_boundary(content_type, boundary)) {
		cut_anywhere(boundary, (const char *)data, size, kind);
		put_and_find(boundary, (const char *)data, size, kind);
	}
	free(content_type);
	return 0;
}
