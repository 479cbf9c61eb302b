#include "domain/spool_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "domain/spool.h"

enum { HEAD_BYTES = 128 };

bool spool_files_init(struct spool_files *files, const char *directory)
{
	*files = (struct spool_files){ 0 };
	return text_copy(files->directory, sizeof(files->directory) - 64, directory);
}

void spool_files_free(struct spool_files *files)
{
	free(files->files);
	files->files = NULL;
	files->count = files->room = 0;
}

void spool_files_clear(struct spool_files *files)
{
	files->count = 0;
}

const char *spool_files_path(
	const struct spool_files *files, const char *name, char path[SPOOL_PATH_MAX])
{
	struct text text = text_fixed(path, SPOOL_PATH_MAX);

	text_addf(&text, "%s/%s", files->directory, name);
	return path;
}

static void write_path(
	const struct spool_files *files, int64_t number, bool kept, char path[SPOOL_PATH_MAX])
{
	char memory[sizeof(SPOOL_KEPT) + SPOOL_NAME] = SPOOL_KEPT "/";

	spool_name(memory + strlen(memory), number);
	spool_files_path(files, kept ? memory : memory + strlen(SPOOL_KEPT "/"), path);
}

/* Where a number is in the table, or belongs. */
static unsigned place_of(const struct spool_files *files, int64_t number)
{
	unsigned low = 0, high = files->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (files->files[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row of a number, made if need be; NULL without memory. */
static struct spool_file *row_of(struct spool_files *files, int64_t number, bool kept)
{
	unsigned place = place_of(files, number), room = files->room ? files->room * 2 : 64;
	struct spool_file *rows = files->files;

	if (place < files->count && rows[place].number == number)
		return &rows[place];
	if (files->count == files->room) {
		rows = realloc(rows, room * sizeof(*rows));
		if (!rows)
			return NULL;
		files->files = rows;
		files->room = room;
	}
	memmove(&rows[place + 1], &rows[place], (files->count - place) * sizeof(*rows));
	files->count++;
	rows[place] = (struct spool_file){ .number = number, .kept = kept, .end = -1 };
	return &rows[place];
}

static void drop_unlisted(struct spool_files *files, bool kept)
{
	unsigned left = 0;

	for (unsigned i = 0; i < files->count; i++)
		if (files->files[i].kept != kept || files->files[i].listed)
			files->files[left++] = files->files[i];
	files->count = left;
}

/* False and errno without memory. */
static bool list_one(struct spool_files *files, int64_t number, bool kept)
{
	struct spool_file *file = number ? row_of(files, number, kept) : NULL;

	/* In both: a copy. The one that may still grow counts. */
	if (file && (file->kept == kept || !kept)) {
		file->kept = kept;
		file->listed = true;
	}
	return file || number == 0;
}

bool spool_files_list(struct spool_files *files, bool kept)
{
	char path[SPOOL_PATH_MAX];
	DIR *folder;
	int error;

	folder = opendir(spool_files_path(files, kept ? SPOOL_KEPT : ".", path));
	if (!folder)
		return false;
	for (unsigned i = 0; i < files->count; i++)
		files->files[i].listed = false;
	for (struct dirent *entry; errno = 0, entry = readdir(folder);)
		if (!list_one(files, spool_number(entry->d_name), kept))
			break;
	error = errno;
	closedir(folder);
	errno = error;
	/* Of a list that breaks off nobody knows what is missing. */
	if (error == 0)
		drop_unlisted(files, kept);
	return error == 0;
}

int spool_files_open(const struct spool_files *files, const struct spool_file *file)
{
	char path[SPOOL_PATH_MAX];

	write_path(files, file->number, file->kept, path);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool read_head(struct spool_file *file, int descriptor)
{
	char bytes[HEAD_BYTES];
	ssize_t len = pread(descriptor, bytes, sizeof(bytes), 0);

	if (len < 0)
		return false;
	file->foreign = spool_read_head(bytes, (size_t)len, &file->run) == SPOOL_FOREIGN;
	file->looked = true;
	return true;
}

bool spool_files_look(const struct spool_files *files, struct spool_file *file)
{
	struct stat status;
	int descriptor = spool_files_open(files, file), error;
	bool ended, seen;

	if (descriptor < 0)
		return false;
	/* The lock first: once it is free the size is the last one. No writer takes it twice. */
	ended = file->kept || flock(descriptor, LOCK_SH | LOCK_NB) == 0;
	seen = fstat(descriptor, &status) == 0 && (file->looked || read_head(file, descriptor));
	error = errno;
	close(descriptor);
	errno = error;
	if (!seen)
		return false;
	file->finished = ended;
	file->size = status.st_size;
	file->changed = status.st_mtim.tv_sec;
	return true;
}

bool spool_files_keep(const struct spool_files *files, struct spool_file *file)
{
	char from[SPOOL_PATH_MAX], to[SPOOL_PATH_MAX];
	const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	struct stat status;

	write_path(files, file->number, false, from);
	write_path(files, file->number, true, to);
	if (utimensat(AT_FDCWD, from, now, AT_SYMLINK_NOFOLLOW) != 0 || stat(from, &status) != 0 ||
		rename(from, to) != 0)
		return false;
	file->changed = status.st_mtim.tv_sec;
	file->kept = true;
	return true;
}

bool spool_files_remove(const struct spool_files *files, const struct spool_file *file)
{
	char path[SPOOL_PATH_MAX];

	write_path(files, file->number, file->kept, path);
	return unlink(path) == 0;
}

void spool_files_drop(struct spool_files *files, struct spool_file *file)
{
	struct spool_file *end = files->files + files->count--;

	memmove(file, file + 1, (size_t)(end - file - 1) * sizeof(*file));
}

bool spool_file_is_done(const struct spool_file *file)
{
	return file->end >= 0 && file->committed >= file->end;
}
