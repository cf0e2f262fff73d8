#include "potential.h"

#include <inttypes.h>
#include <string.h>

#include "error.h"

struct PfPotential {
    PfContentTable contents;
    PfSizes *sizes; /* NULL if not asked for */
    bool with_sizes;
    PfIdentity zeros; /* the identity of the page of zeros */
    uint64_t frames;
    uint64_t inputs;
    GHashTable *names; /* of contexts */
    PfPotentialCount count;
};

static void clear_context(gpointer data)
{
    g_free(((PfPotentialContext *)data)->name);
}

PfPotential *pf_potential_new(bool with_sizes)
{
    PfPotential *potential = g_new0(PfPotential, 1);
    pf_content_table_init(&potential->contents);
    potential->with_sizes = with_sizes;
    potential->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    potential->count.contexts = g_array_new(FALSE, TRUE, sizeof(PfPotentialContext));
    g_array_set_clear_func(potential->count.contexts, clear_context);
    potential->count.multiplicity = g_array_new(FALSE, TRUE, sizeof(PfMultiplicity));
    potential->count.most = g_ptr_array_new();
    return potential;
}

void pf_potential_free(PfPotential *potential)
{
    if (potential == NULL)
        return;
    pf_content_table_clear(&potential->contents);
    pf_sizes_free(potential->sizes);
    g_hash_table_unref(potential->names);
    g_array_unref(potential->count.contexts);
    g_array_unref(potential->count.multiplicity);
    g_ptr_array_unref(potential->count.most);
    g_free(potential);
}

static PfIdentity identity_of(const void *bytes, size_t length, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, length, seed);
    return (PfIdentity){.low = hash.low64, .high = hash.high64};
}

/* Numbers are told apart from contents, whose seed is 0, and from each other by their seeds. */
static PfIdentity frame_identity(const PfPotential *potential, const PfPotentialFrame *frame)
{
    if (frame->known == PF_KNOWN_BYTES)
        return identity_of(frame->bytes, potential->count.page_bytes, 0);
    uint64_t little = GUINT64_TO_LE(frame->number);
    uint64_t input = frame->known == PF_KNOWN_NOT ? potential->inputs : 0;
    return identity_of(&little, sizeof little, 1 + input);
}

static bool is_equal(PfIdentity a, PfIdentity b)
{
    return a.low == b.low && a.high == b.high;
}

bool pf_potential_begin(PfPotential *potential, uint32_t page_bytes, GError **error)
{
    potential->inputs++;
    if (potential->count.page_bytes == page_bytes)
        return true;
    if (potential->count.page_bytes != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "its pages are of %" PRIu32 " bytes, those of what was read before of %" PRIu32,
                    page_bytes, potential->count.page_bytes);
        return false;
    }
    g_autofree uint8_t *zeros = g_malloc0(page_bytes);
    potential->count.page_bytes = page_bytes;
    potential->zeros = identity_of(zeros, page_bytes, 0);
    if (potential->with_sizes)
        potential->sizes = pf_sizes_new(page_bytes);
    return true;
}

void pf_potential_context(PfPotential *potential, const char *name)
{
    PfPotentialContext context = {.name = pf_import_new_name(potential->names, name)};
    g_array_append_val(potential->count.contexts, context);
}

static PfPotentialContext *last_context(PfPotential *potential)
{
    GArray *contexts = potential->count.contexts;
    g_assert(contexts->len > 0);
    return &g_array_index(contexts, PfPotentialContext, contexts->len - 1);
}

bool pf_potential_add(PfPotential *potential, const PfPotentialFrame *frame, PfPageKind *ret_kind,
                      GError **error)
{
    PfPotentialCount *count = &potential->count;
    PfPotentialContext *context = last_context(potential);
    if (potential->frames == PF_CONTENT_COPIES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_LIMIT, "more than 2^32 - 1 pages");
        return false;
    }
    PfContentSighting sighting = {
        .identity = frame_identity(potential, frame),
        .kind = frame->kind,
        .context = count->contexts->len - 1,
        .page_bytes = count->page_bytes,
        .address = frame->address,
        .bytes = frame->known == PF_KNOWN_BYTES ? frame->bytes : NULL,
    };
    bool is_zero = frame->kind == PF_PAGE_ZERO || is_equal(sighting.identity, potential->zeros);
    if (is_zero && frame->kind == PF_PAGE_ANON)
        sighting.kind = PF_PAGE_ZERO;
    if (ret_kind != NULL)
        *ret_kind = sighting.kind;
    PfContentNovelty novelty = pf_content_table_add(&potential->contents, &sighting);
    if (potential->sizes != NULL)
        pf_sizes_add(potential->sizes, &sighting);
    potential->frames++;
    count->frames[sighting.kind]++;
    count->no_sharing[sighting.kind] += frame->mappings;
    count->zero_pages += is_zero;
    count->unknown_pages += frame->known == PF_KNOWN_NOT;
    count->identity_pages += frame->known == PF_KNOWN_IDENTITY;
    count->within[is_zero] += !novelty.is_new_here;
    count->between[is_zero] += novelty.is_new_here && !novelty.is_new;
    context->mapped += frame->mappings;
    context->frames++;
    context->zero += is_zero;
    context->within += !novelty.is_new_here;
    context->between += novelty.is_new_here && !novelty.is_new;
    return true;
}

void pf_potential_map_again(PfPotential *potential, PfPageKind kind)
{
    potential->count.no_sharing[kind]++;
    last_context(potential)->mapped++;
}

uint64_t pf_potential_frames(const PfPotential *potential)
{
    return potential->frames;
}

static void count_type(PfContentTypes *types, bool anonymous, bool named)
{
    types->anonymous += anonymous && !named;
    types->named += named && !anonymous;
    types->mixed += anonymous && named;
}

/* The contribution of one content to 4.6 and 4.8, and to the types. */
static void count_content(PfPotentialCount *count, const PfDistinctContent *content)
{
    const uint32_t *copies = content->copies;
    bool anonymous = copies[PF_PAGE_ZERO] + (uint64_t)copies[PF_PAGE_ANON] > 0;
    bool named = copies[PF_PAGE_FILE] + (uint64_t)copies[PF_PAGE_SHMEM] > 0;
    if (anonymous)
        count->ksm[copies[PF_PAGE_ZERO] > 0 ? PF_PAGE_ZERO : PF_PAGE_ANON]++;
    count->ksm[PF_PAGE_FILE] += copies[PF_PAGE_FILE];
    count->ksm[PF_PAGE_SHMEM] += copies[PF_PAGE_SHMEM];
    unsigned first = 0;
    while (copies[first] == 0)
        first++;
    count->cbps[first]++;
    count_type(&count->contents, anonymous, named);
    if (content->shared != 0)
        count_type(&count->contents_shared, anonymous, named);
}

static gint compare_copies(gconstpointer a, gconstpointer b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* From PfTable, which cannot be iterated, to a sorted array: KEYS are its keys. */
static void list_multiplicities(PfPotentialCount *count, const PfTable *by_copies, GArray *keys)
{
    g_array_sort(keys, compare_copies);
    for (guint i = 0; i < keys->len; i++) {
        PfMultiplicity row = {.copies = g_array_index(keys, uint64_t, i)};
        pf_table_find(by_copies, row.copies, &row.contents);
        g_array_append_val(count->multiplicity, row);
    }
}

/* Keeps CONTENT among the TOP with most copies; contents come in order of appearance. */
static void keep_most(GPtrArray *most, const PfDistinctContent *content, unsigned top)
{
    uint64_t copies = pf_distinct_copies(content);
    guint place = most->len;
    while (place > 0 && pf_distinct_copies(g_ptr_array_index(most, place - 1)) < copies)
        place--;
    if (place >= top)
        return;
    g_ptr_array_insert(most, (gint)place, (gpointer)(uintptr_t)content);
    if (most->len > top)
        g_ptr_array_set_size(most, (gint)top);
}

const PfPotentialCount *pf_potential_finish(PfPotential *potential, unsigned top)
{
    PfPotentialCount *count = &potential->count;
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    PfTable by_copies;
    pf_table_init(&by_copies);
    const PfDistinctContent *content;
    for (uint32_t i = 0; (content = pf_content_table_at(&potential->contents, i)) != NULL; i++) {
        uint64_t copies = pf_distinct_copies(content);
        uint64_t *contents = pf_table_at(&by_copies, copies);
        if ((*contents)++ == 0)
            g_array_append_val(keys, copies);
        count_content(count, content);
        if (copies > 1)
            keep_most(count->most, content, top);
    }
    list_multiplicities(count, &by_copies, keys);
    pf_table_clear(&by_copies);
    if (potential->sizes != NULL)
        pf_sizes_finish(potential->sizes);
    count->table_bytes = pf_content_table_bytes(&potential->contents);
    return count;
}

const PfCopiedContent *pf_potential_shared(const PfPotential *potential,
                                           const PfDistinctContent *content)
{
    return pf_content_table_shared(&potential->contents, content);
}

const PfSizes *pf_potential_sizes(const PfPotential *potential)
{
    return potential->sizes;
}

bool pf_potential_is_zero(const PfPotential *potential, const PfDistinctContent *content)
{
    return content->copies[PF_PAGE_ZERO] > 0 || is_equal(content->identity, potential->zeros);
}
