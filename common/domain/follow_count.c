#include "base/log.h"
#include "domain/follow_private.h"

enum { ALL_OWNERS = -1, PAUSE_S = 60 /* after a count for which there was no room */ };

void follow_start_count(struct follow *follow)
{
	follow->counting = true;
}

void follow_look_at_totals(struct follow *follow)
{
	struct replica_total total;
	if (!follow->counting && clock_monotonic() >= follow->count_due &&
		replica_writer_total(follow->writer, ALL_OWNERS, &total) == REPLICA_MISSING)
		follow_start_count(follow);
}

static void tell(struct follow *follow)
{
	struct log_line line;
	struct replica_total total;
	if (replica_writer_total(follow->writer, ALL_OWNERS, &total) != REPLICA_OK)
		return;
	log_begin(&line, LOG_INFO, "replica_counted");
	log_field_number(&line, "active", total.active);
	log_field_number(&line, "disabled", total.disabled);
	log_field_number(&line, "deleted", total.deleted);
	log_end(&line);
}

/* Links are followed also where their totals have no room. */
enum follow_result follow_count(struct follow *follow)
{
	enum replica_result result = replica_writer_recount(follow->writer, &follow->counting);
	if (result == REPLICA_FULL || result == REPLICA_ERROR) {
		follow->count_due = clock_monotonic() + PAUSE_S * CLOCK_S;
		return FOLLOW_DONE;
	}
	if (result == REPLICA_OK && !follow->counting)
		tell(follow);
	return result == REPLICA_OK ? FOLLOW_MORE : follow_written(follow, result);
}
