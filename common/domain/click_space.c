#include "domain/click_space.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/config.h"
#include "domain/click.h"

/* More than a busy machine writes in a second. */
static const int64_t low_bytes = INT64_C(64) << 20;

static bool is_segment(const char *name)
{
	size_t len = strlen(name), suffix = strlen(CLICK_SUFFIX);
	return len > suffix && strcmp(name + len - suffix, CLICK_SUFFIX) == 0;
}

/* Bytes of all segments that wait for PostgreSQL; what is kept lies elsewhere, see spool.h. */
static int64_t pending_bytes(const char *directory)
{
	struct stat status;
	int64_t bytes = 0;
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (is_segment(entry->d_name) &&
			fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += status.st_size;
	if (folder != NULL)
		closedir(folder);
	return bytes;
}

enum label_reason click_space(const char *directory, bool *low)
{
	struct statvfs disk;
	*low = false;
	if (statvfs(directory, &disk) != 0)
		return LABEL_reason_COUNT;
	int64_t spare =
		(int64_t)(disk.f_bavail * disk.f_frsize) - config_get()->spool_reserve_bytes;
	int64_t left = config_get()->spool_max_bytes - pending_bytes(directory);
	*low = spare < low_bytes || left < low_bytes;
	if (spare <= 0)
		return LABEL_reason_RESERVE;
	return left <= 0 ? LABEL_reason_SPOOL_FULL : LABEL_reason_COUNT;
}
