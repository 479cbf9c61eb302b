#include "domain/replica_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain/replica_env.h"

static bool is_at(int lock, const char *path)
{
	struct stat ours, named;
	return fstat(lock, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino &&
	       ours.st_dev == named.st_dev;
}

bool replica_lock_take(int *lock, const char *directory)
{
	char path[REPLICA_PATH_MAX];
	snprintf(path, sizeof(path), "%s/writer.lock", directory);
	if (*lock >= 0 && is_at(*lock, path))
		return true;
	replica_lock_release(lock);
	if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST)
		return false;
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (*lock < 0)
		return false;
	if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	int error = errno;
	replica_lock_release(lock);
	errno = error;
	return false;
}

void replica_lock_release(int *lock)
{
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
}

unsigned replica_lock_tries(int lock)
{
	char digit;
	if (pread(lock, &digit, 1, 0) != 1 || digit < '0' || digit > '9')
		return 0;
	return (unsigned)(digit - '0');
}

void replica_lock_count(int lock, unsigned tries)
{
	const char digit = (char)('0' + tries % 10);
	/* On a full disk nothing is counted, and nothing worse happens. */
	if (lock >= 0)
		(void)!pwrite(lock, &digit, 1, 0);
}
