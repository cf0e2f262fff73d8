/* What a generated trace leaves in memory, found by reading it back: an independent count of pages
 * and contents. Helpers of the tests of workloads. */
#pragma once

#include "trace.h"

/* A page that was filled. */
typedef struct {
    uint32_t context;
    uint64_t page; /* address in pages */
    PfContentForm form;
    uint64_t number; /* BYTES: a digest */
    uint32_t at;
    uint8_t with;
    const uint8_t *bytes; /* BYTES: of the page, as long as the picture */
    unsigned writes;      /* all that gave it bytes, and touches; the first included */
    bool is_pinned;
    guint file;      /* which file or segment, from 1; 0: anonymous */
    uint64_t offset; /* in it, in bytes */
} PicturePage;

typedef struct {
    GArray *pages; /* of PicturePage, by context and page */
    uint32_t contexts;
    uint64_t touches;
    uint64_t time_ps; /* the last */
    GString *marks;   /* labels, a blank behind each */
    GPtrArray *files; /* names of files and segments */
    GPtrArray *blobs; /* what BYTES pages hold */
    GArray *blocks;   /* uint64_t: numbers of the blocks that a device read */
} Picture;

/* The trace of the workload that TEXT configures, of FORM. NULL with ERROR. */
GBytes *generate_text(const char *text, PfTraceForm form, GError **error);

/* The same of the file at PATH, with ASSIGNMENTS set, one a line; they may be NULL. */
GBytes *generate_file(const char *path, const char *assignments, PfTraceForm form, GError **error);

/* That of the workload whose group is TEXT, which must be right; how often PART stands in its text
 * form. */
GBytes *generate_group(const char *text, PfTraceForm form);
unsigned count_in_group(const char *text, const char *part);

/* What TRACE leaves when it has been read up to the time UNTIL_PS (UINT64_MAX: to its end). Free
 * with picture_free. */
Picture *picture_new(GBytes *trace, uint64_t until_ps);
Picture *picture_of_group(const char *text, uint64_t until_ps);
void picture_free(Picture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

/* Pages of CONTEXT of FORM; distinct contents of all pages; contents that are in exactly PAGES
 * pages of exactly CONTEXTS contexts. */
uint64_t picture_count(const Picture *picture, uint32_t context, PfContentForm form);
uint64_t picture_contents(const Picture *picture);
uint64_t picture_shared(const Picture *picture, unsigned pages, unsigned contexts);

/* The bytes that PAGE holds, of pages of PAGE_BYTES. */
void picture_expand(const PicturePage *page, uint32_t page_bytes, uint8_t *ret_bytes);

/* What is there to share, as equations 4.6 to 4.9 of Kern's thesis count it. */
typedef struct {
    uint64_t mappings; /* no sharing: pages of contexts */
    uint64_t frames;   /* anonymous pages, and pages of files once each */
    uint64_t ksm;      /* frames of files, and anonymous contents */
    uint64_t contents;
    uint64_t anonymous; /* contents of anonymous pages only, of files only, of both */
    uint64_t named;
    uint64_t mixed;
} Baselines;

/* That of the first CONTEXTS contexts. */
Baselines picture_baselines(const Picture *picture, uint32_t contexts);
