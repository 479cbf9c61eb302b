#include "domain/replica_tally.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void replica_total_add(struct replica_total *total, const struct replica_total *more)
{
	total->active += more->active;
	total->disabled += more->disabled;
	total->deleted += more->deleted;
}

static struct replica_total one_state(enum link_state state, int64_t n)
{
	switch (state) {
	case LINK_ACTIVE: return (struct replica_total){ .active = n };
	case LINK_DISABLED: return (struct replica_total){ .disabled = n };
	case LINK_DELETED: break;
	}
	return (struct replica_total){ .deleted = n };
}

/* Where an owner is, or would be. Neighbouring ids are spread by the multiplication. */
static struct replica_owner *find_place(const struct replica_tally *tally, int64_t owner)
{
	const size_t mask = tally->room - 1;
	size_t place = (size_t)((uint64_t)owner * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
	while (tally->owners[place].owner != owner && tally->owners[place].owner != -1)
		place = (place + 1) & mask;
	return &tally->owners[place];
}

static bool grow(struct replica_tally *tally)
{
	struct replica_tally larger = *tally;
	larger.room = tally->room == 0 ? FIRST_ROOM : tally->room * 2;
	larger.owners = malloc(larger.room * sizeof(*larger.owners));
	if (larger.owners == NULL)
		return false;
	memset(larger.owners, 0xff, larger.room * sizeof(*larger.owners)); /* all free */
	for (size_t i = 0; i < tally->room; i++)
		if (tally->owners[i].owner != -1)
			*find_place(&larger, tally->owners[i].owner) = tally->owners[i];
	free(tally->owners);
	*tally = larger;
	return true;
}

/* At most three of four places are taken. */
static bool add_owner(struct replica_tally *tally, int64_t owner, const struct replica_total *more)
{
	if ((tally->count + 1) * 4 > tally->room * 3 && !grow(tally))
		return false;
	struct replica_owner *place = find_place(tally, owner);
	if (place->owner == -1) {
		*place = (struct replica_owner){ .owner = owner };
		tally->count++;
	}
	replica_total_add(&place->total, more);
	return true;
}

bool replica_tally_add(struct replica_tally *tally, int64_t owner, enum link_state state, int64_t n)
{
	const struct replica_total more = one_state(state, n);
	replica_total_add(&tally->all, &more);
	return owner < 0 || add_owner(tally, owner, &more);
}

bool replica_tally_join(struct replica_tally *tally, const struct replica_tally *other)
{
	bool good = true;
	replica_total_add(&tally->all, &other->all);
	for (size_t i = 0; i < other->room && good; i++)
		if (other->owners[i].owner != -1)
			good = add_owner(tally, other->owners[i].owner, &other->owners[i].total);
	return good;
}

static int compare(const void *left, const void *right)
{
	const struct replica_owner *a = left, *b = right;
	return a->owner < b->owner ? -1 : a->owner > b->owner;
}

void replica_tally_sort(struct replica_tally *tally)
{
	size_t count = 0;
	for (size_t i = 0; i < tally->room; i++)
		if (tally->owners[i].owner != -1)
			tally->owners[count++] = tally->owners[i];
	if (count > 1)
		qsort(tally->owners, count, sizeof(*tally->owners), compare);
}

void replica_tally_clear(struct replica_tally *tally)
{
	free(tally->owners);
	*tally = (struct replica_tally){ 0 };
}
