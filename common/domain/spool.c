#include "domain/spool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"

enum { FIELDS = 9, SUM_DIGITS = 8, NUMBER_DIGITS = 16, REFERRER_MAX = 255 };

/* 9999-12-31T23:59:59.999Z */
#define TIME_MAX INT64_C(253402300799999)

#define HEAD_OF_ALL  "# linkshrink clicks "
#define HEAD_OF_OURS HEAD_OF_ALL "1 "

/* Lower-case hex digits and nothing else. */
static bool read_hex(const char *digits, size_t count, uint64_t *number)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		char c = digits[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*number = value;
	return true;
}

static bool has_its_sum(const char *line, size_t len)
{
	uint64_t sum;

	return len > SUM_DIGITS + 1 && len < SPOOL_LINE_MAX && line[SUM_DIGITS] == '\t' &&
	       read_hex(line, SUM_DIGITS, &sum) &&
	       sum == crc32c(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1);
}

/* Ends each field with a zero. False unless there are exactly as many as there should be. */
static bool split(char *line, size_t len, const char *fields[FIELDS])
{
	unsigned count = 0;
	char *end = line + len;

	if (memchr(line, '\0', len))
		return false;
	*end = '\0';
	for (char *at = line; at; count++) {
		char *tab = memchr(at, '\t', (size_t)(end - at));

		if (count == FIELDS)
			return false;
		fields[count] = at;
		if (tab)
			*tab++ = '\0';
		at = tab;
	}
	return count == FIELDS;
}

/* Printable ASCII that needs no escape in the text of an array: neither quote nor backslash. */
static bool is_plain(const char *word, size_t longest)
{
	size_t len = 0;

	for (; word[len] != '\0'; len++)
		if (word[len] <= ' ' || word[len] >= 0x7f || word[len] == '"' || word[len] == '\\')
			return false;
	return len > 0 && len <= longest;
}

static bool read_flags(const char *flags, struct spool_record *record)
{
	record->bot = strchr(flags, 'b');
	record->prefetch = strchr(flags, 'p');
	return *flags != '\0' && (strcmp(flags, "-") == 0 || strspn(flags, "bp") == strlen(flags));
}

/* PostgreSQL refuses a network with bits to the right of its mask. */
static bool is_network(const struct spool_record *record)
{
	for (unsigned bit = record->network_bits; bit < record->network_bytes * 8; bit++)
		if (record->network[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool read_network(const char *text, struct spool_record *record)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	int64_t bits;

	record->network_bytes = 0;
	if (strcmp(text, "\\N") == 0)
		return true;
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	record->network_bytes = family == AF_INET ? 4 : 16;
	if (inet_pton(family, address, record->network) != 1 ||
		!text_to_number(slash + 1, 0, record->network_bytes * 8, &bits))
		return false;
	record->network_bits = (unsigned)bits;
	return is_network(record);
}

static bool read_fields(const char *const fields[FIELDS], struct spool_record *record)
{
	int64_t status;

	record->referrer = strcmp(fields[3], "\\N") == 0 ? NULL : fields[3];
	record->browser = fields[4];
	record->os = fields[5];
	if (!text_to_number(fields[0], 0, TIME_MAX, &record->time) ||
		!text_to_number(fields[1], INT64_MIN, INT64_MAX, &record->link) ||
		!text_to_number(fields[2], 100, 999, &status) ||
		!text_to_number(fields[8], INT64_MIN, INT64_MAX, &record->visitor))
		return false;
	record->status = (int)status;
	return (!record->referrer || is_plain(record->referrer, REFERRER_MAX)) &&
	       is_plain(record->browser, SPOOL_WORD_MAX) && is_plain(record->os, SPOOL_WORD_MAX) &&
	       read_flags(fields[6], record) && read_network(fields[7], record);
}

enum spool_line spool_read_line(char *line, size_t len, struct spool_record *record)
{
	const char *fields[FIELDS];

	if (len > 0 && *line == '#')
		return SPOOL_REMARK;
	if (!has_its_sum(line, len) ||
		!split(line + SUM_DIGITS + 1, len - SUM_DIGITS - 1, fields) ||
		!read_fields(fields, record))
		return SPOOL_DAMAGED;
	return SPOOL_RECORD;
}

enum spool_head spool_read_head(const char *bytes, size_t len, uint64_t *run)
{
	char head[SPOOL_LINE_MAX];
	const char *at;

	*run = 0;
	if (len >= sizeof(head))
		len = sizeof(head) - 1;
	memcpy(head, bytes, len);
	head[len] = '\0';
	if (!text_starts_with(head, HEAD_OF_ALL))
		return SPOOL_HEADLESS;
	if (!text_starts_with(head, HEAD_OF_OURS))
		return SPOOL_FOREIGN;
	at = strchr(head + strlen(HEAD_OF_OURS), ' '); /* behind the number of the node */
	if (!at || strlen(at + 1) < NUMBER_DIGITS || !read_hex(at + 1, NUMBER_DIGITS, run))
		return SPOOL_HEADLESS;
	return SPOOL_OURS;
}

int64_t spool_number(const char *name)
{
	uint64_t number;

	if (strlen(name) != SPOOL_NAME - 1 || strcmp(name + NUMBER_DIGITS, ".clicks") != 0 ||
		!read_hex(name, NUMBER_DIGITS, &number) || number > INT64_MAX)
		return 0;
	return (int64_t)number;
}

void spool_name(char name[SPOOL_NAME], int64_t number)
{
	snprintf(name, SPOOL_NAME, "%016llx.clicks", (unsigned long long)number);
}
