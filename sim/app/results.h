/* The directory of results. It is written under a temporary name beside its place and renamed when
 * it is whole, so what stands under the asked name is always complete. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct PfResults PfResults;

/* Whether results may go to PATH: false with PF_ERROR_IO where something is in the way. An empty
 * directory never is; a directory of results is not with FORCE; anything else always is, so that a
 * slip of the fingers cannot delete a home directory. */
bool pf_results_check(const char *path, bool force, GError **error);

/* Makes the temporary directory (and the parents of PATH). PF_ERROR_IO. */
PfResults *pf_results_begin(const char *path, bool force, GError **error);

/* The temporary directory; borrowed. */
const char *pf_results_directory(const PfResults *results);

/* Writes DATA as file NAME. PF_ERROR_IO. */
bool pf_results_add(PfResults *results, const char *name, const GString *data, GError **error);

/* The digest (pf_digest) of file NAME that was added; NULL if none was. Borrowed. */
const char *pf_results_digest(const PfResults *results, const char *name);

/* Renames, once all files are on the disk where they shall be SYNCHRONISED, and removes what FORCE
 * replaces. PF_ERROR_IO. */
bool pf_results_commit(PfResults *results, bool synchronised, GError **error);

/* Removes what was not committed. */
void pf_results_free(PfResults *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfResults, pf_results_free)

/* Writes DATA to PATH by way of a temporary name beside it. PF_ERROR_IO. */
bool pf_results_write_file(const char *path, const char *data, size_t length, GError **error);

/* Deletes PATH and all below it; links are not followed. */
void pf_results_remove(const char *path);
