// node page.mjs open|looking|closed|limited: what a person can do in a stack set up for that part.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { launch, shorten, visitor } from "./browser.mjs";

const base = process.env.BASE;
const browser = await launch();
let failures = 0;

// A test gets a visitor of its own; whatever the browser complains about fails it.
async function test(name, options, act) {
	const { context, page, complaints } = await visitor(browser, options);
	try {
		await act(page, context, complaints);
		assert.deepEqual(complaints, [], "the browser complains");
		console.log(`ok - ${name}`);
	} catch (error) {
		failures++;
		console.log(`not ok - ${name}`);
		console.log(String(error.stack).split("\n").slice(0, 12).map((line) => `    ${line}`).join("\n"));
	}
	await context.close();
}

const text = (page, selector) => page.locator(selector).textContent();
const focused = (page) => page.evaluate(() => document.activeElement.id);
const said = (page, selector, hasText) => page.locator(selector, { hasText }).waitFor();
const result = (page) => page.waitForSelector("#result:not([hidden])");
const alert = (page) => page.waitForSelector("#form-error:not([hidden])");

async function fault(page, id) {
	await page.waitForSelector(`#${id}[aria-invalid="true"]`);
	const error = await text(page, `#${id}-error`);
	const described = await page.getAttribute(`#${id}`, "aria-describedby");
	assert.ok(described.split(" ").includes(`${id}-error`), "the fault is not tied to its field");
	return error;
}

async function read(page, selector) {
	const path = `${process.env.WORK}/qr.png`;
	await page.locator(selector).evaluate((image) => image.decode());
	await page.locator(selector).screenshot({ path });
	const words = ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path];
	return execFileSync("zbarimg", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

const overflows = (page) => page.evaluate(() =>
	document.documentElement.scrollWidth > document.documentElement.clientWidth);

// The least contrast of any text with what is behind it, as WCAG counts.
const leastContrast = (page) => page.evaluate(() => {
	const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
	const light = (colour) => channels(colour).slice(0, 3)
		.map((value) => value / 255)
		.map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
		.reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (element) => {
		for (let at = element; at; at = at.parentElement) {
			const colour = getComputedStyle(at).backgroundColor;
			if ((channels(colour)[3] ?? 1) === 1)
				return colour;
		}
		return "rgb(255, 255, 255)";
	};
	let least = { ratio: 21 };
	for (const element of document.body.querySelectorAll("*")) {
		const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
		if (!own || !element.checkVisibility())
			continue;
		const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < least.ratio)
			least = { ratio, where: element.outerHTML.slice(0, 80) };
	}
	return least;
});

const parts = {
	async open() {
		await test("a link is made by keyboard alone", {}, async (page) => {
			await page.goto(base);
			await page.waitForSelector("#url:focus");
			await page.keyboard.type("example.com/a/long/way?to=go#there");
			await page.keyboard.press("Tab");
			assert.equal(await focused(page), "submit");
			await page.keyboard.press("Enter");
			await result(page);
			assert.equal(await focused(page), "copy");
			assert.equal(await text(page, "#target"), "https://example.com/a/long/way?to=go#there");
			assert.equal(await text(page, "#status"), "Your short link is ready.");
		});
		await test("and so are its code, title and end", {}, async (page) => {
			await page.goto(base);
			await page.waitForSelector("#url:focus");
			await page.keyboard.type("https://example.com/");
			for (const key of ["Tab", "Tab", "Enter", "Tab"])
				await page.keyboard.press(key);
			assert.equal(await focused(page), "short_code");
			await page.keyboard.type("by-keyboard");
			await page.keyboard.press("Tab");
			for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "Tab"]) // a week
				await page.keyboard.press(key);
			await page.keyboard.type("Typed <b>title</b>");
			await page.keyboard.press("Enter");
			await result(page);
			assert.equal(await page.getAttribute("#short", "href"), `${base}/by-keyboard`);
			const link = await (await fetch(`${base}/by-keyboard+`)).json();
			assert.equal(link.title, "Typed <b>title</b>");
			const days = (new Date(link.valid_until) - Date.now()) / 86400000;
			assert.ok(days > 6.9 && days < 7.1, `ends in ${days} days`);
		});
		await test("copying puts the short link on the clipboard and says so", {}, async (page, context) => {
			await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
			await page.goto(base);
			await shorten(page, "https://example.com/copy");
			await result(page);
			await page.click("#copy");
			await said(page, "#copy", "Copied");
			assert.equal(await page.evaluate(() => navigator.clipboard.readText()),
				await page.getAttribute("#short", "href"));
			assert.equal(await text(page, "#status"), "Copied to the clipboard.");
		});
		await test("without a clipboard the link is selected to be copied by hand", {}, async (page) => {
			await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
			await page.goto(base);
			await shorten(page, "https://example.com/copy");
			await result(page);
			await page.click("#copy");
			await said(page, "#status", "Ctrl+C");
			assert.equal(await page.evaluate(() => getSelection().toString()),
				await page.getAttribute("#short", "href"));
		});
		await test("the QR code reads as the short link", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/qr");
			await result(page);
			assert.equal(await read(page, "#qr"), await page.getAttribute("#short", "href"));
			assert.match(await page.getAttribute("#download", "download"), /\.svg$/);
		});
		await test("it reads as well when the page is dark", { colorScheme: "dark" }, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/qr");
			await result(page);
			assert.equal(await read(page, "#qr"), await page.getAttribute("#short", "href"));
		});
		await test("each fault is told at its field, and the first has the focus", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "ftp://example.com/", { short_code: "a" });
			assert.equal(await fault(page, "url"), "The address must begin with http:// or https://.");
			assert.match(await fault(page, "short_code"), /^The code must be .*3.* characters.*\.$/);
			assert.equal(await focused(page), "url");
			await page.fill("#url", "https://example.com/");
			assert.equal(await page.getAttribute("#url", "aria-invalid"), null, "told until it is corrected");
		});
		await test("what is too long in bytes is told in words that hold for its letters", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/", { title: "ü".repeat(200) });
			assert.match(await fault(page, "title"),
				/^The title must be at most \d+ characters long; letters with accents .* count for more\.$/);
		});
		await test("an empty field is told without asking the server", {}, async (page) => {
			await page.goto(base);
			let asked = 0;
			page.on("request", (request) => { asked += request.url().endsWith("/shorten"); });
			await page.click("#submit");
			assert.match(await fault(page, "url"), /^Paste the address/);
			assert.equal(asked, 0);
		});
		await test("a code that is taken is told at the code, and what was typed stays", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/mine", { short_code: "by-keyboard" });
			assert.match(await fault(page, "short_code"), /taken/);
			assert.equal(await focused(page), "short_code");
			assert.equal(await page.inputValue("#url"), "https://example.com/mine");
		});
		await test("waiting is shown, and a second click asks no second time", {}, async (page) => {
			let asked = 0, go;
			const gate = new Promise((resolve) => { go = resolve; });
			await page.route("**/shorten", async (route) => {
				asked++;
				await gate;
				await route.continue();
			});
			await page.goto(base);
			await shorten(page, "https://example.com/slow");
			await page.waitForSelector('#form[aria-busy="true"]');
			assert.equal(await text(page, "#submit-label"), "Shortening…");
			await page.click("#submit", { force: true });
			go();
			await result(page);
			assert.equal(asked, 1);
			assert.equal(await page.getAttribute("#form", "aria-busy"), "false");
		});
		await test("a service that is away is told with the time to wait", {}, async (page) => {
			await page.route("**/shorten", (route) => route.fulfill({ status: 503, headers: { "Retry-After": "30" },
				contentType: "application/problem+json", body: '{"status":503,"error":"service unavailable"}' }));
			await page.goto(base);
			await shorten(page, "https://example.com/");
			await alert(page);
			assert.match(await text(page, "#form-error"), /try again in 30 seconds/);
		});
		await test("a network that is away is told as well", {}, async (page) => {
			await page.goto(base);
			await page.route("**/shorten", (route) => route.abort());
			await shorten(page, "https://example.com/");
			await alert(page);
			assert.match(await text(page, "#form-error"), /can't be reached/);
		});
		const patience = (page) => page.addInitScript(() => {
			const timeout = AbortSignal.timeout.bind(AbortSignal);
			AbortSignal.timeout = () => timeout(200);
		});
		await test("no answer in time: the link may have been made", {}, async (page) => {
			await patience(page);
			await page.route("**/shorten", () => {}); // never
			await page.goto(base);
			await shorten(page, "https://example.com/");
			await alert(page);
			assert.match(await text(page, "#form-error"), /no answer in time.*may have been made/);
			assert.equal(await text(page, "#status"), "");
		});
		await test("nor is a link denied whose answer is torn", {}, async (page) => {
			await page.goto(base);
			for (const body of ['{"short_url": "http', "null", "{}", ""]) {
				await page.route("**/shorten", (route) => route.fulfill({ status: 201, body }));
				await shorten(page, "https://example.com/");
				await alert(page);
				assert.match(await text(page, "#form-error"), /could not be read.*may have been made/, body);
				await page.unroute("**/shorten");
			}
		});
		await test("or stalls after its head", {}, async (page) => {
			await patience(page);
			await page.addInitScript(() => {
				window.fetch = async (path, { signal }) => new Response(new ReadableStream({
					start: (body) => signal.addEventListener("abort", () => body.error(signal.reason)),
				}), { status: 201 });
			});
			await page.goto(base);
			await shorten(page, "https://example.com/");
			await alert(page);
			assert.match(await text(page, "#form-error"), /could not be read.*may have been made/);
			assert.equal(await page.getAttribute("#form", "aria-busy"), "false");
		});
		await test("an error that is no JSON, or names no field of ours, is told in general", {}, async (page) => {
			await page.goto(base);
			for (const body of ["null", "<h1>", '{"errors": [{"field": "toString", "what": "must be known"}]}']) {
				await page.route("**/shorten", (route) => route.fulfill({ status: 400, body }));
				await shorten(page, "https://example.com/");
				await alert(page);
				assert.match(await text(page, "#form-error"), /did not understand this/, body);
				await page.unroute("**/shorten");
			}
		});
		await test("a fault of the script is not called one of the network", {}, async (page, context, complaints) => {
			await page.goto(base);
			await page.evaluate(() => document.getElementById("qr").remove());
			const thrown = page.waitForEvent("pageerror");
			await shorten(page, "https://example.com/");
			await thrown;
			assert.match(await text(page, "#form-error"), /^This page has a fault/);
			assert.equal(await page.getAttribute("#form", "aria-busy"), "false");
			complaints.length = 0; // it is in the console, as it should be
		});
		await test("a second link can follow the first", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/one");
			await result(page);
			await page.click("#again");
			assert.equal(await focused(page), "url");
			await shorten(page, "https://example.com/two");
			await result(page);
			assert.equal(await text(page, "#target"), "https://example.com/two");
		});
		await test("an unknown link is a page that a person understands, with status 404", {}, async (page) => {
			const response = await page.goto(`${base}/nobody-made-this`);
			assert.equal(response.status(), 404);
			assert.equal(await text(page, "h1"), "This link leads nowhere");
		});
		await test("a link that has ended is one with status 410", {}, async (page) => {
			const response = await page.goto(`${base}/${process.env.EXPIRED}`);
			assert.equal(response.status(), 410);
			assert.equal(await text(page, "h1"), "This link has ended");
			await page.click("text=Make a short link");
			await page.waitForSelector("#url:focus");
		});
		for (const colorScheme of ["light", "dark"])
			await test(`what is written can be read when it is ${colorScheme}`, { colorScheme }, async (page) => {
				await page.goto(base);
				const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
				assert.equal(paper, colorScheme === "dark" ? "rgb(13, 19, 18)" : "rgb(246, 244, 238)");
				await shorten(page, "ftp://x", { short_code: "a" });
				await fault(page, "url");
				assert.ok((await leastContrast(page)).ratio >= 4.5, "faults");
				await shorten(page, "https://example.com/", { short_code: "" });
				await result(page);
				await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)));
				for (const path of ["/by-keyboard+", "/nobody-made-this", null]) {
					const least = await leastContrast(page);
					assert.ok(least.ratio >= 4.5, JSON.stringify(least));
					if (path !== null)
						await page.goto(base + path);
				}
			});
		await test("nothing leaves a phone's screen sideways", { viewport: { width: 375, height: 812 } }, async (page) => {
			await page.goto(base);
			assert.ok(!await overflows(page), "the page");
			const long = `https://example.com/${"a".repeat(900)}`;
			await shorten(page, long, { short_code: "b".repeat(64), title: "t".repeat(200) });
			await result(page);
			assert.ok(!await overflows(page), "the result");
			for (const path of [`/${"b".repeat(64)}+`, `/${"c".repeat(60)}`]) {
				await page.goto(base + path);
				assert.ok(!await overflows(page), path);
			}
			await page.setViewportSize({ width: 320, height: 640 });
			assert.ok(!await overflows(page), "320 pixels");
		});
	},

	async looking() {
		await test("a preview shows title, target and QR code, and follows nothing", {}, async (page) => {
			const response = await page.goto(`${base}/by-keyboard+`);
			assert.equal(response.status(), 200);
			assert.equal(await text(page, "h1"), "Typed <b>title</b>");
			assert.equal((await text(page, ".target")).trim(), "https://example.com/");
			assert.equal(await read(page, "img.qr"), `${base}/by-keyboard`);
			assert.equal(await page.getAttribute("text=Go there", "href"), "/by-keyboard");
		});
		await test("a preview of nothing is the page of nothing", {}, async (page) => {
			const response = await page.goto(`${base}/nobody-made-this+`);
			assert.equal(response.status(), 404);
			assert.equal(await text(page, "h1"), "This link leads nowhere");
		});
	},

	async closed() {
		await test("where links need a key, it is asked for and kept for the tab alone", {}, async (page, context) => {
			await page.goto(base);
			assert.ok(!await page.isVisible("#key"), "asked before it is needed");
			await shorten(page, "https://example.com/with-key");
			await fault(page, "key");
			assert.equal(await focused(page), "key");
			await page.fill("#key", process.env.KEY);
			await page.keyboard.press("Enter");
			await result(page);
			assert.equal(await page.evaluate(() => localStorage.length), 0);
			assert.deepEqual(await context.cookies(), []);
			assert.equal(await page.evaluate(() => Object.values(sessionStorage).join()), process.env.KEY);
			await page.reload();
			await shorten(page, "https://example.com/again");
			await result(page);
			const other = await context.newPage();
			await other.goto(base);
			assert.equal(await other.evaluate(() => sessionStorage.length), 0);
			await page.click("#forget");
			assert.equal(await page.evaluate(() => sessionStorage.length), 0);
		});
		await test("a wrong key is told and not kept", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/");
			await fault(page, "key");
			await page.fill("#key", "ls_1_würg");
			await page.keyboard.press("Enter");
			await said(page, "#key-error", "neither spaces");
			await page.fill("#key", "ls_1_wrong");
			await page.keyboard.press("Enter");
			await said(page, "#key-error", "not accepted");
			assert.equal(await page.evaluate(() => sessionStorage.length), 0);
		});
		await test("where site data is blocked, the key is kept until the page is left", {}, async (page) => {
			await page.addInitScript(() => Object.defineProperty(window, "sessionStorage", {
				get() { throw new DOMException("blocked", "SecurityError"); } }));
			await page.goto(base);
			await shorten(page, "https://example.com/blocked");
			await fault(page, "key");
			await page.fill("#key", process.env.KEY);
			await page.keyboard.press("Enter");
			await result(page);
			await page.click("#again");
			assert.equal(await page.inputValue("#key"), "");
			await shorten(page, "https://example.com/blocked-too");
			await result(page);
			await page.click("#forget");
			assert.ok(!await page.isVisible("#key-note"));
			await page.click("#again");
			await shorten(page, "https://example.com/forgotten");
			await fault(page, "key");
		});
		for (const status of [429, 503])
			await test(`a ${status} says nothing of the key: it stays in its field, not in the store`, {}, async (page) => {
				await page.goto(base);
				await shorten(page, "https://example.com/");
				await fault(page, "key");
				await page.route("**/shorten", (route) => route.fulfill({ status, body: "{}" }));
				await page.fill("#key", process.env.KEY);
				await page.keyboard.press("Enter");
				await alert(page);
				assert.equal(await page.evaluate(() => sessionStorage.length), 0);
				assert.doesNotMatch(await text(page, "#form-error"), /links/);
				await page.unroute("**/shorten");
				await page.click("#submit");
				await result(page);
				assert.equal(await page.evaluate(() => sessionStorage.length), 1);
			});
		await test("a key that may not make links is told so", {}, async (page) => {
			await page.goto(base);
			await shorten(page, "https://example.com/");
			await fault(page, "key");
			await page.fill("#key", process.env.WEAK_KEY);
			await page.keyboard.press("Enter");
			await alert(page);
			assert.match(await text(page, "#form-error"), /may not make links/);
		});
	},

	async limited() {
		await test("who is too fast is told how long to wait", {}, async (page) => {
			await page.goto(base);
			for (let i = 0; i < 5 && !await page.isVisible("#form-error"); i++) {
				await shorten(page, "https://example.com/");
				await page.waitForSelector("#result:not([hidden]), #form-error:not([hidden])");
				if (await page.isVisible("#again"))
					await page.click("#again");
			}
			assert.match(await text(page, "#form-error"), /^That was too fast\. Please try again in (\d+ (seconds|minutes)|a moment)/);
		});
	},
};

await parts[process.argv[2]]();
await browser.close();
process.exit(failures === 0 ? 0 : 1);
