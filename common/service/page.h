/*
 * page - small HTML pages for people whom a link leads to a program and not to its target.
 *
 * They share look and sign with www/: style and images come from /www/, nothing is inline, so the
 * strictest Content-Security-Policy fits. Whatever is not written here goes through text_add_html().
 */
#ifndef SERVICE_PAGE_H
#define SERVICE_PAGE_H

#include "http/http.h"

/* Begins an answer that is a page, up to <main>; its body is then res->body. title is escaped. */
void page_begin(struct http_response *res, int status, const char *title);
void page_end(struct http_response *res);

/* <p class="…">text</p>, text escaped. */
void page_paragraph(struct http_response *res, const char *class, const char *text);

/* Turns the problem document that res holds into a page that says the same in words. The status,
 * other headers and res->error stay. */
void page_problem(struct http_response *res);

#endif
