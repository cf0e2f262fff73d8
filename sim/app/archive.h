/* Archives of files (tar, compressed by gzip) whose bytes depend on the names and contents added
 * only: no owners, no times. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct PfArchive PfArchive;

/* Begins the archive at PATH ("-": standard output). NULL with PF_ERROR_IO. */
PfArchive *pf_archive_open(const char *path, GError **error);
/* An unfinished archive is removed. */
void pf_archive_free(PfArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfArchive, pf_archive_free)

/* Adds a file NAME, with slashes between its folders, of LENGTH bytes. False with PF_ERROR_LIMIT
 * where a tar cannot hold the name or the length, PF_ERROR_IO. */
bool pf_archive_add(PfArchive *archive, const char *name, bool is_program, const void *bytes,
                    size_t length, GError **error);

/* Writes the end. False with PF_ERROR_IO. */
bool pf_archive_finish(PfArchive *archive, GError **error);
