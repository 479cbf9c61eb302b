#include "domain/target_host.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "domain/target_idn.h"

/* NAME_MAX_BYTES: of a name as it is pasted, other letters and all. */
enum { LABEL_MAX = 63, NAME_MAX_BYTES = 1024 };

static const char not_a_host[] = "must have a host that exists, such as example.com";

/* IPv4 that is not globally reachable: address, length of the prefix. */
static const struct {
	uint32_t network;
	unsigned bits;
} private_ipv4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0A000000, 8 },  /* private use */
	{ 0x64400000, 10 }, /* shared by a provider's customers */
	{ 0x7F000000, 8 },  /* loopback */
	{ 0xA9FE0000, 16 }, /* link-local, also the clouds' metadata */
	{ 0xAC100000, 12 }, /* private use */
	{ 0xC0000000, 24 }, /* protocol assignments */
	{ 0xC0000200, 24 }, /* documentation */
	{ 0xC0586300, 24 }, /* former 6to4 relays */
	{ 0xC0A80000, 16 }, /* private use */
	{ 0xC6120000, 15 }, /* benchmarks */
	{ 0xC6336400, 24 }, /* documentation */
	{ 0xCB007100, 24 }, /* documentation */
	{ 0xE0000000, 4 },  /* multicast */
	{ 0xF0000000, 4 },  /* reserved, broadcast */
};

/*
 * IPv6 by prefix, the first row that fits decides: where an IPv4 address lies in it that decides in
 * its place, or that all of it is private. What no row names is private unless it lies in 2000::/3.
 */
enum { ALL_PRIVATE = -1 };

static const struct special_ipv6 {
	unsigned char network[12];
	unsigned bits;
	int embedded; /* first byte of the IPv4 address, or ALL_PRIVATE */
} special_ipv6[] = {
	{ { 0 }, 96, ALL_PRIVATE },                      /* :: and ::1 among them */
	{ { [10] = 0xFF, [11] = 0xFF }, 96, 12 },        /* IPv4-mapped */
	{ { 0x00, 0x64, 0xFF, 0x9B }, 96, 12 },          /* NAT64 */
	{ { 0x20, 0x01, 0x00 }, 23, ALL_PRIVATE },       /* Teredo and others */
	{ { 0x20, 0x01, 0x0D, 0xB8 }, 32, ALL_PRIVATE }, /* documentation */
	{ { 0x20, 0x02 }, 16, 2 },                       /* 6to4 */
	{ { 0x3F, 0xFF, 0x00 }, 20, ALL_PRIVATE },       /* documentation */
};

static const char *const private_suffixes[] = { "localhost", "localdomain", "local", "internal",
	"lan", "svc", "corp", "home", "intranet", "home.arpa" };

static bool is_private_ipv4(const unsigned char *bytes)
{
	uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			   (uint32_t)bytes[2] << 8 | bytes[3];
	for (size_t i = 0; i < sizeof(private_ipv4) / sizeof(*private_ipv4); i++) {
		if ((address ^ private_ipv4[i].network) >> (32 - private_ipv4[i].bits) == 0)
			return true;
	}
	return false;
}

static bool has_prefix(const unsigned char *bytes, const unsigned char *network, unsigned bits)
{
	if (memcmp(bytes, network, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (bytes[bits / 8] ^ network[bits / 8]) >> (8 - bits % 8) == 0;
}

/* The row that decides about an address, NULL if none does. */
static const struct special_ipv6 *find_special(const unsigned char *bytes)
{
	for (size_t i = 0; i < sizeof(special_ipv6) / sizeof(*special_ipv6); i++) {
		if (has_prefix(bytes, special_ipv6[i].network, special_ipv6[i].bits))
			return &special_ipv6[i];
	}
	return NULL;
}

static void set_ipv4(struct target_host *host, const unsigned char *bytes)
{
	memcpy(host->ipv4, bytes, sizeof(host->ipv4));
	host->has_ipv4 = true;
	host->private = is_private_ipv4(bytes);
	/* The zero address leads to this machine, too, when it is connected to. */
	host->loopback = bytes[0] == 127 || bytes[0] == 0;
}

static void judge_ipv6(struct target_host *host, const struct in6_addr *address)
{
	const unsigned char *bytes = address->s6_addr;
	const struct special_ipv6 *special = find_special(bytes);
	if (special != NULL && special->embedded != ALL_PRIVATE) {
		set_ipv4(host, bytes + special->embedded);
		return;
	}
	host->private = special != NULL || bytes[0] >> 5 != 1;
	host->loopback = IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address);
}

static const char *read_ipv6(const char *inside, size_t len, struct target_host *host)
{
	char spelled[INET6_ADDRSTRLEN], canonical[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (len >= sizeof(spelled))
		return not_a_host;
	memcpy(spelled, inside, len);
	spelled[len] = '\0';
	if (strlen(spelled) != len || inet_pton(AF_INET6, spelled, &address) != 1)
		return not_a_host;
	inet_ntop(AF_INET6, &address, canonical, sizeof(canonical));
	struct text text = text_fixed(host->text, sizeof(host->text));
	text_addf(&text, "[%s]", canonical);
	host->address = true;
	judge_ipv6(host, &address);
	return NULL;
}

static const char *read_ipv4(struct target_host *host)
{
	unsigned char bytes[4];
	char canonical[INET_ADDRSTRLEN];
	if (inet_pton(AF_INET, host->text, bytes) != 1)
		return "must spell an IPv4 address as four decimal numbers";
	inet_ntop(AF_INET, bytes, canonical, sizeof(canonical));
	if (strcmp(canonical, host->text) != 0)
		return "must spell an IPv4 address as four decimal numbers";
	host->address = true;
	set_ipv4(host, bytes);
	return NULL;
}

/* What a browser takes for a part of an IPv4 address: decimal, octal or hexadecimal. */
static bool is_number(const char *label)
{
	if (text_starts_with(label, "0x"))
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t name_len = strlen(name), suffix_len = strlen(suffix);
	if (name_len < suffix_len || strcmp(name + name_len - suffix_len, suffix) != 0)
		return false;
	return name_len == suffix_len || name[name_len - suffix_len - 1] == '.';
}

static bool is_private_name(const char *name)
{
	for (size_t i = 0; i < sizeof(private_suffixes) / sizeof(*private_suffixes); i++) {
		if (ends_with(name, private_suffixes[i]))
			return true;
	}
	return strchr(name, '.') == NULL;
}

static bool labels_are_good(const char *name)
{
	for (;;) {
		size_t len = strcspn(name, ".");
		if (len == 0 || len > LABEL_MAX || name[0] == '-' || name[len - 1] == '-')
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}

/* The byte that %XX at the start of len bytes stands for; -1 if it is none. */
static int percent_byte(const char *from, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	int byte = 0;
	if (len < 3 || *from != '%')
		return -1;
	for (int i = 1; i <= 2; i++) {
		const char *digit = memchr(digits, from[i] | 0x20, 16);
		if (digit == NULL || from[i] < '0')
			return -1;
		byte = byte * 16 + (int)(digit - digits);
	}
	return byte;
}

/* Browsers decode before they look for letters and dots. What comes out is judged as if pasted. */
static bool decode(const char *bytes, size_t len, struct text *to)
{
	while (len > 0) {
		int byte = *bytes == '%' ? percent_byte(bytes, len) : (unsigned char)*bytes;
		size_t step = *bytes == '%' ? 3 : 1;
		if (byte <= 0x20)
			return false;
		text_add_char(to, (char)byte);
		bytes += step;
		len -= step;
	}
	return !to->cut && text_is_utf8(to->data, to->len);
}

/* The name in ASCII and lower case; one with a byte that no host has, or one too many, is false. */
static bool read_name(const char *bytes, size_t len, char name[TARGET_HOST_MAX + 1])
{
	char decoded[NAME_MAX_BYTES + 1];
	char ascii[TARGET_HOST_MAX + 2]; /* with the root's dot */
	struct text text = text_fixed(decoded, sizeof(decoded));
	if (!decode(bytes, len, &text) || !target_idn_read(decoded, ascii, sizeof(ascii)))
		return false;
	size_t ascii_len = strlen(ascii);
	if (ascii_len > 1 &&
		ascii[ascii_len - 1] == '.') /* the root of all names, which changes nothing */
		ascii[--ascii_len] = '\0';
	return ascii_len > 0 && text_copy(name, TARGET_HOST_MAX + 1, ascii) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ascii_len &&
	       labels_are_good(name);
}

const char *target_host_read(const char *bytes, size_t len, struct target_host *host)
{
	*host = (struct target_host){ 0 };
	if (len > 2 && bytes[0] == '[' && bytes[len - 1] == ']')
		return read_ipv6(bytes + 1, len - 2, host);
	if (!read_name(bytes, len, host->text))
		return not_a_host;
	const char *dot = strrchr(host->text, '.');
	if (is_number(dot == NULL ? host->text : dot + 1))
		return read_ipv4(host);
	host->private = is_private_name(host->text);
	host->loopback = ends_with(host->text, "localhost");
	return NULL;
}
