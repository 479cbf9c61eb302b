/*
 * What is known of the links as a whole: its bytes, and the file "known" with them, which is there
 * still when the file of the links is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "domain/replica_private.h"

void replica_meta_pack(const struct replica_meta *meta, struct replica_kept *kept)
{
	memset(kept, 0, sizeof(*kept)); /* what lies between the members, too */
	memcpy(&kept->meta, meta, sizeof(kept->meta));
	kept->checksum = crc32c(&kept->meta, sizeof(kept->meta));
}

bool replica_meta_unpack(const void *bytes, size_t len, struct replica_meta *meta)
{
	struct replica_kept kept;
	if (len != sizeof(kept))
		return false;
	memcpy(&kept, bytes, sizeof(kept));
	if (kept.checksum != crc32c(&kept.meta, sizeof(kept.meta)))
		return false;
	*meta = kept.meta;
	return true;
}

enum replica_result replica_writer_get_memory(
	struct replica_writer *writer, struct replica_meta *meta)
{
	char path[REPLICA_PATH_MAX];
	unsigned char bytes[sizeof(struct replica_kept) + 1]; /* one more: it must end there */
	snprintf(path, sizeof(path), "%s/known", writer->directory);
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return replica_step_conclude(writer, errno);
	ssize_t len = read(file, bytes, sizeof(bytes));
	int error = errno;
	close(file);
	if (len < 0)
		return replica_step_conclude(writer, error);
	return replica_meta_unpack(bytes, (size_t)len, meta) ? REPLICA_OK : REPLICA_DAMAGED;
}

static int write_file(const char *path, const struct replica_kept *kept)
{
	int file = open(
		path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (file < 0)
		return errno;
	ssize_t written = write(file, kept, sizeof(*kept));
	int error = written == (ssize_t)sizeof(*kept) ? 0 : written < 0 ? errno : ENOSPC;
	if (error == 0 && fsync(file) != 0)
		error = errno;
	close(file);
	return error;
}

enum replica_result replica_writer_put_memory(
	struct replica_writer *writer, const struct replica_meta *meta)
{
	char path[REPLICA_PATH_MAX], made[REPLICA_PATH_MAX];
	struct replica_meta memory;
	struct replica_kept kept;
	memset(&memory, 0, sizeof(memory));
	memcpy(memory.identity, meta->identity, sizeof(memory.identity));
	memcpy(memory.known, meta->known, sizeof(memory.known));
	replica_meta_pack(&memory, &kept);
	snprintf(path, sizeof(path), "%s/known", writer->directory);
	if (memcmp(&kept, &writer->memory, sizeof(kept)) == 0 && access(path, F_OK) == 0)
		return REPLICA_OK;
	snprintf(made, sizeof(made), "%s/known.new", writer->directory);
	int error = write_file(made, &kept);
	if (error == 0 && (rename(made, path) != 0 || !replica_env_sync(writer->directory)))
		error = errno;
	if (error == 0)
		writer->memory = kept;
	return replica_step_conclude(writer, error);
}
