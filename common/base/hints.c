#include "base/hints.h"

#include <string.h>

/* What a cell says while the hint of a number is written to it, and when it is whole. */
static uint64_t writing(uint64_t number)
{
	return 2 * number + 1;
}

static uint64_t whole(uint64_t number)
{
	return 2 * number + 2;
}

/*
 * A writer that was kept from running may be overtaken by the hints of a whole round: then one of
 * two gives up its hint. One that was killed in the middle is forgotten after some rounds.
 */
static bool claim(struct hint_cell *cell, uint64_t number)
{
	const uint64_t rounds = 8 * (uint64_t)HINT_CELLS;
	uint64_t ticket = atomic_load(&cell->ticket);
	bool written = ticket % 2 != 0 && whole(number) - ticket < rounds;
	return !written && ticket < writing(number) &&
	       atomic_compare_exchange_strong(&cell->ticket, &ticket, writing(number));
}

uint64_t hints_add(const char *text)
{
	struct segment *segment = segment_get();
	uint64_t words[HINT_WORDS] = { 0 };
	size_t len = strlen(text);
	memcpy(words, text, len < HINT_MAX ? len : HINT_MAX);
	uint64_t number = atomic_fetch_add(&segment->hints_added, 1);
	struct hint_cell *cell = &segment->hints[number % HINT_CELLS];
	if (!claim(cell, number))
		return number;
	/* Released, so that no new word is seen before the ticket has changed. */
	for (unsigned i = 0; i < HINT_WORDS; i++)
		atomic_store_explicit(&cell->text[i], words[i], memory_order_release);
	atomic_store_explicit(&cell->ticket, whole(number), memory_order_release);
	return number;
}

bool hints_heeded(uint64_t number)
{
	return atomic_load(&segment_get()->hints_heeded) > number;
}

void hints_heed(void)
{
	atomic_store(&segment_get()->hints_heeded, atomic_load(&segment_get()->hints_taken));
}

/* False when the cell holds another hint by now, or is only being written. */
static bool take(struct hint_cell *cell, uint64_t number, char text[HINT_MAX + 1])
{
	uint64_t words[HINT_WORDS];
	if (atomic_load_explicit(&cell->ticket, memory_order_acquire) != whole(number))
		return false;
	for (unsigned i = 0; i < HINT_WORDS; i++)
		words[i] = atomic_load_explicit(&cell->text[i], memory_order_acquire);
	memcpy(text, words, HINT_MAX);
	text[HINT_MAX] = '\0';
	return atomic_load_explicit(&cell->ticket, memory_order_relaxed) == whole(number);
}

unsigned hints_take(char (*texts)[HINT_MAX + 1], unsigned room, bool *lost)
{
	struct segment *segment = segment_get();
	uint64_t added = atomic_load(&segment->hints_added);
	uint64_t next = atomic_load(&segment->hints_taken);
	unsigned taken = 0;
	if (added - next > HINT_CELLS) {
		next = added - HINT_CELLS;
		*lost = true;
	}
	for (; next < added && taken < room; next++) {
		if (take(&segment->hints[next % HINT_CELLS], next, texts[taken]))
			taken++;
		else
			*lost = true;
	}
	atomic_store(&segment->hints_taken, next);
	return taken;
}
