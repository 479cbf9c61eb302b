#include "domain/inbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"

enum { PATH = CONFIG_TEXT_MAX + 32, MODE = 0640, LINE_ROOM = 1024 };

static const char *path_of(const char *name, char path[PATH])
{
	struct text text = text_fixed(path, PATH);
	text_addf(&text, "%s/%s", config_get()->inbox, name);
	return path;
}

enum inbox_mood inbox_mood(void)
{
	char path[PATH], word[16] = "";
	FILE *file = fopen(path_of("behave", path), "re");
	if (file == NULL)
		return INBOX_KIND;
	bool found = fscanf(file, "%15s", word) == 1;
	fclose(file);
	if (!found)
		return INBOX_KIND;
	if (strcmp(word, "429") == 0)
		return INBOX_LIMITS;
	if (strcmp(word, "500") == 0)
		return INBOX_FAILS;
	return strcmp(word, "hang") == 0 ? INBOX_HANGS : INBOX_KIND;
}

/* Between the tokens of JSON a line may break; inside of a text it cannot. */
static void add_in_one_line(struct text *line, const char *payload, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_add_char(line, payload[i] == '\n' || payload[i] == '\r' ? ' ' : payload[i]);
}

static void make_room(const char *path)
{
	struct stat file;
	char old[PATH];
	if (stat(path, &file) == 0 && file.st_size > INBOX_FILE_MAX)
		(void)rename(path, path_of("messages.jsonl.1", old));
}

static bool append(const struct text *line)
{
	char path[PATH];
	make_room(path_of("messages.jsonl", path));
	int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, MODE);
	bool whole = file >= 0 && write(file, line->data, line->len) == (ssize_t)line->len;
	if (file >= 0)
		close(file);
	return whole;
}

bool inbox_keep(const char *path, int status, const char *payload, size_t len, bool is_json)
{
	char received[CLOCK_TEXT];
	struct text line = text_growing(6 * len + LINE_ROOM);
	clock_format(clock_wall_ms(), received);
	text_addf(&line,
		"{\"received\":\"%s\",\"path\":\"%s\",\"status\":%d,\"payload\":", received, path,
		status);
	if (is_json) {
		add_in_one_line(&line, payload, len);
	} else {
		text_add_char(&line, '"');
		text_add_json(&line, payload, len);
		text_add_char(&line, '"');
	}
	text_add(&line, "}\n");
	bool kept = !line.cut && append(&line);
	text_free(&line);
	return kept;
}

static char *read_tail(int file, size_t *len)
{
	char *bytes = malloc(INBOX_TAIL_MAX + 1);
	off_t size = lseek(file, 0, SEEK_END);
	off_t from = size > INBOX_TAIL_MAX ? size - INBOX_TAIL_MAX : 0;
	ssize_t got = bytes != NULL ? pread(file, bytes, INBOX_TAIL_MAX, from) : -1;
	if (got <= 0) {
		free(bytes);
		return NULL;
	}
	*len = (size_t)got;
	if (from > 0) { /* it began in the middle of a line */
		const char *end = memchr(bytes, '\n', *len);
		size_t cut = end != NULL ? (size_t)(end - bytes) + 1 : *len;
		*len -= cut;
		memmove(bytes, bytes + cut, *len);
	}
	bytes[*len] = '\0';
	return bytes;
}

char *inbox_tail(size_t *len)
{
	char path[PATH];
	*len = 0;
	int file = open(path_of("messages.jsonl", path), O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return NULL;
	char *tail = read_tail(file, len);
	close(file);
	return tail;
}

void inbox_beat(void)
{
	char path[PATH];
	int file = open(path_of("heartbeat", path), O_WRONLY | O_CREAT | O_CLOEXEC, MODE);
	if (file < 0)
		return;
	(void)futimens(file, NULL);
	close(file);
}

int64_t inbox_last_beat(void)
{
	struct stat file;
	char path[PATH];
	if (stat(path_of("heartbeat", path), &file) != 0)
		return 0;
	return (int64_t)file.st_mtim.tv_sec * 1000 + file.st_mtim.tv_nsec / 1000000;
}
