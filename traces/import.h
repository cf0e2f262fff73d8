/* Traces of other programs, as text with an access a line, turned into records.
 *
 *   ramulator  LD ADDRESS | ST ADDRESS (Ramulator 2's load-store traces) or ADDRESS R | ADDRESS W
 *              (Ramulator's memory traces); ADDRESS is 0x and hexadecimal digits, or decimal
 *   dramsim3   ADDRESS READ CYCLE | ADDRESS WRITE CYCLE; ADDRESS is hexadecimal, cycles do not
 *              decrease and become `time` records
 *   lackey     what `valgrind --tool=lackey --trace-mem=yes` prints: "I  ADDRESS,SIZE" (a fetch and
 *              an instruction), " L", " S" and " M ADDRESS,SIZE" (a read, a write, a read and a
 *              write that modifies what was read), hexadecimal; lines of valgrind's own ("==") are
 *              skipped
 *
 * Requests of the first two are of 64 bytes. Empty lines and, but for lackey, lines that start with
 * # are skipped; anything else is an error that names the line. What is touched is mapped before,
 * 2 MiB at a time. Each input is a context of its own, called t0, t1 ... */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"
#include "trace_input.h"

typedef struct PfImportFormat PfImportFormat;

/* The format called NAME, or NULL; their names, NULL-terminated. */
const PfImportFormat *pf_import_find(const char *name);
extern const char *const pf_import_names[];

/* What imported traces have as their page. */
enum { PF_IMPORT_PAGE_BYTES = 4096 };

/* Writes the records of INPUT to WRITER as those of context number CONTEXT, which it creates. A
 * cycle of dramsim3 lasts CYCLE_PS. INTERRUPTED is polled and may be NULL. False with
 * PF_ERROR_TRACE: "FILE:LINE: what", PF_ERROR_IO or PF_ERROR_INTERRUPTED. */
bool pf_import(const PfImportFormat *format, PfInput *input, uint32_t context, uint64_t cycle_ps,
               PfTraceWriter *writer, const int *interrupted, GError **error);
