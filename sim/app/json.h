/* Writing JSON, always the same bytes for the same values: 64-bit integers exactly, doubles by the
 * fewest digits that read back to the same number, what is undefined or not finite as null. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

/* Embedded; OUT is borrowed. Members are written in the order of the calls. KEY is NULL in an
 * array and at the top. */
typedef struct {
    GString *out;
    unsigned depth;
    bool is_line; /* all on one line, without its end; set it behind pf_json_init */
    bool empty;   /* nothing yet in the innermost object or array */
} PfJson;

/* Nothing is written yet. */
void pf_json_init(PfJson *json, GString *out);

/* BRACKET is '{' or '['; the matching close takes '}' or ']'. Closing the outermost adds a line's
 * end. */
void pf_json_open(PfJson *json, const char *key, char bracket);
void pf_json_close(PfJson *json, char bracket);

/* TEXT may be NULL (null); bytes that are not UTF-8 become U+FFFD. */
void pf_json_string(PfJson *json, const char *key, const char *text);
void pf_json_bool(PfJson *json, const char *key, bool value);
void pf_json_uint(PfJson *json, const char *key, uint64_t value);
void pf_json_double(PfJson *json, const char *key, double value);
void pf_json_stat(PfJson *json, const char *key, PfStatValue value);
