/* Formats of other programs: images of memory (see image_reader.h), and accesses, which are turned
 * into records here. Of accesses:
 *
 *   champsim   instructions of 64 bytes (ChampSim): each a run, a fetch, its reads and its writes
 *   ramulator  LD ADDRESS | ST ADDRESS (Ramulator 2's load-store traces) or ADDRESS R | ADDRESS W
 *              (Ramulator's memory traces); ADDRESS is 0x and hexadecimal digits, or decimal
 *   dramsim3   ADDRESS READ CYCLE | ADDRESS WRITE CYCLE; ADDRESS is hexadecimal, cycles do not
 *              decrease and become `time` records
 *   lackey     what `valgrind --tool=lackey --trace-mem=yes` prints: "I  ADDRESS,SIZE" (a fetch and
 *              an instruction), " L", " S" and " M ADDRESS,SIZE" (a read, a write, a read and a
 *              write that modifies what was read), hexadecimal; lines of valgrind's own (that begin
 *              with "==", "--", "**" or "##") are skipped
 *
 * Requests of ramulator and dramsim3 are of 64 bytes. Empty lines and, but for lackey, lines that
 * start with # are skipped; anything else is an error that names the line. What is touched is
 * mapped before, 2 MiB at a time. Each input is a context of its own. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"
#include "trace_input.h"

typedef struct PfImportFormat PfImportFormat;

/* The format called NAME, or NULL. */
const PfImportFormat *pf_import_find(const char *name);

/* Format number INDEX in the order of their names, NULL behind the last. */
const PfImportFormat *pf_import_at(size_t index);

/* What FORMAT is called, and a line on it. */
const char *pf_import_name(const PfImportFormat *format);
const char *pf_import_summary(const PfImportFormat *format);

/* Whether FORMAT is an image of memory (see image_reader.h), else it is accesses (pf_import). */
bool pf_import_is_image(const PfImportFormat *format);

/* Whether the cycles of FORMAT are times, as cycle_ps of pf_import says. */
bool pf_import_has_cycles(const PfImportFormat *format);

/* The input at PATH ("-" is standard input), unpacked where it is compressed by gzip, xz or
 * Zstandard. NULL with PF_ERROR_TRACE. */
PfInput *pf_import_open(const char *path, GError **error);

/* What the context of the image at PATH is called: the file's name without the ending of what it is
 * packed by and one ending more, but for the number of gcore's core.1234; fit for a trace. Free
 * with g_free. */
char *pf_import_stem(const char *path);

/* STEM, or STEM-2 and so on where that is among NAMES (a set of strings that it owns), which it
 * joins. Free with g_free. */
char *pf_import_new_name(GHashTable *names, const char *stem);

/* The format that INPUT, nothing of which was consumed, looks like. NULL with PF_ERROR_TRACE. */
const PfImportFormat *pf_import_sniff(PfInput *input, GError **error);

/* What imported traces have as their page. */
enum { PF_IMPORT_PAGE_BYTES = 4096 };

/* Writes the records of INPUT, whose FORMAT is of accesses, to WRITER as those of context number
 * CONTEXT, which it creates and calls NAME. A cycle of dramsim3 lasts CYCLE_PS. INTERRUPTED is
 * polled and may be NULL. False with PF_ERROR_TRACE: "FILE:LINE: what", or an input without any
 * access; PF_ERROR_IO or PF_ERROR_INTERRUPTED. */
bool pf_import(const PfImportFormat *format, PfInput *input, const char *name, uint32_t context,
               uint64_t cycle_ps, PfTraceWriter *writer, const int *interrupted, GError **error);
