#include "domain/target_idn.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/*
 * Not among them: IDN2_USE_STD3_ASCII_RULES deletes letters that it does not like, so that
 * exam!ple.com would lead to example.com. Which ASCII may stay is for the caller to check.
 */
enum { FLAGS = IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT };

/* The full stops of East Asian keyboards; UTS #46 takes them for dots. */
static const char *const full_stops[] = { ".", "\u3002", "\uff0e", "\uff61" };

/* Bytes of the full stop at the start of a text, 0 if there is none. */
static size_t full_stop_length(const char *at)
{
	if ((unsigned char)*at < 0x80)
		return *at == '.';
	for (size_t i = 0; i < sizeof(full_stops) / sizeof(*full_stops); i++) {
		if (text_starts_with(at, full_stops[i]))
			return strlen(full_stops[i]);
	}
	return 0;
}

static void make_lower(char *label)
{
	for (; *label != '\0'; label++) {
		if (*label >= 'A' && *label <= 'Z')
			*label = (char)(*label - 'A' + 'a');
	}
}

static bool is_ascii(const char *label)
{
	for (; *label != '\0'; label++) {
		if ((unsigned char)*label >= 0x80)
			return false;
	}
	return true;
}

/*
 * The library also refuses plain labels such as r4---sn, and those exist. So it sees only what has
 * other letters, and A-labels, which it decodes, checks and encodes again.
 */
static bool add_label(struct text *to, char *label)
{
	make_lower(label);
	if (is_ascii(label) && !text_starts_with(label, "xn--")) {
		text_add(to, label);
		return true;
	}
	uint8_t *converted = NULL;
	if (idn2_lookup_u8((const uint8_t *)label, &converted, FLAGS) != IDN2_OK)
		return false;
	text_add(to, (const char *)converted);
	idn2_free(converted);
	return true;
}

/* Blocks of scripts that run from right to left, after Unicode's DerivedBidiClass. */
static bool is_right_to_left(uint32_t letter)
{
	return (letter >= 0x0590 && letter <= 0x08FF) || (letter >= 0xFB1D && letter <= 0xFDFF) ||
	       (letter >= 0xFE70 && letter <= 0xFEFF) || (letter >= 0x10800 && letter <= 0x10FFF) ||
	       (letter >= 0x1E800 && letter <= 0x1EFFF);
}

static bool is_european_digit(uint32_t letter)
{
	return (letter >= '0' && letter <= '9') || (letter >= 0x06F0 && letter <= 0x06F9);
}

static bool is_arabic_digit(uint32_t letter)
{
	return letter >= 0x0660 && letter <= 0x0669;
}

/* Of one label: neither begins with a digit or sign, nor ends with a sign, nor mixes digits. */
static bool label_is_orderly(const uint32_t *letters, size_t len)
{
	bool european = false, arabic = false;
	for (size_t i = 0; i < len; i++) {
		european = european || is_european_digit(letters[i]);
		arabic = arabic || is_arabic_digit(letters[i]);
	}
	if (len == 0)
		return true;
	uint32_t first = letters[0], last = letters[len - 1];
	return !is_european_digit(first) && !is_arabic_digit(first) && first != '-' &&
	       first != '_' && last != '-' && last != '_' && !(european && arabic);
}

/*
 * RFC 5893: one letter of such a script binds all labels, or the name would be displayed in another
 * order than it is spelled. The library looks at each label alone, and not at mixed digits.
 */
static bool displays_in_order(const uint32_t *letters)
{
	bool mixed = false, orderly = true;
	size_t begin = 0, at = 0;
	do {
		mixed = mixed || is_right_to_left(letters[at]);
		if (letters[at] == 0 || letters[at] == '.') {
			orderly = orderly && label_is_orderly(letters + begin, at - begin);
			begin = at + 1;
		}
	} while (letters[at++] != 0);
	return orderly || !mixed;
}

static bool is_orderly(const char *ascii)
{
	uint32_t *letters = NULL;
	if (strstr(ascii, "xn--") == NULL)
		return true;
	if (idn2_to_unicode_8z4z(ascii, &letters, FLAGS) != IDN2_OK)
		return false;
	bool orderly = displays_in_order(letters);
	idn2_free(letters);
	return orderly;
}

bool target_idn_read(const char *name, char *ascii, size_t room)
{
	char label[TARGET_IDN_LABEL + 1];
	struct text to = text_fixed(ascii, room);
	for (;;) {
		struct text from = text_fixed(label, sizeof(label));
		size_t stop = 0;
		while (*name != '\0' && (stop = full_stop_length(name)) == 0)
			text_add_char(&from, *name++);
		if (from.cut || !add_label(&to, label))
			return false;
		if (stop == 0)
			break;
		text_add_char(&to, '.');
		name += stop;
	}
	return !to.cut && is_ascii(ascii) && is_orderly(ascii);
}
