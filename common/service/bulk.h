/*
 * bulk - many rows in one body, read as they come: a JSON array, or CSV, or a form with a CSV file.
 *
 * A row that is wrong costs that row and is named; what could be stored is, BATCH_ROWS in a
 * transaction. Memory does not depend on how many rows there are.
 */
#ifndef SERVICE_BULK_H
#define SERVICE_BULK_H

#include "domain/batch.h"
#include "http/http.h"
#include "http/json_fields.h"
#include "service/service.h"

enum { BULK_BODY_MAX = 8 << 20 /* bytes */ };

/* What rows are and how they are stored. */
struct bulk_kind {
	const struct json_field
		*fields; /* of a row, at most 32, read into a wish of so many bytes */
	size_t wish_size;
	enum db_statement statement, pass_id; /* see domain/batch.h */
	unsigned columns;
	/* Makes the wish what it is where nothing is said; NULL: zeros. */
	void (*begin)(void *wish);
	/* Puts the row into the batch, or says what is wrong with it. */
	void (*add)(struct worker *worker, const void *wish, uint32_t seen, struct batch *batch,
		struct http_faults *faults);
	/* What a word of the statement means, for people; NULL: the row is there, as it was wanted. */
	const char *(*why)(const char *word);
	bool owned; /* the statement gets the owner of the caller's key as a further parameter */
};

/* Reads, stores and answers 201 {"created", "skipped", "errors": [{"row", "error"}]}. */
void bulk_take(struct worker *worker, const struct http_request *req, struct http_response *res,
	const struct bulk_kind *kind);

#endif
