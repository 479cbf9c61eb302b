// node tests/browser/screenshots.mjs BASE_URL DIRECTORY: the pictures of docs/screenshots.
import { launch, shorten, visitor } from "./browser.mjs";

const [base, directory] = process.argv.slice(2);
if (!directory) {
	console.error("usage: node tests/browser/screenshots.mjs BASE_URL DIRECTORY");
	process.exit(2);
}
const code = process.env.CODE ?? `guide-${Date.now().toString(36)}`; // free in that stack
const target = "https://www.debian.org/doc/manuals/debian-reference/ch01.en.html#_shell_prompt";
const browser = await launch();

async function shoot(name, options, path, act = async () => {}) {
	const { context, page } = await visitor(browser, options);
	await page.goto(base + path, { waitUntil: "networkidle" });
	await act(page);
	await page.waitForTimeout(400); // until nothing moves any more
	await page.screenshot({ path: `${directory}/${name}.png` });
	await context.close();
}

async function makeLink(page, more) {
	await shorten(page, target, more);
	await page.waitForSelector("#result:not([hidden])");
	await page.locator("#qr").evaluate((image) => image.decode());
}

const desk = { viewport: { width: 1200, height: 800 } };
const phone = { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2 };
const dark = { colorScheme: "dark" };

await shoot("page-light", desk, "/");
await shoot("page-dark", { ...desk, ...dark }, "/");
await shoot("page-phone", phone, "/");
await shoot("result-light", desk, "/", (page) => makeLink(page, { short_code: code, title: "The Debian reference" }));
await shoot("result-dark", { ...desk, ...dark }, "/", (page) => makeLink(page, {}));
await shoot("result-phone", { ...phone, viewport: { width: 375, height: 1000 } }, "/", (page) => makeLink(page, {}));
await shoot("faults", desk, "/", async (page) => {
	await shorten(page, "ftp://example.com/file", { short_code: "a" });
	await page.waitForSelector('[aria-invalid="true"]');
});
await shoot("preview", desk, `/${code}+`);
await shoot("preview-dark-phone", { ...phone, ...dark }, `/${code}+`);
await shoot("not-found", desk, "/nobody-made-this");
await shoot("not-found-dark", { ...desk, ...dark }, "/nobody-made-this");
await browser.close();
