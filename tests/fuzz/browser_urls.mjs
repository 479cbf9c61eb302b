// Compares what target_url takes with what Node's URL takes, over the URLs in pasted.json and over
// URLs made of them from a fixed seed. A difference that no class below explains fails.
// usage: node browser_urls.mjs path/of/read_urls

import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { domainToUnicode } from 'node:url';

const COUNT = Number(process.env.COUNT ?? 25000);
const SHOWN = 8; // differences printed of one kind

// ---- URLs.

const pasted = JSON.parse(readFileSync(new URL('pasted.json', import.meta.url)));

let state = Number(process.env.SEED ?? 20261123);
function below(bound) {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor((state / 2 ** 32) * bound);
}
const pick = (list) => list[below(list.length)];

const schemes = ['http://', 'https://', 'HTTP://', 'hTTps://', 'https:', 'http:/', 'https:///', 'http:////', 'ftp://', '//', ''];
const hosts = ['example.com', 'Example.ORG', 'example.com.', 'a_b.example.com', '_x.example', 'r4---sn-q.example.net',
	'm\u00fcnchen.de', 'MU\u0308NCHEN.DE', 'fa\u00df.de', 'xn--mnchen-3ya.de', 'XN--FA-HIA.de', 'xn--a.de', 'xn--.de',
	'm%C3%BCnchen.de', '%65xample%2ecom', '\u65e5\u672c\u3002jp', '\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444',
	'\u05d0\u05d1.example', '\u0627\u0644\u0639\u0631\u0628\u064a\u0629.example', 'n\u00adame.de', 'a\u200db.de', '\u0915\u094d\u200d\u0937.in',
	'\uff25\uff38.com', '8.8.8.8', '8.8.8.8.', '9.9.9.9', '08.8.8.8', '0x8.8.8.8', '134744072', '8.8.2056', '1.2.3.4.5', '256.1.1.1',
	'[2606:4700::1111]', '[2606:4700:0:0::1]', '[::ffff:8.8.8.8]', '[64:ff9b::808:808]', '[::1', '[1:2]', '[2606:4700::1%25eth0]',
	'10.0.0.1', 'localhost', 'intranet', 'x.local', 'a..b.com', '-a.com', 'a-.com', 'a!b.com', 'a,b.com', 'a b.com', '', '.', '..', '%', '%zz.com',
	'\u2603.net', '\ud83c\udf55.ws', 'a'.repeat(63) + '.com', 'a'.repeat(64) + '.com', ('a'.repeat(49) + '.').repeat(5) + 'com', ('a'.repeat(49) + '.').repeat(5) + 'comx'];
const GOOD_HOSTS = 10;
const ports = ['', '', '', '', '', '', '', '', '', '', ':80', ':443', ':8080', ':', ':0', ':00080', ':000000000000443', ':65535', ':65536', ':8o', ':-1', ':80:80'];
const users = ['', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', 'user@', 'user:word@', '@', 'a@b@'];
const pieces = ['/', '/', '/a', '/b/', '.', '..', '/./', '/../', '%2e', '/%2E%2e/', '%', '%25', '%20', '%zz', '%00', ' ', '+', '?', '#', '&', '=', ';', ',', ':', '@',
	'[', ']', '{', '}', '^', '|', '`', '"', "'", '<', '>', '~', '!', '$', '(', ')', '*', '\u00fc', '\u20ac', '\u00a0', '\ud83d\ude00', '\u0301', 'utm_source=x', 'q=a b', '\\', '\t', '\n', '\r\n', '\u007f', '\u0001', '-', '_', 'Z', '0', '//'];
const usual = pieces.length - 12; // the last ones are seldom taken, and would spoil the others
const ends = ['', '', '', '', ' ', '\n', ' \t ', '\r\n'];

// From all planes that have letters, so that the tables of both are compared.
function letter() {
	const blocks = [[0xa1, 0x24f], [0x250, 0x52f], [0x530, 0x8ff], [0x900, 0x109f], [0x10a0, 0x1fff], [0x2000, 0x2bff], [0x3000, 0x33ff], [0x4e00, 0x9fff], [0xa000, 0xd7ff], [0xf900, 0xffff], [0x10000, 0x1ffff]];
	const [from, to] = pick(blocks);
	return String.fromCodePoint(from + below(to - from));
}

function compose() {
	let host = below(2) ? pick(hosts.slice(0, GOOD_HOSTS)) : pick(hosts);
	if (below(8) === 0) host = pick(['', '', 'a', 'xn--']) + letter() + (below(2) ? letter() : '') + pick(['', '1', '-b', '.x']) + '.de';
	let url = (below(10) ? pick(['http://', 'https://']) : pick(schemes)) + pick(users) + host + pick(ports);
	const choice = below(8) === 0 ? pieces.length : usual;
	if (below(8)) url += pick(['/', '/', '/', '?', '#', '']);
	for (let n = below(12); n > 0; n--) url += pieces[below(choice)];
	if (below(300) === 0) url += 'x\u00fc'.repeat(300 + below(500));
	return pick(ends) + url + pick(ends);
}

// One byte or piece put in, taken out or replaced somewhere.
function mutate(url) {
	const letters = [...url];
	for (let n = 1 + below(3); n > 0; n--) {
		const at = below(letters.length + 1);
		const new_ = below(3) ? [pieces[below(below(8) ? usual : pieces.length)]] : [];
		letters.splice(at, below(2), ...new_);
	}
	return letters.join('');
}

function make_all() {
	const all = [...pasted];
	while (all.length < COUNT + pasted.length) all.push(below(3) ? compose() : mutate(pick(pasted)));
	// Through UTF-8 and back: half a surrogate pair becomes U+FFFD, as it would on the way to us.
	return all.map((url) => Buffer.from(url.replaceAll('\0', '')).toString());
}

// ---- What both say.

function parse(url) {
	try {
		return new URL(url);
	} catch {
		return null;
	}
}

function ask(program, urls) {
	const input = urls.map((url) => url + '\0').join('');
	const run = spawnSync(program, { input, maxBuffer: 1 << 28, encoding: 'utf8' });
	if (run.status !== 0) throw new Error(`${program} ended with ${run.status ?? run.signal ?? run.error}`);
	return run.stdout.split('\n').slice(0, -1);
}

// Node 20 forgets the dots after a segment that begins with one (/a/.b/../c); browsers don't.
function without_dots(path) {
	const left = [];
	const segments = path.split('/').slice(1);
	segments.forEach((segment, i) => {
		const dots = segment.replaceAll(/%2e/gi, '.');
		if (dots === '..') left.pop();
		if (dots !== '.' && dots !== '..') left.push(segment);
		else if (i === segments.length - 1) left.push('');
	});
	return '/' + left.join('/');
}

// The parts in which both may spell the same place differently, in one spelling.
function place(url) {
	const path = without_dots(url.pathname).replaceAll('^', '%5E'); // encoded by newer editions of the standard
	return [url.protocol, url.hostname.replace(/\.$/, ''), url.port, path + url.search + url.hash].join(' ');
}

// What a browser shows of it, spelled as we do: no dot at the end of the host, and as above.
function spelling(url) {
	const host = url.hostname.replace(/\.$/, '') + (url.port === '' ? '' : ':' + url.port);
	const rest = url.href.slice(url.href.indexOf(url.host, url.protocol.length) + url.host.length);
	const [, path, after] = rest.match(/^([^?#]*)(.*)$/s);
	return url.protocol + '//' + host + without_dots(path).replaceAll('^', '%5E') + after;
}

// The same address in IPv6 has more than one spelling, with IPv4 inside.
const is_spelled = (url, text) => spelling(url) === text || (url.hostname.startsWith('[') && spelling(url) === spelling(new URL(text)));

// ---- Classes of URLs that browsers take and we refuse; docs/decisions/0005 says why.

const is_ipv4 = (host) => /^[0-9.]+$/.test(host);
const trimmed = (url) => url.replace(/^[ \t\n\r\f]+|[ \t\n\r\f]+$/g, '');
const labels = (url) => url.hostname.replace(/\.$/, '').split('.');
const authority = (raw) => trimmed(raw).replace(/^[a-z]+:\/*/i, '').split(/[/?#]/)[0];

function is_private(url) {
	const host = url.hostname.replace(/\.$/, '');
	if (host.startsWith('[')) return !/^\[(2[0-9a-f]{3}:|::ffff:|64:ff9b:)/.test(host);
	if (is_ipv4(host)) {
		const [a, b] = host.split('.').map(Number);
		return a === 0 || a === 10 || a === 127 || a >= 224 || (a === 169 && b === 254) || (a === 172 && b >> 4 === 1) ||
			(a === 192 && (b === 168 || b === 0)) || (a === 100 && b >> 6 === 1);
	}
	return !host.includes('.') || /(^|\.)(localhost|local|internal|home\.arpa)$/.test(host);
}

const classes = [
	['not http or https', (raw, url) => !/^https?:$/.test(url.protocol)],
	['a user name or password, even an empty one', (raw) => authority(raw).includes('@')],
	['a control byte, line break or backslash', (raw) => /[\x00-\x1f\x7f\\]/.test(trimmed(raw))],
	['a private host', (raw, url) => is_private(url)],
	['IPv4 not as four decimal numbers', (raw, url) => is_ipv4(url.hostname) && authority(raw).normalize('NFKC').replace(/\.?(:\d*)?$/, '') !== url.hostname],
	['port 0', (raw, url) => url.port === '0'],
	['signs that no registered name has', (raw, url) => !url.hostname.startsWith('[') && /[^a-z0-9._-]/.test(url.hostname)],
	['an empty label', (raw, url) => labels(url).includes('')],
	['a hyphen at the edge of a label', (raw, url) => labels(url).some((label) => /^-|-$/.test(label))],
	['a label or name too long for DNS', (raw, url) => labels(url).join('.').length > 253 || labels(url).some((label) => label.length > 63)],
	['over 2,048 bytes', (raw, url) => Buffer.byteLength(trimmed(raw)) > 2048 || url.href.length > 2048],
	['symbols and emoji in the host', (raw, url) => /\p{S}/u.test(domainToUnicode(url.hostname))],
	['hyphens 3 and 4 beside other letters', (raw, url) => labels(url).some((label) => /^..--/.test(domainToUnicode(label)))],
	['a name that displays in another order', (raw, url) => /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u.test(domainToUnicode(url.hostname))],
	['letters that IDNA2008 or libidn2 does not have', (raw, url) => /(^|\.)xn--/.test(url.hostname)],
];

const counts = new Map(classes.map(([name]) => [name, 0]));
const both = { taken: 0, refused: 0 };
const wrong = { lost: [], loose: [], elsewhere: [], spelled: [] };

function judge(raw, answer) {
	const url = parse(raw);
	const taken = answer.startsWith('+');
	if (!taken && url === null) both.refused++;
	else if (!taken) {
		const reason = classes.find(([, holds]) => holds(raw, url));
		if (reason === undefined) wrong.lost.push(`${JSON.stringify(raw)} is ${url.href}: ${answer}`);
		else counts.set(reason[0], counts.get(reason[0]) + 1);
	} else if (url === null) wrong.loose.push(`${JSON.stringify(raw)} became ${answer.slice(1)}`);
	else if (place(url) !== place(new URL(answer.slice(1)))) wrong.elsewhere.push(`${JSON.stringify(raw)} is ${url.href}, became ${answer.slice(1)}`);
	else {
		both.taken++;
		if (!is_spelled(url, answer.slice(1))) wrong.spelled.push(`${JSON.stringify(raw)} is ${url.href}, became ${answer.slice(1)}`);
	}
}

function report(name, differences) {
	console.log(`${differences.length === 0 ? 'ok' : 'not ok'} - ${name}`);
	for (const difference of differences.slice(0, SHOWN)) console.log(`    ${difference}`);
	if (differences.length > SHOWN) console.log(`    and ${differences.length - SHOWN} more`);
}

const urls = make_all();
const answers = ask(process.argv[2], urls);
urls.forEach((url, i) => judge(url, answers[i] ?? '-no answer'));
console.log(`# ${urls.length} URLs: both take ${both.taken}, both refuse ${both.refused}; browsers alone take:`);
for (const [name, count] of counts) console.log(`# ${String(count).padStart(7)}  ${name}`);
report('target_url takes nothing that browsers refuse', wrong.loose);
report('what target_url takes leads where browsers go', wrong.elsewhere);
report('and is spelled as browsers spell it', wrong.spelled);
report('target_url takes what browsers take, but for the classes in docs/decisions/0005', wrong.lost);
const worst = both.taken < urls.length / 4 ? [`only ${both.taken} were taken by both: the URLs are too wild`] : [];
report('enough of the URLs compared are good ones', worst);
const refused = pasted.filter((url, i) => answers[i].startsWith('-'));
report('everything in pasted.json is taken', refused);
process.exitCode = answers.length === urls.length && [...Object.values(wrong), worst, refused].every((list) => list.length === 0) ? 0 : 1;
