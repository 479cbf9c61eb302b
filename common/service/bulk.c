#include "service/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "http/csv.h"
#include "http/json_array.h"
#include "http/json_write.h"
#include "http/multipart.h"
#include "http/text_fields.h"

enum {
	PART = 64 << 10,    /* bytes read at once */
	LISTED = 100,       /* errors that are told; the others are counted */
	STATEMENT_MS = 2000 /* for one batch */
};

struct bulk {
	const struct bulk_kind *kind;
	struct worker *worker;
	void *wish;
	struct batch *batch;
	size_t rows[BATCH_ROWS]; /* the numbers of those in the batch */
	struct text_columns columns;
	struct http_faults header_faults; /* of the line with the names of the columns */
	bool header_read;
	size_t read; /* rows */
	int64_t created, skipped;
	unsigned listed;
	struct text errors; /* the inside of the JSON array */
	bool away;          /* the database is: nothing more is stored */
};

static void refuse(struct bulk *bulk, size_t row, const char *why)
{
	bulk->skipped++;
	metrics_add(METRIC_bulk_rows, LABEL_row_REFUSED, 0, 1);
	if (bulk->listed == LISTED)
		return;
	struct json_writer json = json_writer(&bulk->errors);
	json.first[0] = bulk->listed++ == 0;
	json_open(&json, NULL, '{');
	json_number(&json, "row", (int64_t)row);
	json_text(&json, "error", why);
	json_close(&json, '}');
}

static void refuse_faulty(struct bulk *bulk, size_t row, const struct http_faults *faults)
{
	char memory[512];
	struct text why = text_fixed(memory, sizeof(memory));
	for (size_t i = 0; i < faults->count && !why.cut; i++)
		text_addf(&why, "%s%s %s", i > 0 ? "; " : "", faults->list[i].field,
			faults->list[i].what);
	refuse(bulk, row, memory);
}

static void refuse_all(struct bulk *bulk, const char *why)
{
	for (unsigned i = 0; i < bulk->batch->count; i++)
		refuse(bulk, bulk->rows[i], why);
}

/* All rows of the batch but those that the statement names. */
static void count_stored(struct bulk *bulk, const struct db_rows *refused)
{
	const int count = refused != NULL ? db_rows_count(refused) : 0;
	const int64_t before = bulk->created;
	bulk->created += bulk->batch->count;
	for (int i = 0; i < count; i++) {
		const char *why = bulk->kind->why(db_text(refused, i, 1));
		if (why == NULL)
			continue;
		bulk->created--;
		refuse(bulk, bulk->rows[db_number(refused, i, 0)], why);
	}
	metrics_add(METRIC_bulk_rows, LABEL_row_STORED, 0, (uint64_t)(bulk->created - before));
}

static void store(struct bulk *bulk)
{
	struct worker *worker = bulk->worker;
	char owner[DB_NUMBER];
	const char *const more[] = { db_number_text(owner, worker->key.owner) };
	struct db_rows *refused;
	if (bulk->batch->count == 0)
		return;
	db_set_deadline(worker->db, STATEMENT_MS);
	workers_busy(worker->slot, worker->thread);
	switch (batch_store(worker->db, bulk->kind->statement, bulk->kind->pass_id, bulk->batch,
		more, bulk->kind->owned ? 1 : 0, &refused)) {
	case DB_OK:
	case DB_NOT_FOUND: count_stored(bulk, refused); break;
	case DB_CONFLICT: refuse_all(bulk, "not stored: others stored the same just now"); break;
	case DB_BUSY:
	case DB_DOWN:
		bulk->away = !db_refused(worker->db);
		refuse_all(bulk, bulk->away ? "not stored: the database is away"
					    : "not stored: a value in these rows does not fit");
		break;
	}
	db_rows_free(refused);
	batch_clear(bulk->batch);
}

static void *new_wish(struct bulk *bulk)
{
	memset(bulk->wish, 0, bulk->kind->wish_size);
	if (bulk->kind->begin != NULL)
		bulk->kind->begin(bulk->wish);
	return bulk->wish;
}

/* A row that was read into the wish, with what is wrong with it so far. */
static void take(struct bulk *bulk, size_t row, uint32_t seen, struct http_faults *faults)
{
	const unsigned before = bulk->batch->count;
	if (bulk->away) {
		refuse(bulk, row, "not stored: the database is away");
		return;
	}
	if (faults->count == 0)
		bulk->kind->add(bulk->worker, bulk->wish, seen, bulk->batch, faults);
	if (faults->count > 0) {
		refuse_faulty(bulk, row, faults);
		return;
	}
	bulk->rows[before] = row;
	bulk->batch->count = before + 1;
	if (bulk->batch->count == BATCH_ROWS)
		store(bulk);
}

static void take_element(const struct json_element *element, void *context)
{
	struct bulk *bulk = context;
	struct http_faults faults = { 0 };
	uint32_t seen = 0;
	bulk->read++;
	if (element->fault != NULL)
		refuse(bulk, element->number, element->fault);
	else if (json_read(element->bytes, element->len, bulk->kind->fields, new_wish(bulk), &seen,
			 &faults) == JSON_INVALID)
		refuse(bulk, element->number, "is not valid JSON");
	else
		take(bulk, element->number, seen, &faults);
}

static void take_header(struct bulk *bulk, const struct csv_record *record)
{
	bulk->header_read = true;
	if (record->fault != NULL)
		http_fault(&bulk->header_faults, "header", "%s", record->fault);
	else
		text_fields_columns(
			record, bulk->kind->fields, &bulk->columns, &bulk->header_faults);
}

static void take_record(const struct csv_record *record, void *context)
{
	struct bulk *bulk = context;
	struct http_faults faults = { 0 };
	const size_t row = record->number - 1; /* the line with the names is none */
	uint32_t seen = 0;
	if (!bulk->header_read) {
		take_header(bulk, record);
		return;
	}
	if (bulk->header_faults.count > 0)
		return;
	bulk->read++;
	if (record->fault != NULL) {
		refuse(bulk, row, record->fault);
		return;
	}
	/* false: there are faults, which take() tells */
	(void)!text_fields_read(
		record, &bulk->columns, bulk->kind->fields, new_wish(bulk), &seen, &faults);
	take(bulk, row, seen, &faults);
}

static size_t read_part(const struct http_request *req, char part[PART], size_t *left)
{
	size_t room = *left < PART ? *left : PART;
	size_t len = room > 0 ? req->read(req->from, part, room) : 0;
	*left -= len;
	return len;
}

/* False: answered. */
static bool read_json(struct bulk *bulk, const struct http_request *req, struct http_response *res,
	char part[PART])
{
	struct json_array *array = json_array_new(take_element, bulk);
	size_t left = req->body_len, len;
	bool good = array != NULL;
	while (good && (len = read_part(req, part, &left)) > 0)
		good = json_array_feed(array, part, len);
	good = array != NULL && json_array_end(array) && good;
	json_array_free(array);
	if (good)
		return true;
	if (bulk->read > 0) {
		refuse(bulk, bulk->read + 1, "from here on this is not a JSON array");
		return true;
	}
	http_problem_detail(
		res, 400, "invalid_json", "The body is not a JSON array of objects.", NULL);
	return false;
}

static bool check_header(struct bulk *bulk, struct http_response *res)
{
	if (!bulk->header_read)
		http_fault(&bulk->header_faults, "header", "is missing: the file is empty");
	if (bulk->header_faults.count == 0)
		return true;
	http_problem_detail(res, 400, "invalid_fields", "The first line must name the columns.",
		&bulk->header_faults);
	return false;
}

static bool read_csv(struct bulk *bulk, const struct http_request *req, struct http_response *res,
	char part[PART])
{
	struct csv_reader *reader = csv_reader_new(take_record, bulk);
	size_t left = req->body_len, len;
	if (reader == NULL)
		return false;
	while ((len = read_part(req, part, &left)) > 0)
		csv_feed(reader, part, len);
	csv_end(reader);
	csv_reader_free(reader);
	return check_header(bulk, res);
}

static void feed_csv(const char *bytes, size_t len, void *context)
{
	csv_feed(context, bytes, len);
}

static bool check_form(struct bulk *bulk, struct http_response *res, struct multipart_reader *form)
{
	struct http_faults faults = { 0 };
	switch (multipart_end(form)) {
	case MULTIPART_WHOLE: return check_header(bulk, res);
	case MULTIPART_NO_FILE: http_fault(&faults, "file", "is missing in the form"); break;
	case MULTIPART_MALFORMED:
		if (bulk->read > 0) {
			refuse(bulk, bulk->read + 1, multipart_fault(form));
			return true;
		}
		http_fault(&faults, "body", "%s", multipart_fault(form));
		break;
	}
	http_problem_detail(res, 400, "invalid_fields", "The form is wrong.", &faults);
	return false;
}

static bool read_form(struct bulk *bulk, const struct http_request *req, struct http_response *res,
	char part[PART], const char *boundary)
{
	struct csv_reader *reader = csv_reader_new(take_record, bulk);
	struct multipart_reader *form = multipart_reader_new(boundary, feed_csv, reader);
	size_t left = req->body_len, len;
	bool good = reader != NULL && form != NULL;
	while (good && (len = read_part(req, part, &left)) > 0)
		multipart_feed(form, part, len);
	if (good) {
		csv_end(reader);
		good = check_form(bulk, res, form);
	}
	multipart_reader_free(form);
	csv_reader_free(reader);
	return good;
}

/* False: answered, or there was no memory and nothing is. */
static bool read_rows(struct bulk *bulk, const struct http_request *req, struct http_response *res)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	char *part = malloc(PART);
	bool good = false;
	if (part == NULL)
		return false;
	if (http_is_type(req->content_type, "application/json"))
		good = read_json(bulk, req, res, part);
	else if (http_is_type(req->content_type, "text/csv"))
		good = read_csv(bulk, req, res, part);
	else if (multipart_boundary(req->content_type, boundary))
		good = read_form(bulk, req, res, part, boundary);
	else
		http_problem(res, 415,
			"content type must be application/json, text/csv or multipart/form-data");
	free(part);
	if (good)
		store(bulk);
	return good;
}

static void answer(struct bulk *bulk, struct http_response *res)
{
	if (bulk->away && bulk->created == 0) {
		http_unavailable(res, 1);
		return;
	}
	http_begin(res, 201, "application/json");
	struct json_writer json = json_writer(&res->body);
	json_open(&json, NULL, '{');
	json_number(&json, "created", bulk->created);
	json_number(&json, "skipped", bulk->skipped);
	json_open(&json, "errors", '[');
	text_add_bytes(
		&res->body, bulk->errors.data != NULL ? bulk->errors.data : "", bulk->errors.len);
	json_close(&json, ']');
	json_close(&json, '}');
}

void bulk_take(struct worker *worker, const struct http_request *req, struct http_response *res,
	const struct bulk_kind *kind)
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));
	if (bulk == NULL)
		return;
	bulk->kind = kind;
	bulk->worker = worker;
	bulk->wish = malloc(kind->wish_size);
	bulk->batch = batch_new(kind->columns);
	bulk->errors = text_growing(LISTED * 1024);
	if (bulk->wish != NULL && bulk->batch != NULL && read_rows(bulk, req, res))
		answer(bulk, res);
	text_free(&bulk->errors);
	batch_free(bulk->batch);
	free(bulk->wish);
	free(bulk);
}
