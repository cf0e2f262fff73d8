/* The inside of workloads: what the configuration says, and what follows from it. Only workload*.c
 * include this. */
#pragma once

#include "workload.h"

/* All pages, writes and steps of one workload together: 1 TiB of pages of 4 KiB. */
#define PF_WORKLOAD_STEPS_MAX ((uint64_t)1 << 28)
/* Elements of any one list. */
#define PF_WORKLOAD_LIST_MAX 1024U
/* What shares are parts of: billionths, in which decimal fractions of nine digits are exact. */
#define PF_WORKLOAD_WHOLE ((uint64_t)1000000000)
/* Contents of a set. */
#define PF_WORKLOAD_CONTENTS_MAX ((uint64_t)1 << 40)

/* What the pages of one kind hold. */
typedef enum {
    PF_PAGES_ZERO,
    PF_PAGES_ONES,
    PF_PAGES_NUMBERED, /* `id:` contents */
    PF_PAGES_PINNED,   /* the same, and a pin */
    PF_PAGES_UNUSED,   /* nothing yet */
} PfPagesForm;

/* Pages of one kind: a stretch of ranks of each context of a group. Page I (from 0) of context C
 * holds content `id` + C * `stride` + I modulo `distinct`. */
typedef struct {
    const char *name; /* as `from` says it */
    PfPagesForm form;
    uint64_t first; /* rank */
    uint64_t count;
    uint64_t id;
    uint64_t distinct; /* at least 1 */
    uint64_t stride;   /* 0: all contexts have the same contents */
} PfPages;

/* Contents that pages of several contexts, or many pages of one, take. */
typedef struct {
    const char *name;
    uint64_t contents;
    uint64_t id; /* of the first */
} PfWorkloadSet;

/* An element of `common`. */
typedef struct {
    const char *set;
    double share;
    uint64_t pages;
    uint64_t first;
    PfConfigSection *section;
} PfWorkloadCommon;

typedef enum { PF_UNIT_SHARES, PF_UNIT_PAGES } PfWorkloadUnit;

/* An element of `contexts`: one or several of the same making. */
typedef struct {
    const char *name;
    uint64_t count;
    int kind; /* PfContextKind */
    uint64_t memory_bytes;
    uint64_t address;
    bool mergeable;
    int unit; /* PfWorkloadUnit */
    double used;
    double zero;
    double ones;
    double duplicates;
    uint64_t copies;
    double pinned;
    uint64_t chunk;
    GArray *common; /* of PfWorkloadCommon */
    PfConfigSection *section;

    uint32_t first_context;
    uint64_t pages;
    uint64_t used_pages;
    GArray *kinds; /* of PfPages, by rank */
} PfWorkloadGroup;

typedef enum { PF_CHOICE_UNIFORM, PF_CHOICE_ZIPF, PF_CHOICE_ONCE } PfWorkloadChoice;

typedef enum {
    PF_TO_PRIVATE,
    PF_TO_ZERO,
    PF_TO_ONES,
    PF_TO_SAME,
    PF_TO_ORIGINAL,
    PF_TO_SET,
} PfWorkloadTo;

/* An element of `writes`. */
typedef struct {
    const char *contexts; /* "": all */
    uint64_t rate;        /* pages a second */
    const char *from;
    const char *to;
    int choice; /* PfWorkloadChoice */
    double hot;
    PfConfigSection *section;

    PfWorkloadTo target;
    const PfWorkloadSet *set; /* SET */
    uint64_t writes;          /* of each context in this phase */
} PfWorkloadWrites;

/* An element of `phases`. */
typedef struct {
    uint64_t time_ps;
    uint64_t step_ps;
    uint64_t scan_pages;
    uint64_t scan_passes;
    const char *mark; /* NULL: none */
    GArray *writes;   /* of PfWorkloadWrites */
    PfConfigSection *section;

    uint64_t steps; /* of time; 0 where nothing is written */
} PfWorkloadPhase;

struct PfWorkload {
    uint64_t seed;
    uint64_t page_bytes;
    GArray *groups; /* of PfWorkloadGroup */
    GArray *phases; /* of PfWorkloadPhase */
    GArray *sets;   /* of PfWorkloadSet */
    uint32_t contexts;
    uint64_t steps;
    uint64_t next_id; /* of a content that no page has at first */
};

/* Computes what follows from what was bound, and complains of what cannot be. */
void pf_workload_plan(PfWorkload *workload, PfConfigSection *section);

/* The same for the phases, when all groups are planned. */
void pf_workload_plan_phases(PfWorkload *workload);

/* Whether context INDEX of GROUP is one of those that WRITES is about. */
bool pf_workload_writes_in(const PfWorkloadWrites *writes, const PfWorkloadGroup *group,
                           uint64_t index);

/* The set called NAME, NULL where there is none. Borrowed until another set is added. */
PfWorkloadSet *pf_workload_find_set(const PfWorkload *workload, const char *name);

/* The parts of PF_WORKLOAD_WHOLE that SHARE is. */
uint64_t pf_workload_billionths(double share);

/* The name of context INDEX of GROUP. Free with g_free. */
char *pf_workload_context_name(const PfWorkloadGroup *group, uint64_t index);

/* The ranks of GROUP that `from` NAME means; false if it has no such pages. */
bool pf_workload_range(const PfWorkloadGroup *group, const char *name, uint64_t *ret_first,
                       uint64_t *ret_count);
