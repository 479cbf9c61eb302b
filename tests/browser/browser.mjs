// What the browser's tests and the screenshots share: Chromium as Debian packs it, and its pages.
import { chromium } from "playwright-core";

export async function launch() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--no-first-run"],
	});
}

// A fresh visitor. complaints collects what the browser has to say: violated policies, errors.
export async function visitor(browser, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
	const page = await context.newPage();
	const complaints = [];
	page.setDefaultTimeout(10000);
	page.on("console", (message) => {
		// Chromium reports each answer from 400 up as an error of its own; those are expected.
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			complaints.push(message.text());
	});
	page.on("pageerror", (error) => complaints.push(error.message));
	return { context, page, complaints };
}

export async function shorten(page, url, more = {}) {
	await page.fill("#url", url);
	for (const [id, value] of Object.entries(more)) {
		await page.evaluate(() => { document.getElementById("more").open = true; });
		if (id === "valid_until")
			await page.selectOption("#valid_until", value);
		else
			await page.fill(`#${id}`, value);
	}
	await page.click("#submit");
}
