// The page: sends the form to POST /shorten and says in words what came of it.
"use strict";

const KEY = "linkshrink.key"; // in sessionStorage: gone with the tab
const PATIENCE = 15000; // milliseconds until we no longer wait for an answer
const IN_DOUBT = "Your link may have been made all the same; if you try again, there may be two.";
const FIELDS = { url: "The address", short_code: "The code", title: "The title", valid_until: "The end" };

const at = (id) => document.getElementById(id);
const form = at("form");
let busy = false;

/* The key of this tab. Where site data is blocked, sessionStorage throws: kept until reloaded. */
const store = {
	kept: null,
	read() {
		try {
			return sessionStorage.getItem(KEY) ?? this.kept;
		} catch {
			return this.kept;
		}
	},
	write(key) {
		this.kept = key;
		try {
			sessionStorage.setItem(KEY, key);
		} catch { /* it is in kept */ }
	},
	clear() {
		this.kept = null;
		try {
			sessionStorage.removeItem(KEY);
		} catch { /* nothing was stored */ }
	},
};

/* ---- Saying things */

function announce(text) {
	at("status").textContent = text;
}

function complain(text) {
	announce("");
	at("form-error").textContent = text;
	at("form-error").hidden = false;
}

function blame(id, text) {
	const field = at(id);
	field.setAttribute("aria-invalid", "true");
	at(`${id}-error`).textContent = text;
	if (at("more").contains(field))
		at("more").open = true;
}

function clearBlame(id) {
	at(id).removeAttribute("aria-invalid");
	at(`${id}-error`).textContent = "";
}

function clearAll() {
	[...Object.keys(FIELDS), "key"].forEach(clearBlame);
	at("form-error").hidden = true;
	announce("");
}

function focusFirstFault() {
	form.querySelector('[aria-invalid="true"]')?.focus();
}

function setBusy(now) {
	busy = now;
	form.setAttribute("aria-busy", String(now));
	at("submit").setAttribute("aria-disabled", String(now));
	at("submit-label").textContent = now ? "Shortening…" : "Shorten";
}

function noteKey() {
	at("key-note").hidden = store.read() === null;
}

/* Seconds as a person says them. */
function inWords(seconds) {
	if (!(seconds > 1))
		return "in a moment";
	return seconds < 90 ? `in ${seconds} seconds` : `in ${Math.ceil(seconds / 60)} minutes`;
}

/* ---- Asking */

/* What people paste often lacks the scheme. A colon before digits is a port. */
function withScheme(url) {
	return /^[a-z][a-z0-9+-]*:(?!\d)/i.test(url) ? url : `https://${url}`;
}

function wish() {
	const body = { url: withScheme(at("url").value.trim()) };
	const code = at("short_code").value.trim();
	const title = at("title").value.trim();
	const seconds = Number(at("valid_until").value);
	if (code)
		body.short_code = code;
	if (title)
		body.title = title;
	if (seconds)
		body.valid_until = new Date(Date.now() + seconds * 1000).toISOString();
	return body;
}

async function ask(body, key) {
	const headers = { "Content-Type": "application/json", Accept: "application/json" };
	if (key)
		headers.Authorization = `Bearer ${key}`;
	const request = {
		method: "POST", headers, body: JSON.stringify(body), cache: "no-store",
		credentials: "omit", signal: AbortSignal.timeout(PATIENCE),
	};
	try {
		return await fetch("/shorten", request);
	} catch (error) {
		complain(error.name === "TimeoutError" ? `There was no answer in time. ${IN_DOUBT}` :
			"The service can't be reached. Are you online?");
		return null;
	}
}

/* What came as JSON; null if it was none, broke off or took too long. */
async function read(response) {
	try {
		return await response.json();
	} catch {
		return null;
	}
}

/* ---- Understanding */

/* The service counts bytes in UTF-8; people count letters. */
function inLetters(what) {
	return what.replace("bytes long", what.includes("at most") ?
		"characters long; letters with accents and the like count for more" : "characters long");
}

/* A fault reads "must be …": with the field's name before it, it is a sentence. */
function showFaults(problem) {
	let shown = 0;
	for (const { field, what } of problem?.errors ?? []) {
		if (!Object.hasOwn(FIELDS, field))
			continue;
		blame(field, `${FIELDS[field]} ${inLetters(what)}.`);
		shown++;
	}
	if (shown === 0)
		complain(problem?.detail ?? "The service did not understand this. Please check what you typed.");
}

/* Whether the service looked past the key: a 429 or 503 may come before that. */
function provesKey(response) {
	return response.ok || [400, 403, 409].includes(response.status);
}

function askForKey(refused) {
	store.clear();
	noteKey();
	at("key").value = "";
	at("key-field").hidden = false;
	blame("key", refused ? "This key is not accepted. Please check it." : "Please enter your key to go on.");
}

function showProblem(status, problem, wait, key) {
	switch (status) {
	case 400:
		return showFaults(problem);
	case 401:
		return askForKey(key !== null);
	case 403:
		return complain("Your key is good, but it may not make links. Ask whoever gave it to you.");
	case 409:
		return blame("short_code", "This code is taken. Please choose another one.");
	case 413:
		return complain("That is more than the service takes at once.");
	case 429:
		return complain(`That was too fast. Please try again ${inWords(wait)}.`);
	case 502:
	case 503:
	case 504:
		return complain(`The service is catching its breath. Please try again ${inWords(wait)}; what you typed stays here.`);
	default:
		return complain("Something went wrong on our side. What you typed stays here; please try again.");
	}
}

/* ---- Showing */

function showLink(link) {
	const path = `/${encodeURIComponent(link.short_code)}`;
	const scheme = link.short_url.indexOf("//") + 2;
	at("short").href = link.short_url;
	at("short-scheme").textContent = link.short_url.slice(0, scheme);
	at("short-rest").textContent = link.short_url.slice(scheme);
	at("target").textContent = link.original_url;
	at("preview").href = `${path}+`;
	at("qr").src = `${path}.qr`;
	at("qr").alt = `QR code of ${link.short_url}`;
	at("download").href = `${path}.qr`;
	at("download").download = `${link.short_code}.svg`;
	at("copy").textContent = "Copy";
	at("result").hidden = false;
	form.hidden = true;
	announce("Your short link is ready.");
	at("copy").focus();
}

async function understand(response, key) {
	if (key && provesKey(response))
		store.write(key);
	noteKey();
	const answer = await read(response);
	announce("");
	if (response.ok && answer?.short_url) {
		at("key-field").hidden = true;
		return showLink(answer);
	}
	if (response.ok)
		return complain(`The answer could not be read. ${IN_DOUBT}`);
	showProblem(response.status, answer, Number(response.headers.get("Retry-After")), key);
	focusFirstFault();
}

async function submit(event) {
	event.preventDefault();
	if (busy)
		return;
	clearAll();
	if (!at("url").value.trim())
		blame("url", "Paste the address that your link shall lead to.");
	if (/[^!-~]/.test(at("key").value.trim())) // no header could carry it
		blame("key", "A key has neither spaces nor letters beyond a to z.");
	if (form.querySelector('[aria-invalid="true"]'))
		return focusFirstFault();
	setBusy(true);
	announce("Shortening…");
	const key = at("key").value.trim() || store.read();
	try {
		const response = await ask(wish(), key);
		if (response !== null)
			await understand(response, key);
	} catch (error) {
		complain("This page has a fault of its own. What you typed stays here.");
		throw error; // for the browser's console
	} finally {
		setBusy(false);
	}
}

/* Without a secure context there is no clipboard; the selection is what people copy by hand. */
async function copy() {
	const text = at("short").textContent;
	try {
		await navigator.clipboard.writeText(text);
		at("copy").textContent = "Copied";
		announce("Copied to the clipboard.");
		setTimeout(() => { at("copy").textContent = "Copy"; }, 2500);
	} catch {
		getSelection().selectAllChildren(at("short"));
		announce("The browser keeps its clipboard closed. The link is selected: press Ctrl+C.");
	}
}

function again() {
	form.reset();
	clearAll();
	at("result").hidden = true;
	form.hidden = false;
	at("url").focus();
}

function forget() {
	store.clear();
	noteKey();
	at("key").value = "";
	announce("The key is forgotten.");
	(form.hidden ? at("copy") : at("url")).focus();
}

form.addEventListener("submit", submit);
form.addEventListener("input", (event) => event.target.id && clearBlame(event.target.id));
at("copy").addEventListener("click", copy);
at("again").addEventListener("click", again);
at("forget").addEventListener("click", forget);
at("host").textContent = `${location.host}/`;
noteKey();
