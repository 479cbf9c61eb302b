/*
 * qr_svg - a QR code as an SVG image. The only module that knows libqrencode.
 *
 * Black on white whatever surrounds it, with the quiet zone of four modules that readers need; the
 * image has no size of its own, only a viewBox, one unit a module. Error correction is level M.
 */
#ifndef HTTP_QR_SVG_H
#define HTTP_QR_SVG_H

#include <stdbool.h>

#include "base/text.h"

/* False when content is too long for any QR code, or there is no memory. */
__attribute__((warn_unused_result)) bool qr_svg(struct text *svg, const char *content);

#endif
