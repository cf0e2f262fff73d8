/* All that can be said of memory at a place in a trace, as text that is equal for equal memory:
 * pages, what they hold, which frames they share, pins, mappings, bytes of files. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What memory holds after RECORDS records of the trace at PATH. */
GString *picture_of(const char *path, uint64_t records);

/* Whether A and B are equal; else tells WHAT and the first line in which they are not. */
bool picture_is_equal(const char *what, const GString *a, const GString *b);
