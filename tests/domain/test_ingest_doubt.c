#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/segment.h"
#include "domain/database.h"
#include "domain/ingest_run.h"
#include "domain/spool_write.h"

static int64_t now;

static const char person[] = "700\t302\tnews.example\tfirefox\tlinux\t-\t198.51.100.0/24\t-42";

static void begin(void)
{
	ingest_begin();
	now = clock_wall_ms();
}

TestSuite(ingest_doubt, .init = begin, .fini = ingest_end);

static void take_turns(int turns)
{
	while (turns-- > 0)
		ingest_once();
}

/* Whether what was answered until now comes to be committed, as far as it says. */
static bool publishes(void)
{
	uint64_t asked = clock_monotonic();

	take_turns(10);
	return segment_get()->clicks_committed_until > asked;
}

Test(ingest_doubt, takes_no_fault_in_reading_for_the_end)
{
	spool_segment(1);
	spool_segment(2);
	spool_clicks(1, 10, now, person);
	ingest_until_idle();
	cr_assert(publishes());
	spool_spoil(1);
	spool_clicks(2, 5, now, person);
	cr_expect(not(publishes()));
	cr_expect(spool_has(1, false) && !spool_has(1, true));
	ingest_expect_counted(15);
}

Test(ingest_doubt, says_nothing_of_clicks_that_it_cannot_see)
{
	char path[256];

	spool_segment(1);
	spool_clicks(1, 10, now, person);
	cr_expect(publishes());
	snprintf(path, sizeof(path), "%s/00000000000000aa.clicks", ingest_settings.directory);
	cr_assert(symlink("elsewhere", path) == 0);
	spool_clicks(1, 10, now, person);
	cr_expect(not(publishes()));
	ingest_expect_counted(20);
	cr_assert(unlink(path) == 0);
	cr_expect(publishes());
}
