/* Images of memory turned into records: what the pages of a context hold, epoch by epoch.
 *
 * What an image holds is mapped (`map`) and told (`state`); what it does not hold is absent, not
 * zero. Pages of a file are mapped as that file's: those of equal bytes are one frame, whoever maps
 * them. A hash with M mappings is a page and M - 1 more that map its frame, behind the last page.
 */
#pragma once

#include "image_reader.h"
#include "trace.h"

/* Addresses from `start` up to `end`, whole pages. */
typedef struct {
    uint64_t start;
    uint64_t end;
} PfAddressRange;

typedef struct {
    const PfAddressRange *skips; /* left out; ascending, apart from each other; borrowed */
    size_t skip_count;
    bool is_hashed;         /* keep a 64-bit XXH3 of each page instead of its bytes */
    bool is_last;           /* no epoch follows: what is told need not be remembered */
    const int *interrupted; /* polled; may be NULL */
    /* Told often how far it is; may be NULL. */
    void (*progress)(const PfImageReader *image, void *user);
    void *user;
} PfImageOptions;

typedef struct {
    uint64_t pages;         /* that have a content, mappings of the same frame included */
    uint64_t zero_pages;    /* of these, full of zeros */
    uint64_t told_pages;    /* of `state` records */
    uint64_t skipped_pages; /* as asked */
    uint64_t partial_pages; /* left out because the image holds only a part of them */
} PfImageSummary;

typedef struct PfImageContext PfImageContext;

/* Writes the context, which is to get NUMBER, to WRITER (borrowed). */
PfImageContext *pf_image_context_new(PfTraceWriter *writer, uint32_t number, const char *name,
                                     PfContextKind kind);
void pf_image_context_free(PfImageContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfImageContext, pf_image_context_free)

/* Writes what IMAGE holds, or, after the first time, in what it differs from the image before.
 * SUMMARY is added to. False with what pf_image_reader_next says, or PF_ERROR_INTERRUPTED. */
bool pf_image_context_tell(PfImageContext *context, PfImageReader *image,
                           const PfImageOptions *options, PfImageSummary *summary, GError **error);
