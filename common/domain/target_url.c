#include "domain/target_url.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/metrics.h"
#include "base/text.h"
#include "domain/blocklist.h"
#include "domain/target_host.h"

enum { OWN_HOSTS_MAX = 32 };

/* The parts of a URL, as they stand in it; len is 0 and at is NULL for a part that is not there. */
struct part {
	const char *at;
	size_t len;
};

struct url {
	const char *scheme; /* "http" or "https" */
	struct target_host host;
	int64_t port;         /* the scheme's own where none is given */
	int64_t default_port; /* of the scheme */
	struct part path;
	struct part query;    /* after the '?' */
	struct part fragment; /* after the '#' */
};

struct own_host {
	struct target_host host;
	int64_t port; /* 0: all of them */
};

static struct own_host own[OWN_HOSTS_MAX];
static size_t own_count;
static bool private_is_allowed;

static const char blocked[] = "leads to a host that is blocked here";

/*
 * Bytes that are written as %XX beside controls, spaces and non-ASCII, by the sets of the URL
 * standard. '#' and '?' can't occur where they would end the part.
 */
static const char encoded_in_path[] = "\"<>^`{}";
static const char encoded_in_query[] = "\"<>'";
static const char encoded_in_fragment[] = "\"<>`";

static void add_encoded(struct text *text, struct part part, const char *encoded)
{
	for (size_t i = 0; i < part.len; i++) {
		unsigned char c = (unsigned char)part.at[i];
		if (c >= 0x80 || c == ' ' || strchr(encoded, c) != NULL)
			text_addf(text, "%%%02X", c);
		else
			text_add_char(text, (char)c);
	}
}

/* How many dots a segment stands for, written as they are or as %2e; 0 if it is not only dots. */
static unsigned dots_of(struct part segment)
{
	unsigned dots = 0;
	while (segment.len > 0) {
		size_t step = *segment.at == '.' ? 1 : 3;
		if (step == 3 && (segment.len < 3 || strncasecmp(segment.at, "%2e", 3) != 0))
			return 0;
		segment.at += step;
		segment.len -= step;
		dots++;
	}
	return dots;
}

/* Takes back the last segment; begin is where the path begins in the text. */
static void pop_segment(struct text *text, size_t begin)
{
	while (text->len > begin && text->data[text->len - 1] != '/')
		text->len--;
	if (text->len > begin)
		text->len--;
	text->data[text->len] = '\0';
}

/* "." and ".." are resolved as a browser would, or they would lead elsewhere than they look. */
static void add_path(struct text *text, struct part path)
{
	size_t begin = text->len;
	const char *at = path.at, *end = path.at + path.len;
	while (at < end) {
		const char *slash = memchr(at + 1, '/', (size_t)(end - at - 1));
		const char *next = slash == NULL ? end : slash;
		struct part segment = { at + 1, (size_t)(next - at - 1) };
		unsigned dots = dots_of(segment);
		if (dots == 2)
			pop_segment(text, begin);
		if (dots != 1 && dots != 2) {
			text_add_char(text, '/');
			add_encoded(text, segment, encoded_in_path);
		} else if (next == end) {
			text_add_char(text, '/');
		}
		at = next;
	}
	if (text->len == begin)
		text_add_char(text, '/');
}

static void skip(struct part *part, size_t len)
{
	*part = (struct part){ part->at + len, part->len - len };
}

static const char *read_scheme(struct part *rest, struct url *url)
{
	static const struct {
		const char *name;
		int64_t port;
	} schemes[] = { { "http", 80 }, { "https", 443 } };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t len = strlen(schemes[i].name);
		if (rest->len <= len || strncasecmp(rest->at, schemes[i].name, len) != 0 ||
			rest->at[len] != ':')
			continue;
		url->scheme = schemes[i].name;
		url->port = url->default_port = schemes[i].port;
		skip(rest, len + 1);
		while (rest->len > 0 && *rest->at == '/') /* one or three are two to a browser */
			skip(rest, 1);
		return NULL;
	}
	return "must begin with http:// or https://";
}

/* ":8080" or nothing; a colon alone means nothing, as in browsers. */
static const char *read_port(struct part port, int64_t *number)
{
	char digits[8];
	if (port.len <= 1)
		return NULL;
	skip(&port, 1);
	while (port.len > 1 && *port.at == '0')
		skip(&port, 1);
	struct text text = text_fixed(digits, sizeof(digits));
	text_add_bytes(&text, port.at, port.len);
	if (text.cut || !text_to_number(digits, 1, 65535, number))
		return "must have a port from 1 to 65535, or none";
	return NULL;
}

static const char *read_authority(struct part authority, struct url *url)
{
	if (memchr(authority.at, '@', authority.len) != NULL)
		return "must not contain a user name or password";
	if (authority.len == 0)
		return "must have a host";
	const char *end = authority.at + authority.len;
	const char *from = authority.at;
	if (*from == '[') {
		from = memchr(from, ']', authority.len);
		if (from == NULL)
			return "must close the bracket of its host";
	}
	const char *colon = memchr(from, ':', (size_t)(end - from));
	if (colon == NULL)
		colon = end;
	const char *refusal = read_port((struct part){ colon, (size_t)(end - colon) }, &url->port);
	if (refusal != NULL)
		return refusal;
	return target_host_read(authority.at, (size_t)(colon - authority.at), &url->host);
}

/* Takes what comes after the first `mark` off the part. */
static struct part split_off(struct part *part, char mark)
{
	const char *found = memchr(part->at, mark, part->len);
	if (found == NULL)
		return (struct part){ 0 };
	struct part rest = { found + 1, part->len - (size_t)(found - part->at) - 1 };
	part->len = (size_t)(found - part->at);
	return rest;
}

static bool is_space(char c)
{
	return strchr(" \t\n\r\f", c) != NULL;
}

/* White space around it came with the pasting. */
static struct part trim(const char *url)
{
	while (*url != '\0' && is_space(*url))
		url++;
	size_t len = strlen(url);
	while (len > 0 && is_space(url[len - 1]))
		len--;
	return (struct part){ url, len };
}

static const char *check_bytes(struct part url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.at[i];
		if (c < 0x20 || c == 0x7f || c == '\\')
			return "must not contain line breaks, control characters or backslashes";
	}
	return text_is_utf8(url.at, url.len) ? NULL : "must be UTF-8";
}

static const char *split(const char *pasted, struct url *url)
{
	struct part rest = trim(pasted);
	if (rest.len > TARGET_URL_MAX)
		return "must be at most 2048 bytes long";
	const char *refusal = check_bytes(rest);
	if (refusal == NULL)
		refusal = read_scheme(&rest, url);
	if (refusal != NULL)
		return refusal;
	url->fragment = split_off(&rest, '#');
	url->query = split_off(&rest, '?');
	const char *slash = memchr(rest.at, '/', rest.len);
	size_t authority_len = slash == NULL ? rest.len : (size_t)(slash - rest.at);
	url->path = (struct part){ rest.at + authority_len, rest.len - authority_len };
	return read_authority((struct part){ rest.at, authority_len }, url);
}

/* A loop is a loop by whichever name: all of this machine, or all spellings of one address. */
static bool is_same_host(const struct target_host *left, const struct target_host *right)
{
	bool same_ipv4 = left->has_ipv4 && right->has_ipv4 &&
			 memcmp(left->ipv4, right->ipv4, sizeof(left->ipv4)) == 0;
	return same_ipv4 || (left->loopback && right->loopback) ||
	       strcmp(left->text, right->text) == 0;
}

static bool is_own(const struct url *url)
{
	for (size_t i = 0; i < own_count; i++) {
		if (is_same_host(&own[i].host, &url->host) &&
			(own[i].port == 0 || own[i].port == url->port))
			return true;
	}
	return false;
}

static const char *check_host(const struct url *url)
{
	if (is_own(url))
		return "must not lead to this service itself";
	if (blocklist_holds(&url->host))
		return blocked;
	if (url->host.private && !private_is_allowed)
		return "must not lead to a private address";
	return NULL;
}

static const char *read_url(const char *pasted, char canonical[TARGET_URL_MAX + 1])
{
	struct url url = { 0 };
	struct text text = text_fixed(canonical, TARGET_URL_MAX + 1);
	const char *refusal = split(pasted, &url);
	if (refusal == NULL)
		refusal = check_host(&url);
	if (refusal != NULL)
		return refusal;
	text_addf(&text, "%s://%s", url.scheme, url.host.text);
	if (url.port != url.default_port)
		text_addf(&text, ":%d", (int)url.port);
	add_path(&text, url.path);
	if (url.query.at != NULL)
		text_add_char(&text, '?');
	add_encoded(&text, url.query, encoded_in_query);
	if (url.fragment.at != NULL)
		text_add_char(&text, '#');
	add_encoded(&text, url.fragment, encoded_in_fragment);
	if (!text.cut)
		return NULL;
	text_clear(&text);
	return "must be at most 2048 bytes long";
}

const char *target_url_read(const char *pasted, char canonical[TARGET_URL_MAX + 1])
{
	const char *refusal = read_url(pasted, canonical);
	if (refusal == blocked)
		metrics_add(METRIC_blocked, LABEL_when_STORED, 0, 1);
	return refusal;
}

enum target_result target_url_follow(const char *url, char canonical[TARGET_URL_MAX + 1])
{
	const char *refusal = read_url(url, canonical);
	if (refusal == blocked) {
		metrics_add(METRIC_blocked, LABEL_when_FOLLOWED, 0, 1);
		return TARGET_BLOCKED;
	}
	return refusal == NULL ? TARGET_OK : TARGET_REFUSED;
}

/*
 * A public name is ours on all ports: whatever listens there, it is us. An address or a name
 * without a dot is ours on the port given only: a demo stack on 127.0.0.1:8080 may well lead to a
 * neighbour on 127.0.0.1:3000.
 */
static bool add_own(const struct url *url)
{
	if (own_count == OWN_HOSTS_MAX)
		return false;
	bool all_ports = !url->host.address && strchr(url->host.text, '.') != NULL;
	own[own_count++] = (struct own_host){ url->host, all_ports ? 0 : url->port };
	return true;
}

/* "example.com" or "127.0.0.1:8080", with white space around it; nothing at all is fine. */
static bool add_own_text(const char *bytes, size_t len)
{
	char memory[TARGET_URL_MAX + 1];
	struct text text = text_fixed(memory, sizeof(memory));
	struct part name = { bytes, len };
	while (name.len > 0 && is_space(*name.at))
		name = (struct part){ name.at + 1, name.len - 1 };
	if (name.len == 0)
		return true;
	text_add(&text, "http://");
	text_add_bytes(&text, name.at, name.len);
	struct url url = { 0 };
	return !text.cut && split(text.data, &url) == NULL && url.path.len == 0 && add_own(&url);
}

const char *target_url_init(const char *base_url, const char *own_hosts, bool private_allowed)
{
	struct url url = { 0 };
	own_count = 0;
	private_is_allowed = private_allowed;
	if (split(base_url, &url) != NULL || !add_own(&url))
		return "LINKSHRINK_BASE_URL: its host is none";
	while (*own_hosts != '\0') {
		size_t len = strcspn(own_hosts, ",");
		if (!add_own_text(own_hosts, len))
			return "LINKSHRINK_OWN_HOSTS: not a list of at most 31 hosts, separated by "
			       "commas";
		own_hosts += len + (own_hosts[len] == ',');
	}
	return NULL;
}
