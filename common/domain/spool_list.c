#include "domain/spool_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/spool.h"
#include "domain/spool_files.h"

enum { BUFFER = 256 << 10 };

struct account {
	int64_t bytes, records, damaged, oldest;
};

static void take_line(struct account *account, char *line, size_t len)
{
	struct spool_record record;

	switch (spool_read_line(line, len, &record)) {
	case SPOOL_REMARK: break;
	case SPOOL_DAMAGED: account->damaged++; break;
	case SPOOL_RECORD:
		account->records++;
		if (record.time < account->oldest)
			account->oldest = record.time;
		break;
	}
}

/* The lines that lie before the limit; as ingest reads them, see ingest_read.c. */
static bool read_lines(struct account *account, int descriptor, int64_t limit, char *buffer)
{
	while (account->bytes < limit) {
		int64_t left = limit - account->bytes;
		ssize_t len = pread(
			descriptor, buffer, left < BUFFER ? (size_t)left : BUFFER, account->bytes);
		char *end = len > 0 ? memrchr(buffer, '\n', (size_t)len) : NULL;

		if (!end && len == BUFFER) {
			account->damaged++;
			account->bytes += len;
			continue;
		}
		if (len < 0)
			return false;
		if (!end)
			break;
		for (char *line = buffer, *newline; line <= end; line = newline + 1) {
			newline = memchr(line, '\n', (size_t)(end + 1 - line));
			take_line(account, line, (size_t)(newline - line));
		}
		account->bytes += end + 1 - buffer;
	}
	return true;
}

static const char *state_of(const struct spool_file *file)
{
	if (file->kept)
		return "kept";
	return file->finished ? "pending" : "writing";
}

static bool print_file(const struct spool_files *files, struct spool_file *file, char *buffer,
	int64_t limit, FILE *output)
{
	struct account account = { .oldest = INT64_MAX };
	int descriptor = spool_files_open(files, file);
	bool whole;

	/* Moved to kept/ between the list and now. */
	if (descriptor < 0 && errno == ENOENT && !file->kept) {
		file->kept = true;
		descriptor = spool_files_open(files, file);
	}
	if (descriptor < 0)
		return errno == ENOENT;
	whole = read_lines(&account, descriptor, limit, buffer);
	close(descriptor);
	fprintf(output, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s ", file->number,
		account.bytes, account.records, account.damaged, state_of(file));
	if (account.oldest == INT64_MAX)
		fputs("-\n", output);
	else
		fprintf(output, "%" PRId64 "\n", account.oldest);
	return whole;
}

static void read_limits(struct spool_files *files, FILE *limits)
{
	int64_t number, bytes;

	while (fscanf(limits, "%" SCNd64 " %" SCNd64, &number, &bytes) == 2)
		for (unsigned i = 0; i < files->count; i++)
			if (files->files[i].number == number)
				files->files[i].target = bytes;
}

bool spool_list(const char *directory, FILE *limits, FILE *output)
{
	struct spool_files files;
	char *buffer = malloc(BUFFER);
	bool listed =
		buffer && spool_files_init(&files, directory) && spool_files_list(&files, false);

	if (!listed) {
		free(buffer);
		return false;
	}
	(void)spool_files_list(&files, true); /* it may not be there yet */
	for (unsigned i = 0; i < files.count; i++) {
		listed = (spool_files_look(&files, &files.files[i]) || errno == ENOENT) && listed;
		files.files[i].target = limits ? 0 : files.files[i].size;
	}
	if (limits)
		read_limits(&files, limits);
	for (unsigned i = 0; i < files.count; i++)
		listed = print_file(
				 &files, &files.files[i], buffer, files.files[i].target, output) &&
			 listed;
	spool_files_free(&files);
	free(buffer);
	errno = EIO;
	return listed;
}
