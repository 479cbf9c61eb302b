/*
 * click - a redirect that was answered, kept for counting: one line in a file of the spool.
 *
 * click_record() is called before the answer is sent. It writes one line by one system call, and
 * waits for no other thread. Whatever happens to the process later, the line is in the kernel's
 * hands: a kill loses nothing, a power cut what was not yet synced (see click_sync()).
 * CLICK_DROPPED means that this click will not be counted; the redirect is answered all the same.
 * Both are counted here (clicks_spooled, clicks_dropped by reason).
 *
 * It waits for no disk, as far as that is in our hands: a write to a disk that is frozen, or whose
 * journal hangs, returns when the disk is back, and no sooner. Clicks are dropped (error) once
 * click_sync() has waited for such a disk for a second, as click_look() finds; a thread that is in a
 * write by then stays.
 *
 * A file of the spool, a segment, is named <16 lower-case hex digits>.clicks, a random number from
 * 1 to 2^63 - 1. It appears with its writer's lock (flock) already held, and who can take that lock
 * knows that nothing will be added. A process appends only to files that it made; a thread has its
 * own. A segment ends after SEGMENT_BYTES (or a 16th of LINKSHRINK_SPOOL_MAX_BYTES) or an hour; or
 * when there is no room for more clicks; or when the directory at its path is another one or none.
 * Its first line is a comment:
 *
 *     # linkshrink clicks 1 <node> <run, 16 hex digits> <created, RFC 3339>
 *
 * and each other line a record, of at most CLICK_LINE_MAX bytes, fields separated by tabs:
 *
 *     crc time link status referrer browser os flags network visitor
 *
 *     crc       CRC-32C of all that follows its tab, without the newline: 8 hex digits
 *     time      milliseconds since 1970
 *     link      links.id
 *     status    of the answer, such as 302
 *     referrer  host that the visitor came from, see referrer.h; \N if none
 *     browser   of agents.def; of a bot its class
 *     os        of agents.def
 *     flags     b: a bot, p: a prefetch, both, or - for neither
 *     network   of the visitor in CIDR form, see base/address.h; \N if unknown
 *     visitor   see visitor.h; a signed number
 *
 * Only the last line of a segment can be torn, by the death of its writer or by a disk that fails;
 * it lacks its newline then. What a click never holds: the whole address, the user agent, the page
 * of the referrer, the query of the request.
 */
#ifndef DOMAIN_CLICK_H
#define DOMAIN_CLICK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLICK_LINE_MAX = 512,             /* bytes, the newline included */
	CLICK_SEGMENT_BYTES = 16 << 20,   /* after these a segment ends */
	CLICK_SEGMENT_MS = 60 * 60 * 1000 /* after this, too */
};

#define CLICK_SUFFIX ".clicks"

enum click_result { CLICK_KEPT, CLICK_DROPPED };

struct click {
	int64_t at;   /* milliseconds since 1970 */
	int64_t link; /* links.id */
	int status;
	/* As the client sent them, "" where it did not; believed in nothing. */
	const char *referrer;   /* the header Referer */
	const char *user_agent; /* User-Agent */
	const char *client;     /* its address */
	const char *purpose;    /* Sec-Purpose or Purpose */
};

/* Writes the clicks of one thread. */
struct click_writer;

/*
 * Opens nothing yet: a directory that is missing is tried again, now and then, until it is there.
 * node: the number of this machine. NULL: no memory.
 */
struct click_writer *click_writer_new(const char *directory, int64_t node);

/* Syncs its segment and leaves it finished. */
void click_writer_free(struct click_writer *writer);

enum click_result click_record(struct click_writer *writer, const struct click *click);

/*
 * The background work of a process that writes clicks; returns the milliseconds to wait before the
 * next call. Gives what was written to the disk (fdatasync), judges about once a second whether
 * there is room for more and the disk takes it, forgets the visitor keys of past days. It may wait
 * for a disk as long as that takes; no writer ever waits for it.
 */
unsigned click_sync(void);

/*
 * Its other half: looks whether click_sync() waits for a disk that hangs. Returns the milliseconds
 * to wait before the next call, in a thread that does nothing else.
 */
enum { CLICK_LOOK_MS = 100 };
unsigned click_look(void);

/*
 * Read your own click: waits until all clicks that were answered before `since`
 * (clock_monotonic()) are in PostgreSQL, at most ms milliseconds; false then.
 */
bool click_wait_committed(uint64_t since, unsigned ms);

#endif
