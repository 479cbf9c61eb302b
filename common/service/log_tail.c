#include "service/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/json_check.h"

enum { WINDOW = 64 << 10 }; /* bytes read at once; many times the longest line */

struct search {
	const struct log_filter *filter;
	struct text *to;
	size_t reserve;
	char id[64]; /* what a line of the request wanted has in it, "" for all */
	unsigned found;
	size_t left; /* bytes that may still be read */
	bool full;   /* no further line is wanted or fits */
	char window[WINDOW];
};

/* Quotes within a text are escaped, so a key with its quotes is found only where it is one. */
static const char *find(const char *line, size_t len, const char *piece)
{
	return memmem(line, len, piece, strlen(piece));
}

static enum log_level level_of(const char *line, size_t len)
{
	static const char key[] = ",\"level\":\"";
	char name[16];
	const char *value = find(line, len, key);
	if (value == NULL)
		return LOG_LEVEL_COUNT;
	value += strlen(key);
	const char *end = memchr(value, '"', len - (size_t)(value - line));
	if (end == NULL || (size_t)(end - value) >= sizeof(name))
		return LOG_LEVEL_COUNT;
	memcpy(name, value, (size_t)(end - value));
	name[end - value] = '\0';
	return log_level_from(name);
}

/* The cheap questions first: most lines are not wanted, and checking JSON reads every byte. */
static bool is_wanted(const struct search *search, const char *line, size_t len)
{
	static const char start[] = "{\"ts\":\"";
	if (len < strlen(start) || len >= LOG_LINE_MAX || memcmp(line, start, strlen(start)) != 0)
		return false;
	if (*search->id != '\0' && find(line, len, search->id) == NULL)
		return false;
	enum log_level level = level_of(line, len);
	return level != LOG_LEVEL_COUNT && level >= search->filter->least && json_check(line, len);
}

static void take(struct search *search, const char *line, size_t len)
{
	if (!is_wanted(search, line, len))
		return;
	if (search->found == search->filter->limit ||
		search->to->len + len + search->reserve + 2 > search->to->limit) {
		search->full = true;
		return;
	}
	if (search->found++ > 0)
		text_add_char(search->to, ',');
	text_add_bytes(search->to, line, len);
}

/* The lines that end in the first len bytes of the window, last first; where the earliest of them
 * begins. The bytes before that belong to a line whose start is not in the window. */
static size_t take_lines(struct search *search, size_t len, bool from_start)
{
	const char *window = search->window;
	size_t end = len; /* just behind the newline of a line */
	while (end > 0 && !search->full) {
		const char *newline = memrchr(window, '\n', end - 1);
		if (newline == NULL && !from_start)
			break;
		size_t start = newline == NULL ? 0 : (size_t)(newline + 1 - window);
		take(search, window + start, end - 1 - start);
		end = start;
	}
	return end;
}

/* Reads len bytes at offset; a file that shrinks meanwhile has no more to say. */
static bool read_window(struct search *search, int file, off_t offset, size_t len)
{
	ssize_t got;
	do
		got = pread(file, search->window, len, offset);
	while (got < 0 && errno == EINTR);
	search->left -= len < search->left ? len : search->left;
	return got == (ssize_t)len;
}

/* Where the last whole line ends: what comes behind it is being written, or was torn. */
static size_t whole_lines(const struct search *search, size_t len)
{
	const char *newline = memrchr(search->window, '\n', len);
	return newline == NULL ? 0 : (size_t)(newline + 1 - search->window);
}

static void search_file(struct search *search, int file, off_t size)
{
	off_t end = size;
	bool whole = false; /* end is known to be the end of a line */
	while (end > 0 && !search->full && search->left > 0) {
		size_t len = end < WINDOW ? (size_t)end : WINDOW;
		off_t start = end - (off_t)len;
		if (!read_window(search, file, start, len))
			break;
		size_t lines = whole ? len : whole_lines(search, len);
		size_t rest = take_lines(search, lines, start == 0);
		/* No line begins here: it is longer than any of ours, so all of this is skipped. */
		whole = rest != lines;
		end = whole ? start + (off_t)rest : start;
	}
	search->full = search->full || end > 0;
}

/* A regular file, open for reading; -1 (and errno) if there is none. */
static int open_file(const char *path, struct stat *info)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -1;
	if (fstat(file, info) == 0 && S_ISREG(info->st_mode))
		return file;
	close(file);
	errno = EINVAL;
	return -1;
}

/* The file that was renamed in the last rotation, unless that happened after the first was opened. */
static bool search_rotated(struct search *search, const char *path, const struct stat *first)
{
	char name[PATH_MAX];
	struct stat rotated;
	if (snprintf(name, sizeof(name), "%s.1", path) >= (int)sizeof(name))
		return false;
	int file = open_file(name, &rotated);
	if (file < 0)
		return false;
	if (rotated.st_ino != first->st_ino || rotated.st_dev != first->st_dev)
		search_file(search, file, rotated.st_size);
	close(file);
	return true;
}

bool log_tail(const char *path, const struct log_filter *filter, struct text *to, size_t reserve,
	bool *complete)
{
	struct search search = {
		.filter = filter, .to = to, .reserve = reserve, .left = LOG_TAIL_BYTES
	};
	struct stat info = { 0 };
	if (*filter->request_id != '\0')
		snprintf(
			search.id, sizeof(search.id), ",\"request_id\":\"%s\"", filter->request_id);
	int file = open_file(path, &info);
	if (file >= 0) {
		search_file(&search, file, info.st_size);
		close(file);
	}
	/* Renamed, and the new one not made yet: then that is all there is. */
	if (file < 0 && errno != ENOENT)
		return false;
	if (!search.full && !search_rotated(&search, path, &info) && file < 0)
		return false;
	*complete = !search.full;
	return true;
}
