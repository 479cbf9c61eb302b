#include "http/qr_svg.h"

#include <qrencode.h>

enum { QUIET = 4 /* modules of white around it, as ISO 18004 wants */ };

static bool is_dark(const QRcode *code, int x, int y)
{
	return (code->data[y * code->width + x] & 1) != 0;
}

/* One rectangle a run: fewer bytes, and no hairlines between neighbours. */
static void add_row(struct text *svg, const QRcode *code, int y)
{
	for (int x = 0; x < code->width; x++) {
		int run = 0;
		while (x + run < code->width && is_dark(code, x + run, y))
			run++;
		if (run > 0)
			text_addf(svg, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
		x += run;
	}
}

static void draw(struct text *svg, const QRcode *code, const char *content)
{
	int side = code->width + 2 * QUIET;
	text_addf(svg,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"shape-rendering=\"crispEdges\"><title>",
		side, side);
	text_add_html(svg, content);
	text_addf(svg, "</title><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"", side, side);
	for (int y = 0; y < code->width; y++)
		add_row(svg, code, y);
	text_add(svg, "\"/></svg>\n");
}

bool qr_svg(struct text *svg, const char *content)
{
	QRcode *code = QRcode_encodeString8bit(content, 0, QR_ECLEVEL_M);
	if (code == NULL)
		return false;
	draw(svg, code, content);
	QRcode_free(code);
	return true;
}
