#include "base/hints.h"

#include <string.h>

void hints_add(const char *text)
{
	struct segment *segment = segment_get();
	uint64_t words[HINT_WORDS] = { 0 };
	size_t len = strlen(text);
	memcpy(words, text, len < HINT_MAX ? len : HINT_MAX);
	uint64_t number = atomic_fetch_add(&segment->hints_added, 1);
	struct hint_cell *cell = &segment->hints[number % HINT_CELLS];
	atomic_store_explicit(&cell->ticket, 0, memory_order_relaxed);
	/* Released, so that no new word is seen before the ticket has gone. */
	for (unsigned i = 0; i < HINT_WORDS; i++)
		atomic_store_explicit(&cell->text[i], words[i], memory_order_release);
	atomic_store_explicit(&cell->ticket, number + 1, memory_order_release);
}

/* False when the cell holds another hint by now, or is only being written. */
static bool take(struct hint_cell *cell, uint64_t number, char text[HINT_MAX + 1])
{
	uint64_t words[HINT_WORDS];
	if (atomic_load_explicit(&cell->ticket, memory_order_acquire) != number + 1)
		return false;
	for (unsigned i = 0; i < HINT_WORDS; i++)
		words[i] = atomic_load_explicit(&cell->text[i], memory_order_acquire);
	memcpy(text, words, HINT_MAX);
	text[HINT_MAX] = '\0';
	return atomic_load_explicit(&cell->ticket, memory_order_relaxed) == number + 1;
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
