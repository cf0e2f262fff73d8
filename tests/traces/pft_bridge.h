/* Between traces as pagefold reads and writes them and as pft does. Helpers of tests. */
#pragma once

#include "pft.h"
#include "trace.h"

/* RECORD for pft, and the other way round with room for what it carries in RET_DETAIL. Strings and
 * bytes are those of RECORD. */
PftRecord bridge_to_pft(const PfRecord *record);
PfRecord bridge_from_pft(const PftRecord *record, PfTraceDetail *ret_detail);

/* Reads the trace at IN by pagefold's reader and makes the same calls to WRITER and to OTHER, each
 * of which may be NULL. Contents must get the numbers that they had. */
void bridge_tell(const char *in, PftWriter *writer, PfTraceWriter *other);

/* Writes the trace at IN to OUT by pft. */
void bridge_write(const char *in, const char *out);

/* Reads the trace at IN by pft and writes it to OUT by pagefold's writer. */
void bridge_read(const char *in, const char *out);
