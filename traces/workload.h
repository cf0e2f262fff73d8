/* Synthetic workloads: a configuration says what memory contexts have, how much of it is equal to
 * what, and what is written to it later; from that and a seed comes a trace of page grain.
 *
 * Shares are met by count, not by chance: the seed decides which page holds what and which pages
 * are written, never how many there are of a kind. The same configuration and seed give the same
 * records on every machine. docs/trace-generation.md is the user's manual. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "trace.h"

typedef struct PfWorkload PfWorkload;

/* The workload of group `workload` of CONFIG, which must outlive it. Mistakes are collected in
 * CONFIG: the workload may be written only after pf_config_finish said that there are none. */
PfWorkload *pf_workload_new(PfConfig *config);
void pf_workload_free(PfWorkload *workload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfWorkload, pf_workload_free)

/* Bytes of a page; the seed. */
uint32_t pf_workload_page_bytes(const PfWorkload *workload);
uint64_t pf_workload_seed(const PfWorkload *workload);

/* What the trace says of where it comes from, a JSON object: neither path nor date, so that the
 * same workload is the same bytes everywhere. VERSION is the program's. Free with g_free. */
char *pf_workload_describe(const PfWorkload *workload, const char *version);

/* Pages that are laid out, pages that are written later, and steps of time of each context: what
 * writing the trace takes. */
uint64_t pf_workload_steps(const PfWorkload *workload);

/* How far writing is. */
typedef struct {
    uint64_t steps;   /* of pf_workload_steps */
    uint64_t records; /* written */
    uint64_t time_ps; /* in the workload */
} PfWorkloadProgress;

typedef struct {
    void (*progress)(const PfWorkloadProgress *progress, void *user); /* may be NULL */
    void *user;
    const int *interrupted; /* polled; may be NULL */
} PfWorkloadOptions;

/* Adds the workload's records to WRITER, whose header has its page size. False with
 * PF_ERROR_INTERRUPTED; what the writer finds wrong is told when it is finished. */
bool pf_workload_write(const PfWorkload *workload, PfTraceWriter *writer,
                       const PfWorkloadOptions *options, GError **error);
