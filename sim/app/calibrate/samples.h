/* Times measured on the host, several of each thing. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is measured; all but the last few rows as an ordinary user. */
typedef enum {
    PF_MEASURE_SYSTEM_CALL,  /* the shortest */
    PF_MEASURE_REUSE,        /* write fault of a frame's last owner after fork, a page */
    PF_MEASURE_FIRST_TOUCH,  /* write fault, an anonymous page's first */
    PF_MEASURE_ZERO_READ,    /* read fault, an anonymous page's first */
    PF_MEASURE_ZERO_WRITE,   /* write fault on the zero page */
    PF_MEASURE_COPY,         /* write fault that copies a page shared by fork */
    PF_MEASURE_FORK,         /* a page */
    PF_MEASURE_UNMAP,        /* a page */
    PF_MEASURE_REMAP,        /* a page */
    PF_MEASURE_LOCK,         /* two locked instructions */
    PF_MEASURE_NEAR_LINE,    /* a dependent load from 2 MiB */
    PF_MEASURE_FILL_PAGE,    /* 4096 bytes that no cache holds */
    PF_MEASURE_COPY_PAGE,    /* likewise */
    PF_MEASURE_HASH_COLD,    /* XXH3, likewise */
    PF_MEASURE_HASH_HOT,     /* XXH3 of a page in the caches */
    PF_MEASURE_XXH64_HOT,    /* ksmd's hash, likewise */
    PF_MEASURE_COMPARE_COLD, /* equal pages that no cache holds */
    PF_MEASURE_COMPARE_HOT,  /* equal pages in the caches */
    PF_MEASURE_LINE,         /* pages that no cache holds and that differ in the first byte */
    PF_MEASURE_CALL_ALONE,   /* membarrier, no other thread running */
    PF_MEASURE_CALL_OTHERS,  /* membarrier while another thread runs on another processor */
    PF_MEASURE_KSM_FIRST,    /* ksmd, a page of the first pass over unique ones */
    PF_MEASURE_KSM_LATER,    /* ksmd, a page of a later pass */
    PF_MEASURE_COUNT
} PfMeasure;

/* Nanoseconds of each, as many as were taken. */
typedef struct {
    GArray *ns[PF_MEASURE_COUNT]; /* of double */
    const int *interrupted;       /* borrowed */
} PfSamples;

/* Clear it in any case. INTERRUPTED, non-zero, ends what is under way early. */
void pf_samples_init(PfSamples *samples, const int *interrupted);
void pf_samples_clear(PfSamples *samples);

/* One sample: NS for COUNT times MEASURE. */
void pf_samples_add(PfSamples *samples, PfMeasure measure, double ns, double count);

/* How long this thread has run on a processor: what others take from it meanwhile is not in it. */
double pf_samples_now_ns(void);

/* QUARTILE 0 is the minimum, 2 the median, 4 the maximum. False without a sample. */
bool pf_samples_quartile(const PfSamples *samples, PfMeasure measure, unsigned quartile,
                         double *ret_ns);

/* What MEASURE is, for a comment. */
const char *pf_samples_name(PfMeasure measure);
