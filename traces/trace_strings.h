/* Strings of a trace, each kept once and numbered in order of first use. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PfStrings PfStrings;

/* An empty table. */
PfStrings *pf_strings_new(void);
void pf_strings_free(PfStrings *strings);

/* The kept copy of TEXT, which lives as long as STRINGS; RET_NUMBER (may be NULL) is its number.
 * NULL where so many bytes are kept already that only a damaged trace would want more. */
const char *pf_strings_intern(PfStrings *strings, const char *text, uint32_t *ret_number);

/* The string with NUMBER, NULL where there is none. */
const char *pf_strings_get(const PfStrings *strings, uint32_t number);

/* Strings numbered so far. */
uint32_t pf_strings_count(const PfStrings *strings);
