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

/* In how many ways one byte of a page can be another. */
#define PF_WORKLOAD_VARIANTS(page_bytes) ((uint64_t)UINT8_MAX * (page_bytes))

/* What the pages of one kind hold. */
typedef enum {
    PF_PAGES_ZERO,
    PF_PAGES_ONES,
    PF_PAGES_NUMBERED, /* `id:` contents */
    PF_PAGES_PINNED,   /* the same, and a pin */
    PF_PAGES_SIMILAR,  /* the same, but that all of one content have bytes of their own in it */
    PF_PAGES_UNUSED,   /* nothing yet */
} PfPagesForm;

/* Pages of one kind: a stretch of ranks of each context of a group. Page I (from 0) of context C
 * holds content `id` + C * `stride` + (`start` + I) modulo `distinct`; of a file it is page
 * `start` + I. The last `moved` of them hold addresses, and are equal to no other page.
 */
typedef struct {
    const char *name; /* as `from` says it */
    PfPagesForm form;
    uint64_t first; /* rank */
    uint64_t count;
    uint64_t id;
    uint64_t start;
    uint64_t distinct; /* at least 1 */
    uint64_t stride;   /* 0: all contexts have the same contents */
    uint64_t moved;
    bool is_init;                           /* asked for by `init` */
    const struct PfWorkloadCommon *of_file; /* NULL: anonymous */
} PfPages;

/* Contents that pages of several contexts, or many pages of one, take. */
typedef struct {
    const char *name;
    uint64_t contents;
    uint64_t id; /* of the first */
} PfWorkloadSet;

/* An element of `common`. */
typedef struct PfWorkloadCommon {
    const char *set;
    double share;
    uint64_t pages;
    uint64_t first;
    int backing;      /* PfBacking */
    const char *file; /* "": as the set */
    bool own;
    double pointers;
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
    double similar;
    uint64_t alike;
    uint64_t differ;
    double freed;
    bool zero_free;
    uint64_t chunk;
    uint64_t allocation; /* pages of an allocation group */
    uint64_t huge_bytes;
    bool aslr;
    bool init;
    GArray *common; /* of PfWorkloadCommon */
    PfConfigSection *section;

    uint32_t first_context;
    uint64_t pages;
    uint64_t used_pages;
    guint boot_phase; /* number of the phase from 1; 0: before all */
    GArray *kinds;    /* of PfPages, by rank */
} PfWorkloadGroup;

typedef enum { PF_CHOICE_UNIFORM, PF_CHOICE_ZIPF, PF_CHOICE_ONCE } PfWorkloadChoice;
typedef enum { PF_TAKE_ANY, PF_TAKE_TURNS } PfWorkloadTake;

typedef enum {
    PF_TO_PRIVATE,
    PF_TO_ZERO,
    PF_TO_ONES,
    PF_TO_SAME,
    PF_TO_ORIGINAL,
    PF_TO_FREED,
    PF_TO_READ, /* nothing is written */
    PF_TO_SET,
} PfWorkloadTo;

/* An element of `writes`. */
typedef struct {
    const char *contexts; /* "": all */
    uint64_t rate;        /* pages a second */
    uint64_t lifetime_ps; /* the same said otherwise; 0: `rate` counts */
    const char *from;
    const char *to;
    int choice; /* PfWorkloadChoice */
    uint64_t instructions;
    uint64_t neighbours;
    double hot;
    int take;           /* PfWorkloadTake */
    const char *device; /* "": the context stores */
    uint64_t back_ps;   /* 0: never */
    PfConfigSection *section;

    PfWorkloadTo target;
    const PfWorkloadSet *set; /* SET */
} PfWorkloadWrites;

/* What one element of `writes` means in each context of a group. */
typedef struct {
    uint64_t first;  /* rank */
    uint64_t count;  /* ranks that are written */
    uint64_t writes; /* in the whole phase; UINT64_MAX: too many */
} PfWorkloadReach;

/* An element of `phases`. */
typedef struct {
    uint64_t time_ps;
    uint64_t step_ps;
    uint64_t scan_pages;
    uint64_t scan_passes;
    const char *mark;  /* NULL: none */
    const char *boots; /* "": nobody */
    GArray *writes;    /* of PfWorkloadWrites */
    PfConfigSection *section;

    uint64_t steps; /* of time; 0 where nothing is written */
} PfWorkloadPhase;

struct PfWorkload {
    uint64_t seed;
    uint64_t page_bytes;
    GArray *groups;    /* of PfWorkloadGroup */
    GArray *phases;    /* of PfWorkloadPhase */
    GArray *sets;      /* of PfWorkloadSet */
    GHashTable *files; /* by name, the first PfWorkloadCommon that maps it */
    uint32_t contexts;
    bool has_reads; /* the trace is of grain access */
    uint64_t steps;
    uint64_t next_id; /* of a content that no page has at first */
};

/* What the configuration may say (workload_fields.c). */
typedef struct {
    const PfConfigField *fields;
    size_t count;
} PfWorkloadFields;

extern const PfWorkloadFields pf_workload_fields;
extern const PfWorkloadFields pf_workload_group_fields;
extern const PfWorkloadFields pf_workload_common_fields;
extern const PfWorkloadFields pf_workload_phase_fields;
extern const PfWorkloadFields pf_workload_writes_fields;

/* Computes what follows from what was bound, and complains of what cannot be. */
void pf_workload_plan(PfWorkload *workload, PfConfigSection *section);

/* Steps of one context of GROUP: pages to be filled, and allocation groups that are full. */
uint64_t pf_workload_fill_steps(const PfWorkloadGroup *group);

/* The steps of that: how many pages a group has and uses; which kinds they are of, as
 * pf_workload_plan_kinds adds them to `kinds`; what is in which phase. False: complained. */
bool pf_workload_plan_used(const PfWorkload *workload, PfWorkloadGroup *group);
bool pf_workload_plan_kinds(PfWorkload *workload, PfWorkloadGroup *group);
void pf_workload_plan_phases(PfWorkload *workload);

/* One amount of a group: what was said and how many pages that is. */
typedef struct {
    PfConfigSection *section;
    const char *key;
    double said;
    uint64_t pages;
    uint64_t remainder; /* billionths of a page that rounding down leaves */
} PfAmount;

/* Computes the pages of AMOUNTS (of PfAmount), parts of the used pages, the last of which takes
 * what the others leave. False: complained. */
bool pf_workload_apportion(PfWorkloadGroup *group, GArray *amounts);

/* Whether context INDEX of GROUP is one of those that WRITES is about. */
bool pf_workload_writes_in(const PfWorkloadWrites *writes, const PfWorkloadGroup *group,
                           uint64_t index);

/* What WRITES of PHASE mean in GROUP; false if nothing, for it has no such pages. */
bool pf_workload_reach(const PfWorkloadPhase *phase, const PfWorkloadWrites *writes,
                       const PfWorkloadGroup *group, PfWorkloadReach *ret_reach);

/* Steps of PHASE after which a page that WRITES wrote is set back. */
uint64_t pf_workload_back_steps(const PfWorkloadPhase *phase, const PfWorkloadWrites *writes);

/* The set called NAME, NULL where there is none. Borrowed until another set is added. */
PfWorkloadSet *pf_workload_find_set(const PfWorkload *workload, const char *name);

/* The parts of PF_WORKLOAD_WHOLE that SHARE is; SHARE of COUNT, rounded down. */
uint64_t pf_workload_billionths(double share);
uint64_t pf_workload_part(double share, uint64_t count);

/* The name of context INDEX of GROUP. Free with g_free. */
char *pf_workload_context_name(const PfWorkloadGroup *group, uint64_t index);
