/* How much of memory could be shared, counted at one moment: every frame, with its content, its
 * kind and its context, is told once, and four baselines come of it. They are those of P. Kern,
 * "Deduplication Potential of Native Programs" (equations 4.6 to 4.9 there):
 *
 *   no sharing    each mapping of a frame has a frame of its own
 *   mmap/fork     the frames that there are
 *   KSM hint all  all anonymous frames of equal content are one; frames of files and of shared
 *                 memory stay
 *   full CBPS     all frames of equal content are one
 *
 * Contents are known by XXH3's 128 bits (docs/model.md says how likely two are taken for one). */
#pragma once

#include "import.h"
#include "potential_contents.h"
#include "potential_sizes.h"
#include "trace_input.h"

/* Copies that contents have, and how many contents have that many. */
typedef struct {
    uint64_t copies;
    uint64_t contents;
} PfMultiplicity;

/* A context's part; sums over all contexts are the totals. */
typedef struct {
    char *name;
    uint64_t mapped;  /* pages it maps */
    uint64_t frames;  /* of them, those that no context told before maps */
    uint64_t zero;    /* frames of zeros among these */
    uint64_t within;  /* frames whose content it holds in another frame already */
    uint64_t between; /* frames whose content only contexts told before it hold */
} PfPotentialContext;

/* Contents by the frames that hold them, of all and of those with two copies or more. */
typedef struct {
    uint64_t anonymous;
    uint64_t named;
    uint64_t mixed;
} PfContentTypes;

/* The counts. Arrays by kind: frames (or mappings) of the kind that would be in use. A content that
 * frames of several kinds hold stands under the first of them in the order of PfPageKind. */
typedef struct {
    uint32_t page_bytes;
    uint64_t no_sharing[PF_PAGE_KINDS];
    uint64_t frames[PF_PAGE_KINDS];
    uint64_t ksm[PF_PAGE_KINDS];
    uint64_t cbps[PF_PAGE_KINDS];
    uint64_t zero_pages;     /* frames of zeros, of all kinds */
    uint64_t unknown_pages;  /* frames whose content nobody knows: each is one of its own */
    uint64_t identity_pages; /* frames of which an identity is known, and no bytes */
    uint64_t within[2];      /* frames to be saved inside contexts: not of zeros, of zeros */
    uint64_t between[2];     /* ... by sharing between contexts besides */
    PfContentTypes contents;
    PfContentTypes contents_shared;
    GArray *multiplicity; /* of PfMultiplicity, ascending */
    GArray *contexts;     /* of PfPotentialContext */
    GPtrArray *most;      /* const PfDistinctContent *, most copies first */
    uint64_t table_bytes; /* taken by what is kept of contents */
} PfPotentialCount;

typedef struct PfPotential PfPotential;

/* Nothing is counted yet. WITH_SIZES counts blocks of other sizes, too. */
PfPotential *pf_potential_new(bool with_sizes);
void pf_potential_free(PfPotential *potential);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfPotential, pf_potential_free)

/* Another input begins, with pages of PAGE_BYTES. False with PF_ERROR_TRACE where those before were
 * of another size. */
bool pf_potential_begin(PfPotential *potential, uint32_t page_bytes, GError **error);

/* The frames told from now on are those of a context called NAME (copied; if there is one of that
 * name, NAME-2 and so on). */
void pf_potential_context(PfPotential *potential, const char *name);

/* By what a frame's content is known. */
typedef enum {
    PF_KNOWN_BYTES,    /* its bytes */
    PF_KNOWN_IDENTITY, /* a number that stands for it, in all inputs */
    PF_KNOWN_NOT,      /* a number that stands for unknown bytes of this input */
} PfKnown;

/* A frame as it is told. */
typedef struct {
    uint64_t address;  /* in its context: of the first page that maps it */
    uint64_t mappings; /* at least 1 */
    PfPageKind kind;   /* ANON becomes ZERO where its bytes are zeros */
    PfKnown known;
    const uint8_t *bytes;
    uint64_t number; /* where the bytes are not known */
} PfPotentialFrame;

/* One more frame; RET_KIND (may be NULL) gets the kind that it counts as. False with PF_ERROR_LIMIT
 * where there are 2^32 - 1 already. */
bool pf_potential_add(PfPotential *potential, const PfPotentialFrame *frame, PfPageKind *ret_kind,
                      GError **error);

/* One more page of the context maps a frame of KIND, which was told before. */
void pf_potential_map_again(PfPotential *potential, PfPageKind kind);

/* Frames so far. */
uint64_t pf_potential_frames(const PfPotential *potential);

/* All is told: the counts, with the TOP contents that have most copies (two at least; of equal ones
 * those met first). Borrowed. To be called once. */
const PfPotentialCount *pf_potential_finish(PfPotential *potential, unsigned top);

/* What is kept besides of one of the `most`. */
const PfCopiedContent *pf_potential_shared(const PfPotential *potential,
                                           const PfDistinctContent *content);

/* Blocks of other sizes, by the tenths of a page from PF_SIZE_TENTHS_MIN on; NULL if not asked. */
const PfSizes *pf_potential_sizes(const PfPotential *potential);

/* Whether CONTENT is the page of zeros, as far as its identity tells or a kind says. */
bool pf_potential_is_zero(const PfPotential *potential, const PfDistinctContent *content);

/* ---- Reading ---- */

typedef struct {
    const char *epoch; /* of a trace: a mark's label or, from 0, its number; NULL: the last one */
    const PfImportFormat *format; /* of inputs that are no traces; NULL: as they look */
    bool salvage;                 /* damage of a trace ends it */
    const int *interrupted;       /* may be NULL */
    void (*progress)(double share_done, uint64_t frames, void *user); /* may be NULL */
    void (*warn)(const char *message, void *user);                    /* may be NULL */
    void *user;
} PfPotentialReading;

/* Tells all frames of the input at PATH ("-" is standard input), which may be packed and is told by
 * its first bytes:
 *
 * A trace: what its contexts map at the epoch asked for. An epoch is what memory is at a `mark`;
 * the last one is the end of the trace, before the exits that nothing but time follows. WITH_STEM
 * puts the file's name, without its endings, before the contexts' names.
 *
 * An image of memory (image_reader.h): one context, called by the file's name likewise.
 *
 * False with PF_ERROR_TRACE, PF_ERROR_USAGE (no such epoch), PF_ERROR_INTERRUPTED or
 * PF_ERROR_LIMIT. */
bool pf_potential_read(PfPotential *potential, const char *path, bool with_stem,
                       const PfPotentialReading *how, GError **error);

/* ---- Its parts: INPUT is taken over, whatever the outcome ---- */

/* A trace, whose contexts' names get PREFIX. */
bool pf_potential_read_trace(PfPotential *potential, PfInput *input, const char *prefix,
                             const PfPotentialReading *how, GError **error);

/* An image of memory as context NAME. */
bool pf_potential_read_image(PfPotential *potential, PfInput *input, const char *name,
                             const PfPotentialReading *how, GError **error);

/* True, with ERROR set, once the user has interrupted. */
bool pf_potential_interrupted(const PfPotentialReading *how, GError **error);
