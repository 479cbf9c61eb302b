#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "domain/ingest_private.h"
#include "domain/spool.h"

void ingest_note_unread(struct ingest *ingest, struct spool_file *file)
{
	const char *error = strerrordesc_np(errno);
	char name[SPOOL_NAME];
	struct log_line line;

	if (errno == ENOENT)
		return;
	ingest->unclean = true;
	if (file->failed)
		return;
	file->failed = true;
	spool_name(name, file->number);
	log_begin(&line, LOG_ERROR, "spool_not_read");
	log_field(&line, "segment", name);
	log_field(&line, "error", error);
	log_end(&line);
}

/* Counts one line; false when it has no place in this batch. */
static bool take_line(
	struct ingest *ingest, struct spool_file *file, char *line, size_t len, int64_t *records)
{
	struct spool_record record;

	switch (spool_read_line(line, len, &record)) {
	case SPOOL_REMARK: break;
	case SPOOL_DAMAGED: ingest->damaged++; break;
	case SPOOL_RECORD:
		if (!click_batch_add(ingest->batch, &record, file->number, file->read))
			return false;
		ingest->last_segment = file->number;
		ingest->last_position = file->read;
		++*records;
		break;
	}
	file->read += (int64_t)len + 1;
	return true;
}

/* All whole lines of the buffer; false when the batch is full. */
static bool take_lines(struct ingest *ingest, struct spool_file *file, char *end, int64_t *records)
{
	for (char *line = ingest->buffer, *newline; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!take_line(ingest, file, line, (size_t)(newline - line), records))
			return false;
	}
	return true;
}

/* No newline in what was read: garbage that fills the buffer, or the end of what can be read. */
static bool take_rest(struct ingest *ingest, struct spool_file *file, size_t len)
{
	if (len == INGEST_BUFFER) {
		ingest->damaged++;
		file->read += (int64_t)len;
		return true;
	}
	/* Its writer is in the middle of a line, or has died there. */
	file->torn = file->finished && file->read + (int64_t)len >= file->size;
	if (file->torn)
		file->end = file->read;
	if (file->read + (int64_t)len < file->target) {
		errno = EIO; /* a short read */
		ingest_note_unread(ingest, file);
	}
	file->target = file->read;
	return false;
}

/* False when there is no more to be had of this file, or the batch is full. */
static bool read_piece(
	struct ingest *ingest, struct spool_file *file, int descriptor, int64_t *records)
{
	int64_t left = file->target - file->read;
	ssize_t len = pread(descriptor, ingest->buffer,
		left < INGEST_BUFFER ? (size_t)left : INGEST_BUFFER, file->read);
	char *newline;

	if (len <= 0) {
		if (len == 0)
			errno = EIO; /* shorter than it was */
		ingest_note_unread(ingest, file);
		file->target = file->read;
		return false;
	}
	file->failed = false;
	newline = memrchr(ingest->buffer, '\n', (size_t)len);
	return newline ? take_lines(ingest, file, newline + 1, records)
		       : take_rest(ingest, file, (size_t)len);
}

static bool read_file(struct ingest *ingest, struct spool_file *file)
{
	int descriptor = spool_files_open(&ingest->files, file);
	struct click_move move = {
		.segment = file->number, .from = file->committed, .run = file->run
	};

	if (descriptor < 0) {
		ingest_note_unread(ingest, file);
		file->target = file->read;
		return true;
	}
	while (file->read < file->target && read_piece(ingest, file, descriptor, &move.records))
		;
	close(descriptor);
	if (file->finished && file->read >= file->size)
		file->end = file->read;
	move.to = file->read;
	return move.to == move.from || click_batch_move(ingest->batch, &move);
}

bool ingest_read(struct ingest *ingest)
{
	ingest->damaged = 0;
	if (!click_batch_clear(ingest->batch, ingest->limit))
		return false;
	for (unsigned i = 0; i < ingest->files.count; i++) {
		struct spool_file *file = &ingest->files.files[i];

		if (click_batch_count(ingest->batch) == ingest->limit)
			break;
		if (file->read < file->target && !read_file(ingest, file))
			return false;
	}
	click_batch_seal(ingest->batch);
	return true;
}

/* --- A click that PostgreSQL will not have --- */

static bool append_refused(const struct ingest *ingest, const char *line, size_t len)
{
	char path[SPOOL_PATH_MAX];
	int descriptor = open(spool_files_path(&ingest->files, SPOOL_REFUSED, path),
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	off_t end;
	bool written;

	if (descriptor < 0)
		return false;
	end = lseek(descriptor, 0, SEEK_END);
	/* On the disk before PostgreSQL forgets that it is still to come. */
	written = write(descriptor, line, len) == (ssize_t)len && fdatasync(descriptor) == 0;
	/* Half a line would spoil the next one. */
	if (!written && ftruncate(descriptor, end) != 0)
		log_event(LOG_ERROR, "refused_not_mended", strerrordesc_np(errno));
	close(descriptor);
	return written;
}

/* The segment, the position and the line itself, as it stands in the file. */
static bool copy_refused(struct ingest *ingest, const struct spool_file *file)
{
	char bytes[SPOOL_LINE_MAX], memory[SPOOL_LINE_MAX + 64];
	struct text line = text_fixed(memory, sizeof(memory));
	int descriptor = spool_files_open(&ingest->files, file);
	ssize_t len = descriptor < 0
			      ? -1
			      : pread(descriptor, bytes, sizeof(bytes), ingest->last_position);
	const char *newline = len > 0 ? memchr(bytes, '\n', (size_t)len) : NULL;

	if (descriptor >= 0)
		close(descriptor);
	if (!newline)
		return false;
	text_addf(&line, "%016llx %lld ", (unsigned long long)file->number,
		(long long)ingest->last_position);
	text_add_bytes(&line, bytes, (size_t)(newline + 1 - bytes));
	return append_refused(ingest, line.data, line.len);
}

static void log_refused(const struct ingest *ingest, bool kept)
{
	struct log_line line;
	char name[SPOOL_NAME];

	spool_name(name, ingest->last_segment);
	log_begin(&line, LOG_ERROR, "click_refused");
	log_field(&line, "segment", name);
	log_field_number(&line, "position", ingest->last_position);
	log_field(&line, "error",
		kept ? "PostgreSQL refuses it; it is in the file refused of the spool"
		     : "PostgreSQL refuses it, and it cannot be set aside");
	log_end(&line);
}

/* The batch without its only click, so that the offsets move over it. */
static bool empty_batch(struct ingest *ingest)
{
	bool whole = click_batch_clear(ingest->batch, ingest->limit);

	for (unsigned i = 0; whole && i < ingest->files.count; i++) {
		const struct spool_file *file = &ingest->files.files[i];
		const struct click_move move = { .segment = file->number,
			.from = file->committed,
			.to = file->read,
			.run = file->run };

		if (file->read != file->committed)
			whole = click_batch_move(ingest->batch, &move);
	}
	if (whole)
		click_batch_seal(ingest->batch);
	return whole;
}

bool ingest_refuse(struct ingest *ingest)
{
	bool kept = false;

	if (ingest->refused >= INGEST_REFUSED_MAX)
		return false;
	for (unsigned i = 0; i < ingest->files.count; i++)
		if (ingest->files.files[i].number == ingest->last_segment)
			kept = copy_refused(ingest, &ingest->files.files[i]);
	log_refused(ingest, kept);
	if (!kept)
		return false;
	ingest->refused++;
	ingest->damaged++;
	return empty_batch(ingest);
}
