#include "distributions.h"

#include <math.h>
#include <string.h>

GArray *pf_buckets_of(const PfCsv *csv, const char *policy, const char *stat)
{
    int policies = pf_csv_column(csv, "policy");
    int stats = pf_csv_column(csv, "stat");
    int mosts = pf_csv_column(csv, "most");
    int counts = pf_csv_column(csv, "count");
    GArray *buckets = g_array_new(FALSE, FALSE, sizeof(PfBucket));
    for (guint i = 0; i < csv->rows->len; i++) {
        PfBucket bucket = {pf_csv_number(csv, i, mosts), pf_csv_number(csv, i, counts)};
        if (strcmp(pf_csv_text(csv, i, policies), policy) == 0 &&
            strcmp(pf_csv_text(csv, i, stats), stat) == 0 && isfinite(bucket.most) &&
            bucket.count > 0.0 && isfinite(bucket.count))
            g_array_append_val(buckets, bucket);
    }
    return buckets;
}

double pf_buckets_count(const GArray *buckets)
{
    double count = 0.0;
    for (guint i = 0; i < buckets->len; i++)
        count += g_array_index(buckets, PfBucket, i).count;
    return count;
}
