#include "base/edge.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 16 };

/* The next word, which a space ends; false if there is none. */
static bool take_word(const char **text, char word[WORD_MAX])
{
	size_t len = strcspn(*text, " ,");
	if (len == 0 || len >= WORD_MAX || (*text)[len] != ' ')
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len + 1;
	return true;
}

static bool take_number(const char **text, char end, uint64_t *number)
{
	char *stop;
	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoull(*text, &stop, 10);
	if (*stop != end)
		return false;
	*text = stop + 1;
	return true;
}

static bool take_entry(struct edge *edge, const char **text)
{
	char handler[WORD_MAX], method[WORD_MAX];
	uint64_t status, count;
	if (!take_word(text, handler) || !take_word(text, method) ||
		!take_number(text, ' ', &status) || !take_number(text, ',', &count))
		return false;
	enum label_edge a = metrics_edge(handler);
	enum label_method b = metrics_method(method);
	if (a == LABEL_edge_COUNT || b == LABEL_method_COUNT || status > 999)
		return false;
	edge->counts[a][b][metrics_code((int)status)] += count;
	return true;
}

bool edge_read(struct edge *edge, const char *text)
{
	*edge = (struct edge){ 0 };
	while (*text != '.')
		if (!take_entry(edge, &text))
			return false;
	return text[1] == '\0';
}
