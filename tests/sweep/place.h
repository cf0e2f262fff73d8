/* A folder with a small trace and a sweep of it: what the tests of `sweep` begin with. */
#pragma once

#include <stdbool.h>

#include "spawn.h"

/* A trace that is played at once: 32 pages of 17 contents, and ten seconds. */
extern const char place_quick_trace[];

/* A fresh folder with quick.trace and grid.cfg, a sweep of six points. spawn_clear_place removes
 * it. */
char *place_make(void);

/* Writes configuration NAME: KSM on quick.trace, and SWEEP in its section, on line 3. */
void place_configure(const char *place, const char *name, const char *sweep);

/* How often WANTED stands in TEXT. */
unsigned place_count(const char *text, const char *wanted);

/* Whether NAME below ONE and below OTHER, both in PLACE, has the same bytes. */
bool place_same_file(const char *place, const char *one, const char *other, const char *name);

/* The identity of POINT, as points.csv of SWEEP tells it. Free with g_free. */
char *place_find_id(const char *place, const char *sweep, unsigned point);
