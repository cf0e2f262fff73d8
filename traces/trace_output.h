/* A file that appears under its name only when all of it is written.
 *
 * Bytes go to PATH.XXXX.tmp in the same folder, which is renamed by finish. Standard output ("-")
 * and what is no regular file (a pipe, a device) are written directly. The first error sticks. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PfOutput PfOutput;

/* NULL with PF_ERROR_IO. */
PfOutput *pf_output_open(const char *path, GError **error);

/* An unfinished file is removed. */
void pf_output_free(PfOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfOutput, pf_output_free)

/* Appends LENGTH bytes. */
void pf_output_write(PfOutput *output, const void *bytes, size_t length);

/* Bytes written so far. */
uint64_t pf_output_offset(const PfOutput *output);

/* Whether an error has happened; finish tells which. */
bool pf_output_failed(const PfOutput *output);

/* False with PF_ERROR_IO. */
bool pf_output_finish(PfOutput *output, GError **error);
