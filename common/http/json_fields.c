#include "http/json_fields.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/json_check.h"

static int compare_keys(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* By sorting: comparing each with each would let a body of 64 KiB cost a tenth of a second. */
static bool repeats_a_key(const cJSON *object)
{
	size_t count = (size_t)cJSON_GetArraySize(object), next = 0;
	const char **keys = calloc(count + 1, sizeof(*keys));
	bool repeated = keys == NULL;
	const cJSON *member;
	if (keys != NULL) {
		cJSON_ArrayForEach(member, object) keys[next++] = member->string;
		qsort(keys, count, sizeof(*keys), compare_keys);
	}
	for (size_t i = 1; i < count && !repeated; i++)
		repeated = strcmp(keys[i - 1], keys[i]) == 0;
	free(keys);
	return repeated;
}

/* Goes no deeper than json_check() lets a document be. */
static bool keys_are_unique(const cJSON *value)
{
	const cJSON *child;
	if (cJSON_IsObject(value) && repeats_a_key(value))
		return false;
	cJSON_ArrayForEach(child, value)
	{
		if (!keys_are_unique(child))
			return false;
	}
	return true;
}

/* Why valid JSON is nothing for us, in words; NULL if it is an object whose members are clear. */
static const char *objection(enum json_verdict verdict, const cJSON *document)
{
	if (verdict == JSON_IS_BEYOND_US)
		return "must not nest deeper than 16, nor have \\u0000 or numbers of over 62 bytes";
	if (!cJSON_IsObject(document))
		return "must be a JSON object";
	return keys_are_unique(document) ? NULL : "must not have a member twice";
}

/* The document, or NULL: it is not valid, or there is a fault that says why we don't take it. */
static cJSON *parse(const char *body, size_t len, struct http_faults *faults)
{
	enum json_verdict verdict = json_judge(body, len);
	if (verdict == JSON_IS_INVALID)
		return NULL;
	cJSON *document = verdict == JSON_IS_GOOD ? cJSON_ParseWithLength(body, len) : NULL;
	const char *what = objection(verdict, document);
	if (what == NULL)
		return document;
	http_fault(faults, "body", "%s", what);
	cJSON_Delete(document);
	return NULL;
}

void json_field_refuse(const struct json_field *field, struct http_faults *faults)
{
	switch (field->type) {
	case JSON_TEXT: http_fault(faults, field->name, "must be a text"); break;
	case JSON_NUMBER:
		http_fault(faults, field->name, "must be a whole number from %lld to %lld",
			(long long)field->min, (long long)field->max);
		break;
	case JSON_BOOLEAN: http_fault(faults, field->name, "must be true or false"); break;
	case JSON_TIME:
		http_fault(faults, field->name, "must be a time such as 2026-12-31T23:59:59Z");
		break;
	case JSON_TEXTS: http_fault(faults, field->name, "must be an array of texts"); break;
	case JSON_OBJECT: http_fault(faults, field->name, "must be a JSON object"); break;
	case JSON_REFUSED: http_fault(faults, field->name, "may not be set"); break;
	case JSON_IGNORED: break;
	}
}

void json_field_copy(
	const struct json_field *field, const char *value, char *into, struct http_faults *faults)
{
	int64_t len = (int64_t)strlen(value);
	if (len < field->min && field->min == 1)
		http_fault(faults, field->name, "must not be empty");
	else if (len < field->min)
		http_fault(faults, field->name, "must be at least %lld bytes long",
			(long long)field->min);
	else if (len > field->max)
		http_fault(faults, field->name, "must be at most %lld bytes long",
			(long long)field->max);
	else
		memcpy(into, value, (size_t)len + 1);
}

static void read_text(
	const struct json_field *field, const cJSON *member, char *into, struct http_faults *faults)
{
	if (cJSON_IsString(member))
		json_field_copy(field, member->valuestring, into, faults);
	else
		json_field_refuse(field, faults);
}

static void read_number(const struct json_field *field, const cJSON *member, int64_t *into,
	struct http_faults *faults)
{
	const double exact = JSON_NUMBER_END;
	double value = cJSON_IsNumber(member) ? member->valuedouble : NAN;
	bool whole = fabs(value) < exact && value == (double)(int64_t)value;
	if (whole && (int64_t)value >= field->min && (int64_t)value <= field->max)
		*into = (int64_t)value;
	else
		json_field_refuse(field, faults);
}

static void read_boolean(
	const struct json_field *field, const cJSON *member, bool *into, struct http_faults *faults)
{
	if (cJSON_IsBool(member))
		*into = cJSON_IsTrue(member);
	else
		json_field_refuse(field, faults);
}

bool json_field_time(const char *value, int64_t *into)
{
	int64_t wall_ms;
	if (!clock_parse(value, &wall_ms) || wall_ms == 0)
		return false;
	*into = wall_ms;
	return true;
}

static void read_time(const struct json_field *field, const cJSON *member, int64_t *into,
	struct http_faults *faults)
{
	if (!cJSON_IsString(member) || !json_field_time(member->valuestring, into))
		json_field_refuse(field, faults);
}

const char *json_texts_add(
	const struct json_field *field, const char *value, size_t len, struct json_texts *texts)
{
	if (len < (size_t)field->min || len > (size_t)field->max)
		return "has a text that is too short or too long";
	for (unsigned i = 0; i < texts->count; i++)
		if (strlen(texts->list[i]) == len && memcmp(texts->list[i], value, len) == 0)
			return NULL;
	if (texts->count == JSON_TEXTS_MAX)
		return "has too many texts";
	memcpy(texts->list[texts->count], value, len);
	texts->list[texts->count++][len] = '\0';
	return NULL;
}

static const char *add_element(
	const struct json_field *field, const cJSON *element, struct json_texts *texts)
{
	if (!cJSON_IsString(element))
		return "must be an array of texts";
	return json_texts_add(field, element->valuestring, strlen(element->valuestring), texts);
}

static void read_texts(const struct json_field *field, const cJSON *member, struct json_texts *into,
	struct http_faults *faults)
{
	const char *what = cJSON_IsArray(member) ? NULL : "must be an array of texts";
	const cJSON *element;
	into->count = 0;
	cJSON_ArrayForEach(element, member)
	{
		if (what == NULL)
			what = add_element(field, element, into);
	}
	if (what != NULL)
		http_fault(faults, field->name, "%s", what);
}

/* Bytes that a document has more, at most, where its numbers are written without exponents. Only an
   exponent has a sign behind an e: cJSON always prints it. */
static unsigned long without_exponents(const char *json)
{
	unsigned long more = 0;
	bool in_text = false;
	for (; *json != '\0'; json++) {
		if (*json == '"')
			in_text = !in_text;
		else if (in_text && *json == '\\')
			json++;
		else if (!in_text && *json == 'e' && (json[1] == '+' || json[1] == '-'))
			more += strtoul(json + 2, NULL, 10);
	}
	return more;
}

/* PostgreSQL keeps numbers, but not exponents: "1e+300" comes back with 301 bytes. */
static bool copy_object(const struct json_field *field, const char *printed, char *into)
{
	return strlen(printed) + without_exponents(printed) <= (size_t)field->max &&
	       text_copy(into, (size_t)field->max + 1, printed);
}

static void read_object(
	const struct json_field *field, const cJSON *member, char *into, struct http_faults *faults)
{
	char *printed = cJSON_IsObject(member) ? cJSON_PrintUnformatted(member) : NULL;
	if (!cJSON_IsObject(member))
		json_field_refuse(field, faults);
	else if (printed == NULL || !copy_object(field, printed, into))
		http_fault(faults, field->name,
			"must be at most %lld bytes long as JSON without exponents",
			(long long)field->max);
	cJSON_free(printed);
}

void json_field_object(
	const struct json_field *field, const char *value, char *into, struct http_faults *faults)
{
	size_t len = strlen(value);
	cJSON *document =
		json_judge(value, len) == JSON_IS_GOOD ? cJSON_ParseWithLength(value, len) : NULL;
	if (document != NULL && keys_are_unique(document))
		read_object(field, document, into, faults);
	else
		json_field_refuse(field, faults);
	cJSON_Delete(document);
}

static void read_field(
	const struct json_field *field, const cJSON *member, void *into, struct http_faults *faults)
{
	void *place = (char *)into + field->offset;
	switch (field->type) {
	case JSON_TEXT: read_text(field, member, place, faults); break;
	case JSON_NUMBER: read_number(field, member, place, faults); break;
	case JSON_BOOLEAN: read_boolean(field, member, place, faults); break;
	case JSON_TIME: read_time(field, member, place, faults); break;
	case JSON_TEXTS: read_texts(field, member, place, faults); break;
	case JSON_OBJECT: read_object(field, member, place, faults); break;
	case JSON_REFUSED: json_field_refuse(field, faults); break;
	case JSON_IGNORED: break;
	}
}

static void read_member(const struct json_field *field, const cJSON *member, void *into,
	bool clears, struct http_faults *faults)
{
	bool is_null = member == NULL || cJSON_IsNull(member);
	if (!is_null)
		read_field(field, member, into, faults);
	else if (field->required)
		http_fault(faults, field->name, "is required");
	else if (clears && member != NULL && field->type == JSON_REFUSED)
		http_fault(faults, field->name, "may not be set");
}

enum json_result json_read_change(const char *body, size_t len, const struct json_field *fields,
	void *into, uint32_t *present, uint32_t *cleared, struct http_faults *faults)
{
	uint32_t seen = 0, nulls = 0;
	faults->count = 0;
	cJSON *document = parse(body, len, faults);
	for (size_t i = 0; document != NULL && fields[i].name != NULL; i++) {
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(document, fields[i].name);
		if (member != NULL && cJSON_IsNull(member))
			nulls |= UINT32_C(1) << i;
		else if (member != NULL)
			seen |= UINT32_C(1) << i;
		read_member(&fields[i], member, into, cleared != NULL, faults);
	}
	if (present != NULL)
		*present = seen;
	if (cleared != NULL)
		*cleared = nulls;
	if (document == NULL && faults->count == 0)
		return JSON_INVALID;
	cJSON_Delete(document);
	return faults->count == 0 ? JSON_OK : JSON_FAULTY;
}

enum json_result json_read(const char *body, size_t len, const struct json_field *fields,
	void *into, uint32_t *present, struct http_faults *faults)
{
	return json_read_change(body, len, fields, into, present, NULL, faults);
}

static void walk(const cJSON *value, struct text *path, json_visitor visit, void *context);

static void walk_member(
	const cJSON *member, size_t number, struct text *path, json_visitor visit, void *context)
{
	size_t len = path->len;
	if (len > 0)
		text_add_char(path, '.');
	if (member->string != NULL)
		text_add(path, member->string);
	else
		text_add_number(path, (int64_t)number);
	if (!path->cut)
		walk(member, path, visit, context);
	path->len = len;
	path->data[len] = '\0';
	path->cut = false;
}

static void walk(const cJSON *value, struct text *path, json_visitor visit, void *context)
{
	const struct json_leaf leaf = {
		.path = path->data,
		.text = cJSON_IsString(value) ? value->valuestring : NULL,
		.number = cJSON_IsNumber(value) ? value->valuedouble : 0,
		.list_count = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 0,
	};
	size_t number = 0;
	const cJSON *member;
	if (cJSON_IsString(value) || cJSON_IsNumber(value) || cJSON_IsArray(value))
		visit(&leaf, context);
	cJSON_ArrayForEach(member, value)
	{
		walk_member(member, number++, path, visit, context);
	}
}

enum json_result json_walk(
	const char *body, size_t len, json_visitor visit, void *context, struct http_faults *faults)
{
	char memory[JSON_PATH_MAX];
	struct text path = text_fixed(memory, sizeof(memory));
	faults->count = 0;
	cJSON *document = parse(body, len, faults);
	if (document == NULL)
		return faults->count == 0 ? JSON_INVALID : JSON_FAULTY;
	walk(document, &path, visit, context);
	cJSON_Delete(document);
	return JSON_OK;
}
