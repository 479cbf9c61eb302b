#include "domain/replica_record.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"

/*
 * The bytes: format, checksum (4), flags, numbers, target, title, more numbers, tags. A number is seven
 * bits a byte, the lowest first, the high bit set where more follow: most links need few. A text is
 * its length as a number and its bytes.
 */
enum {
	FORMAT = 1,
	CHECKSUM_AT = 1,
	BODY_AT = CHECKSUM_AT + sizeof(uint32_t),
	NUMBER_MAX = 10, /* bytes of 64 bits, seven in each */
	STATE_BITS = 3,
	FORWARD_BIT = 4,
	STATUS_SHIFT = 3
};

_Static_assert(BODY_AT + 1 + 16 * NUMBER_MAX + TARGET_URL_MAX + LINK_TITLE_MAX + REPLICA_TAGS_MAX <=
		       REPLICA_RECORD_MAX,
	"the longest record has room");

static const int statuses[] = { 302, 301, 307, 308 };
enum { STATUSES = sizeof(statuses) / sizeof(*statuses) };

struct reader {
	const unsigned char *next, *end;
	bool good; /* nothing was missing so far */
};

static uint32_t checksum(const char *code, const unsigned char *bytes, size_t len)
{
	return crc32c(bytes + BODY_AT, len - BODY_AT) ^ crc32c(code, strlen(code));
}

static unsigned char *put_number(unsigned char *to, int64_t number)
{
	uint64_t left = (uint64_t)number;
	for (; left > 127; left >>= 7)
		*to++ = (unsigned char)(left | 128);
	*to++ = (unsigned char)left;
	return to;
}

static unsigned char *put_text(unsigned char *to, const char *text)
{
	size_t len = strlen(text);
	to = put_number(to, (int64_t)len);
	memcpy(to, text, len);
	return to + len;
}

static unsigned char flags_of(const struct link *link)
{
	unsigned status = STATUSES - 1;
	while (status > 0 && statuses[status] != link->redirect_status)
		status--;
	return (unsigned char)(link->state | (link->forward_query ? FORWARD_BIT : 0) |
			       status << STATUS_SHIFT);
}

size_t replica_record_write(
	const struct replica_record *record, unsigned char bytes[REPLICA_RECORD_MAX])
{
	const struct link *link = &record->link;
	unsigned char *to = bytes + BODY_AT;
	*to++ = flags_of(link);
	to = put_number(to, link->id);
	to = put_number(to, link->owner);
	to = put_number(to, link->valid_since);
	to = put_number(to, link->valid_until);
	to = put_number(to, link->max_visits);
	to = put_number(to, link->created_at);
	to = put_number(to, link->updated_at);
	to = put_number(to, link->version);
	to = put_text(to, link->target);
	to = put_text(to, link->title);
	to = put_number(to, record->valid_since_us);
	to = put_number(to, record->valid_until_us);
	to = put_number(to, record->created_us);
	to = put_number(to, record->updated_us);
	to = put_number(to, record->visits);
	to = put_text(to, record->tags);
	size_t len = (size_t)(to - bytes);
	const uint32_t sum = checksum(link->code, bytes, len);
	bytes[0] = FORMAT;
	memcpy(bytes + CHECKSUM_AT, &sum, sizeof(sum));
	return len;
}

static int64_t get_number(struct reader *reader)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 64 && reader->next < reader->end; shift += 7) {
		unsigned char byte = *reader->next++;
		number |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return (int64_t)number;
	}
	reader->good = false;
	return 0;
}

static void get_text(struct reader *reader, char *to, size_t room)
{
	size_t len = (size_t)get_number(reader);
	if (!reader->good || len >= room || len > (size_t)(reader->end - reader->next)) {
		reader->good = false;
		return;
	}
	memcpy(to, reader->next, len);
	to[len] = '\0';
	reader->next += len;
}

static void get_flags(struct reader *reader, struct link *link)
{
	unsigned flags = (unsigned)get_number(reader);
	link->state = flags & STATE_BITS;
	link->forward_query = (flags & FORWARD_BIT) != 0;
	unsigned status = flags >> STATUS_SHIFT;
	reader->good = reader->good && link->state <= LINK_DELETED && status < STATUSES;
	link->redirect_status = statuses[status < STATUSES ? status : 0];
}

static struct reader begin(const char *code, const unsigned char *bytes, size_t len)
{
	uint32_t sum;
	struct reader reader = { bytes, bytes, false };
	if (len <= BODY_AT || len > REPLICA_RECORD_MAX || bytes[0] != FORMAT)
		return reader;
	memcpy(&sum, bytes + CHECKSUM_AT, sizeof(sum));
	reader.good = sum == checksum(code, bytes, len);
	reader.next = bytes + BODY_AT;
	reader.end = bytes + len;
	return reader;
}

static void get_link(struct reader *reader, const char *code, struct link *link)
{
	reader->good = reader->good && text_copy(link->code, sizeof(link->code), code);
	get_flags(reader, link);
	link->id = get_number(reader);
	link->owner = get_number(reader);
	link->valid_since = get_number(reader);
	link->valid_until = get_number(reader);
	link->max_visits = get_number(reader);
	link->created_at = get_number(reader);
	link->updated_at = get_number(reader);
	link->version = get_number(reader);
	get_text(reader, link->target, sizeof(link->target));
	get_text(reader, link->title, sizeof(link->title));
}

bool replica_record_read_link(const char *code, const void *bytes, size_t len, struct link *link)
{
	struct reader reader = begin(code, bytes, len);
	if (reader.good)
		get_link(&reader, code, link);
	return reader.good;
}

bool replica_record_read(
	const char *code, const void *bytes, size_t len, struct replica_record *record)
{
	struct reader reader = begin(code, bytes, len);
	if (!reader.good)
		return false;
	get_link(&reader, code, &record->link);
	record->valid_since_us = (int)get_number(&reader);
	record->valid_until_us = (int)get_number(&reader);
	record->created_us = (int)get_number(&reader);
	record->updated_us = (int)get_number(&reader);
	record->visits = get_number(&reader);
	get_text(&reader, record->tags, sizeof(record->tags));
	return reader.good && reader.next == reader.end;
}
