/*
 * pieces - bytes as a network brings them: whole, one by one, or cut by chance. Each piece has
 * memory of its own, so that a sanitizer sees who reads past its end.
 */
#ifndef UNIT_PIECES_H
#define UNIT_PIECES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECES_WHOLE = 0,
	PIECES_BYTES = 1,
	PIECES_KINDS = 24 /* the others are cut by chance, always alike */
};

typedef void (*piece_taker)(const char *bytes, size_t len, void *context);

static inline size_t piece_len(uint32_t kind, uint32_t *chance, size_t left)
{
	if (kind == PIECES_WHOLE)
		return left;
	*chance = *chance * 1664525 + 1013904223;
	size_t most = kind == PIECES_BYTES ? 1 : kind;
	size_t len = 1 + (*chance >> 16) % most;
	return len < left ? len : left;
}

static inline void feed_pieces(
	const char *bytes, size_t len, uint32_t kind, piece_taker feed, void *context)
{
	uint32_t chance = kind;
	while (len > 0) {
		size_t step = piece_len(kind, &chance, len);
		char *piece = malloc(step);
		if (piece == NULL)
			abort();
		memcpy(piece, bytes, step);
		feed(piece, step, context);
		free(piece);
		bytes += step;
		len -= step;
	}
}

#endif
