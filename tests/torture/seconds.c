#include "torture/seconds.h"

#include <limits.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

enum { OPEN_MAX = 128 };

_Static_assert(OPEN_MAX > SECONDS_PATIENCE_MAX_MS / 1000 + 2, "room for all that may be open");

struct second {
	long due[SECONDS_KIND_COUNT]; /* without those that count neither way */
	long good[SECONDS_KIND_COUNT];
	long scored; /* of any kind, in any way */
};

static struct {
	pthread_mutex_t lock; /* of all that follows; so nothing here is atomic */
	FILE *file;
	const struct schedule *schedule;
	long next; /* the second, counted from the begin, that is written next */
	long end;  /* the first one that never is */
	long neither;
	struct second open[OPEN_MAX]; /* next and those after it, each at its number % OPEN_MAX */
} seconds = { .lock = PTHREAD_MUTEX_INITIALIZER, .end = LONG_MAX };

void schedule_begin(struct schedule *schedule)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	schedule->begin = clock_monotonic() + CLOCK_S - (uint64_t)now.tv_nsec;
	schedule->second = now.tv_sec + 1;
}

/* Whole seconds apart: nothing is rounded twice, and nothing overflows. */
uint64_t schedule_due(const struct schedule *schedule, long number)
{
	const uint64_t n = (uint64_t)number, rate = (uint64_t)schedule->rate;
	return schedule->begin + n / rate * CLOCK_S + n % rate * CLOCK_S / rate;
}

uint64_t schedule_until(const struct schedule *schedule, long number)
{
	return schedule_due(schedule, number) + schedule->patience;
}

/* Of the requests before that one; what is the same for all numbers cancels out. */
static long creates_before(const struct schedule *schedule, long number)
{
	return ((number - 1) * schedule->creates + 100) / 100;
}

enum seconds_kind schedule_kind(const struct schedule *schedule, long number)
{
	bool creates = creates_before(schedule, number + 1) > creates_before(schedule, number);
	return creates ? SECONDS_CREATE : SECONDS_REDIRECT;
}

static struct second *find(long number)
{
	return &seconds.open[number % OPEN_MAX];
}

static void prepare(long number)
{
	const long first = number * seconds.schedule->rate, rate = seconds.schedule->rate;
	const long creates = creates_before(seconds.schedule, first + rate) -
			     creates_before(seconds.schedule, first);
	*find(number) = (struct second){
		.due = { [SECONDS_REDIRECT] = rate - creates, [SECONDS_CREATE] = creates }
	};
}

void seconds_open(FILE *file, const struct schedule *schedule)
{
	seconds.file = file;
	seconds.schedule = schedule;
	for (long i = 0; i < OPEN_MAX; i++)
		prepare(i);
}

bool seconds_close(void)
{
	bool written = !ferror(seconds.file);
	return fclose(seconds.file) == 0 && written;
}

/* When the last user of the next line has given up. */
static uint64_t next_until(void)
{
	const struct schedule *schedule = seconds.schedule;
	return schedule->begin + (uint64_t)(seconds.next + 1) * CLOCK_S + schedule->patience;
}

static void write_line(const struct second *second)
{
	const long *due = second->due, *good = second->good;
	fprintf(seconds.file, "%lld %ld %ld %ld %ld\n",
		(long long)seconds.schedule->second + seconds.next, good[SECONDS_REDIRECT],
		due[SECONDS_REDIRECT] - good[SECONDS_REDIRECT], good[SECONDS_CREATE],
		due[SECONDS_CREATE] - good[SECONDS_CREATE]);
}

static void write_final(uint64_t now)
{
	while (seconds.next < seconds.end) {
		const struct second *second = find(seconds.next);
		if (second->scored < seconds.schedule->rate && now < next_until())
			return;
		write_line(second);
		prepare(seconds.next + OPEN_MAX); /* in its place */
		seconds.next++;
	}
}

void seconds_change(long number, enum seconds_kind from, enum seconds_kind to)
{
	const long in = number / seconds.schedule->rate;
	pthread_mutex_lock(&seconds.lock);
	if (in >= seconds.next) {
		find(in)->due[from]--;
		find(in)->due[to]++;
	}
	pthread_mutex_unlock(&seconds.lock);
}

void seconds_score(long number, enum seconds_kind kind, enum seconds_score score)
{
	const uint64_t now = clock_monotonic();
	const long in = number / seconds.schedule->rate;
	if (now > schedule_until(seconds.schedule, number))
		score = SECONDS_BAD;
	pthread_mutex_lock(&seconds.lock);
	write_final(now); /* so that there is room for this one, even if nobody else does it */
	if (in >= seconds.next) {
		struct second *second = find(in);
		second->scored++;
		second->good[kind] += score == SECONDS_GOOD;
		second->due[kind] -= score == SECONDS_NEITHER;
		seconds.neither += score == SECONDS_NEITHER;
		write_final(now);
	}
	pthread_mutex_unlock(&seconds.lock);
}

uint64_t seconds_write(void)
{
	pthread_mutex_lock(&seconds.lock);
	write_final(clock_monotonic());
	const uint64_t again = next_until();
	pthread_mutex_unlock(&seconds.lock);
	return again;
}

void seconds_end(uint64_t when)
{
	const uint64_t begin = seconds.schedule->begin;
	pthread_mutex_lock(&seconds.lock);
	seconds.end = when > begin ? (long)((when - begin) / CLOCK_S) : 0;
	pthread_mutex_unlock(&seconds.lock);
}

void seconds_summarize(FILE *summary)
{
	long unwritten = 0;
	pthread_mutex_lock(&seconds.lock);
	for (long i = 0; i < OPEN_MAX; i++)
		unwritten += seconds.open[i].scored;
	fprintf(summary, "seconds_neither %ld\nseconds_unwritten %ld\n", seconds.neither,
		unwritten);
	pthread_mutex_unlock(&seconds.lock);
}
