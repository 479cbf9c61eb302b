/*
 * multipart - one file out of a form that a browser or curl -F sends (multipart/form-data, RFC 7578
 * and 2046), read as it comes in.
 *
 * A reader takes the body in pieces of any size and passes on the bytes of the part whose name is
 * `file`, in pieces of its own; other parts, and what stands before the first and after the last
 * boundary, are skipped. It needs the same memory whatever comes, and each byte costs a constant
 * time.
 *
 * What is malformed is known when it comes, which may be after bytes were passed on; then no more
 * are. Malformed is: no last boundary, something else than blanks after a boundary, headers of a
 * part that are longer than MULTIPART_HEADERS_MAX or none of ours (RFC 7578 asks each part for a
 * Content-Disposition of form-data with a name), a `file` that is encoded (base64 …), a second one.
 * Lines end with CR LF.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,     /* bytes, by RFC 2046 */
	MULTIPART_HEADERS_MAX = 8 << 10, /* bytes of the headers of a part */
};

enum multipart_result {
	MULTIPART_WHOLE,    /* the file was passed on to its end */
	MULTIPART_NO_FILE,  /* a good form, but no part has this name */
	MULTIPART_MALFORMED /* multipart_fault() says why */
};

typedef void (*multipart_taker)(const char *bytes, size_t len, void *context);

struct multipart_reader;

/* The boundary that a Content-Type tells; false if it is no multipart/form-data with a good one. */
bool multipart_boundary(const char *content_type, char boundary[MULTIPART_BOUNDARY_MAX + 1]);

/* boundary is copied. NULL if there is no memory. */
struct multipart_reader *multipart_reader_new(
	const char *boundary, multipart_taker take, void *context);
void multipart_reader_free(struct multipart_reader *reader);

void multipart_feed(struct multipart_reader *reader, const char *bytes, size_t len);

/* No more bytes come. The reader is then good for multipart_fault() only. */
__attribute__((warn_unused_result)) enum multipart_result multipart_end(
	struct multipart_reader *reader);

/* In words for whoever sent it, "a part has no …"; NULL as long as nothing is malformed. */
const char *multipart_fault(const struct multipart_reader *reader);

#endif
