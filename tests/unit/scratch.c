#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];

void scratch_make(void)
{
	snprintf(directory, sizeof(directory), "/dev/shm/linkshrink-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
}

const char *scratch_path(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static unsigned for_each_file(void (*act)(const char *path))
{
	unsigned count = 0;
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (act != NULL)
			act(scratch_path(entry->d_name));
	}
	if (folder != NULL)
		closedir(folder);
	return count;
}

static void remove_file(const char *path)
{
	unlink(path);
}

void scratch_remove(void)
{
	for_each_file(remove_file);
	rmdir(directory);
}

unsigned scratch_count(void)
{
	return for_each_file(NULL);
}

size_t scratch_read(const char *name, char *bytes, size_t room)
{
	FILE *file = fopen(scratch_path(name), "r");
	cr_assert_not_null(file, "%s", name);
	size_t len = fread(bytes, 1, room - 1, file);
	fclose(file);
	bytes[len] = '\0';
	return len;
}

pid_t scratch_fork(void (*work)(void))
{
	int done[2];
	char byte;
	cr_assert_eq(pipe(done), 0);
	pid_t child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
		work();
		if (write(done[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(done[1]);
	cr_assert_eq(read(done[0], &byte, 1), 1, "the child ended before its work was done");
	close(done[0]);
	return child;
}

void scratch_kill(pid_t child)
{
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}
