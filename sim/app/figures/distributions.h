/* Distributions of a run, as distributions.csv tells them. */
#pragma once

#include "sheet.h"

typedef struct {
    double most; /* the largest value counted here */
    double count;
} PfBucket;

/* The buckets of distribution STAT of POLICY in CSV, ascending; empty where there is none. Free
 * with g_array_unref. */
GArray *pf_buckets_of(const PfCsv *csv, const char *policy, const char *stat);

/* The sum of the counts. */
double pf_buckets_count(const GArray *buckets);
