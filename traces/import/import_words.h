/* Reading the text of other programs, line by line and word by word. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace_input.h"

/* The longest line that any of the formats needs, with room to spare. */
enum { PF_IMPORT_LINE_BYTES_MAX = 256 };

/* Copies the next line of INPUT, without its end (LF or CR-LF), to LINE; NUMBER is its own, for
 * messages. False at the end of the input and, with ERROR set, where it cannot be read, is too long
 * or is not text. */
bool pf_import_line(PfInput *input, uint64_t number, char line[PF_IMPORT_LINE_BYTES_MAX],
                    GError **error);

/* Sets ERROR to "FILE:NUMBER: 'LINE': PROBLEM". */
void pf_import_line_error(const PfInput *input, uint64_t number, const char *line,
                          const char *problem, GError **error);

/* Each of these moves TEXT behind what it read. */

/* The digits of a number to BASE, at least one. False also where it needs more than 64 bits. */
bool pf_import_digits(const char **text, int base, uint64_t *ret_number);

/* The same with 0x before hexadecimal digits, which may be missing where BASE says so already. */
bool pf_import_number(const char **text, int base, uint64_t *ret_number);

/* WORD, which ends where letters do. */
bool pf_import_word(const char **text, const char *word);

/* Blanks and tabs; false if there are none. */
bool pf_import_blanks(const char **text);

/* Whether nothing but blanks is left. */
bool pf_import_at_end(const char *text);
