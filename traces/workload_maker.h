/* Writing a workload's records: what its parts hand each other. Only workload*.c include this. */
#pragma once

#include "workload_layout.h"
#include "workload_plan.h"

/* Where the pages of a context are, and how far it has filled them. */
typedef struct {
    PfLayout layout;
    uint64_t address; /* of its first page */
    uint64_t filled;  /* pages, in the order of addresses */
} PfMakerContext;

/* What is being written. */
typedef struct {
    const PfWorkload *workload;
    PfTraceWriter *writer;
    const PfWorkloadOptions *options;
    PfMakerContext *contexts;
    uint8_t *bytes; /* of a page */
    PfWorkloadProgress progress;
    uint64_t next_id;
    PfRecord run;          /* pages that go into one record; `address` counts pages */
    PfContentSpec content; /* of the run's first page */
    const PfPages *kind;   /* of all of its pages */
    bool is_file;          /* they are those of kind->of_file, from page `file_page` on */
    uint64_t file_page;
} PfMaker;

/* Adds RECORD and counts it. */
void pf_maker_add(PfMaker *maker, PfRecord record);

/* Counts STEPS; false if it is time to stop. */
bool pf_maker_advance(PfMaker *maker, uint64_t steps);

/* The kind of the page of RANK in context INDEX of GROUP, and what it holds at the beginning. */
const PfPages *pf_maker_original(const PfMaker *maker, const PfWorkloadGroup *group, uint64_t index,
                                 uint64_t rank, PfContentSpec *ret_content);

/* The writer's number of CONTENT, which page of KIND of GROUP holds; KIND may be NULL: of none. */
uint32_t pf_maker_content(PfMaker *maker, const PfWorkloadGroup *group, const PfPages *kind,
                          const PfContentSpec *content);

/* Makes all contexts and what they map, and fills those that boot in no phase. False if it is time
 * to stop. */
bool pf_maker_lay_out(PfMaker *maker);

/* Fills the pages of context INDEX of GROUP up to page UNTIL. False if it is time to stop. */
bool pf_maker_fill(PfMaker *maker, const PfWorkloadGroup *group, uint64_t index, uint64_t until);

/* Plays what is written in PHASE, which is number NUMBER from 0 and begins at START_PS, up to its
 * end. False if it is time to stop. */
bool pf_maker_play(PfMaker *maker, const PfWorkloadPhase *phase, guint number, uint64_t start_ps);
