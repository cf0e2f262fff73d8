/* Results read back from a directory: what compare and the figures work on. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A statistic: its number, and its text where exactness counts. */
typedef struct {
    const char *name;
    bool defined; /* false: null */
    double number;
    char *text; /* as in the file, "null" where undefined; owned */
} PfSavedStat;

/* One policy. */
typedef struct {
    char *policy; /* the label */
    char *remark;
    GArray *stats;       /* PfSavedStat, in the order of the file */
    GHashTable *by_name; /* name (borrowed) to index + 1 */
} PfSavedRun;

typedef struct {
    char *directory;
    char *trace_name;
    uint64_t page_bytes;
    uint64_t clock_hz;
    double dilation;
    bool complete;
    GPtrArray *runs; /* PfSavedRun */
} PfSaved;

/* Reads DIRECTORY/stats.json. PF_ERROR_TRACE "FILE: ..." where it cannot be read or is not what
 * pagefold writes. */
PfSaved *pf_saved_load(const char *directory, GError **error);
void pf_saved_free(PfSaved *saved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSaved, pf_saved_free)

/* The run labelled POLICY, or NULL. */
const PfSavedRun *pf_saved_find_run(const PfSaved *saved, const char *policy);

/* The statistic NAME of RUN, or NULL. */
const PfSavedStat *pf_saved_find(const PfSavedRun *run, const char *name);
