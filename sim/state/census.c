#include "census.h"

#include "walk.h"

/* Beyond this a trace that is written wrong, or to do harm, would fill the host: a record of more
 * pages, more pages in all, larger pages. */
static const uint64_t record_pages_max = (uint64_t)1 << 26;
static const uint64_t slots_max = (uint64_t)1 << 28;
static const uint32_t page_bytes_max = 1U << 21;

/* What a page held at the epoch before: nothing, unknown bytes, or a content. */
enum { WAS_EMPTY, WAS_UNKNOWN, WAS_CONTENT };

/* 64 pages at the epoch before, by the number of their leaf, which may be another's by now. */
typedef struct {
    uint32_t context;
    uint64_t number;
    uint32_t codes[PF_LEAF_PAGES]; /* WAS_CONTENT + the content's index, with a reference */
} Past;

struct PfCensus {
    PfWalk walk;
    PfImageReader reader;
    char *problem;
    uint64_t records;
    uint64_t time_ps;
    GArray *contexts;  /* of PfCensusContext */
    GArray *epochs;    /* of PfCensusEpoch */
    GPtrArray *past;   /* of Past by leaf, or NULL */
    GArray *pages_of;  /* uint64_t by content: pages that have it, in this epoch */
    GArray *multiples; /* of PfCensusMultiple */
    uint64_t marks;
    uint32_t told; /* + 1; 0: no epoch */
};

PfCensus *pf_census_new(uint32_t page_bytes)
{
    PfCensus *census = g_new0(PfCensus, 1);
    pf_walk_init(&census->walk, page_bytes);
    pf_image_reader_init(&census->reader, census->walk.image);
    census->contexts = g_array_new(FALSE, TRUE, sizeof(PfCensusContext));
    census->epochs = g_array_new(FALSE, TRUE, sizeof(PfCensusEpoch));
    census->past = g_ptr_array_new_with_free_func(g_free);
    census->pages_of = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    census->multiples = g_array_new(FALSE, FALSE, sizeof(PfCensusMultiple));
    if (page_bytes > page_bytes_max)
        census->problem = g_strdup_printf("pages of %u bytes are too large to be kept", page_bytes);
    return census;
}

void pf_census_free(PfCensus *census)
{
    if (census == NULL)
        return;
    for (guint i = 0; i < census->contexts->len; i++)
        g_free(g_array_index(census->contexts, PfCensusContext, i).name);
    for (guint i = 0; i < census->epochs->len; i++)
        g_free(g_array_index(census->epochs, PfCensusEpoch, i).label);
    g_array_unref(census->contexts);
    g_array_unref(census->epochs);
    g_ptr_array_unref(census->past);
    g_array_unref(census->pages_of);
    g_array_unref(census->multiples);
    pf_image_reader_clear(&census->reader);
    pf_walk_clear(&census->walk);
    g_free(census->problem);
    g_free(census);
}

static PfBacking backing_of(unsigned flags)
{
    if ((flags & PF_IMAGE_SHMEM) != 0)
        return PF_BACKING_SHMEM;
    return (flags & PF_IMAGE_FILE) != 0 ? PF_BACKING_FILE : PF_BACKING_ANON;
}

/* What page INDEX of LEAF holds, as a code of Past; a content comes with a reference. */
static uint32_t page_code(PfCensus *census, const PfLeaf *leaf, unsigned index)
{
    PfContent content;
    if ((leaf->flags[index] & PF_IMAGE_POPULATED) == 0)
        return WAS_EMPTY;
    if (!pf_image_content(census->walk.image, &census->reader, pf_leaf_slot(leaf, index), 0,
                          &content))
        return WAS_UNKNOWN;
    return WAS_CONTENT + content.index;
}

static void release(PfCensus *census, uint32_t code)
{
    if (code >= WAS_CONTENT)
        pf_content_unref(census->walk.store, (PfContent){code - WAS_CONTENT});
}

static void count_context(PfCensus *census, uint32_t number, bool exits)
{
    PfImage *image = census->walk.image;
    const PfImageContext *context = pf_image_context(image, number);
    if (census->contexts->len <= number)
        g_array_set_size(census->contexts, number + 1);
    PfCensusContext *counted = &g_array_index(census->contexts, PfCensusContext, number);
    counted->name = g_strdup(context->name);
    counted->kind = context->kind;
    counted->has_exited = exits;
    for (unsigned i = 0; i < pf_region_list_count(&context->regions); i++) {
        const PfRegion *region = pf_region_list_at(&context->regions, i);
        uint64_t pages = region->end.number - region->first.number;
        counted->mapped_pages[backing_of(region->flags)] += pages;
        counted->mergeable_pages += (region->flags & PF_IMAGE_MERGEABLE) != 0 ? pages : 0;
    }
    for (uint32_t l = 0; l < pf_image_leaf_count(image, number); l++) {
        const PfLeaf *leaf = pf_image_leaf_nth(image, number, l);
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
            uint32_t code = page_code(census, leaf, i);
            if (code == WAS_EMPTY)
                continue;
            counted->populated_pages[backing_of(leaf->flags[i])]++;
            counted->zero_pages += code == WAS_CONTENT + PF_CONTENT_OF_ZEROS.index;
            counted->unknown_pages += code == WAS_UNKNOWN;
            release(census, code);
        }
    }
}

static Past *past_of(PfCensus *census, const PfLeaf *leaf)
{
    if (census->past->len <= leaf->id)
        g_ptr_array_set_size(census->past, (gint)leaf->id + 1);
    Past *past = g_ptr_array_index(census->past, leaf->id);
    if (past == NULL)
        past = census->past->pdata[leaf->id] = g_new0(Past, 1);
    if (past->context == leaf->context && past->number == leaf->number)
        return past;
    for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
        release(census, past->codes[i]);
    *past = (Past){.context = leaf->context, .number = leaf->number};
    return past;
}

static void count_leaf(PfCensus *census, const PfLeaf *leaf, PfCensusEpoch *epoch)
{
    Past *past = past_of(census, leaf);
    for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
        uint32_t code = page_code(census, leaf, i);
        uint32_t before = past->codes[i];
        past->codes[i] = code;
        epoch->populated_pages += code != WAS_EMPTY;
        epoch->new_pages += code != WAS_EMPTY && before == WAS_EMPTY;
        epoch->changed_pages += code != WAS_EMPTY && before != WAS_EMPTY && code != before;
        release(census, before);
        if (code < WAS_CONTENT)
            continue;
        uint32_t content = code - WAS_CONTENT;
        if (census->pages_of->len <= content)
            g_array_set_size(census->pages_of, MAX(content + 1, 2 * census->pages_of->len));
        uint64_t *pages = &g_array_index(census->pages_of, uint64_t, content);
        epoch->distinct_contents += (*pages)++ == 0;
    }
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Makes the list of multiples of the pages by content, which are sorted for that. */
static void list_multiples(PfCensus *census)
{
    g_array_set_size(census->multiples, 0);
    g_array_sort(census->pages_of, compare_numbers);
    PfCensusMultiple last = {.pages = 0};
    for (guint i = 0; i < census->pages_of->len; i++) {
        uint64_t pages = g_array_index(census->pages_of, uint64_t, i);
        if (pages != last.pages && last.pages != 0)
            g_array_append_val(census->multiples, last);
        last.contents = pages == last.pages ? last.contents + 1 : 1;
        last.pages = pages;
    }
    if (last.pages != 0)
        g_array_append_val(census->multiples, last);
}

/* LABEL NULL: the trace ends. */
static void count_epoch(PfCensus *census, const char *label)
{
    if (label != NULL && ++census->marks > PF_CENSUS_EPOCHS_MAX)
        return;
    PfCensusEpoch epoch = {
        .label = g_strdup(label), .records = census->records, .time_ps = census->time_ps};
    for (uint32_t c = 0; c < pf_image_context_count(census->walk.image); c++)
        for (uint32_t l = 0; l < pf_image_leaf_count(census->walk.image, c); l++)
            count_leaf(census, pf_image_leaf_nth(census->walk.image, c, l), &epoch);
    g_array_append_val(census->epochs, epoch);
    if (epoch.populated_pages > 0) {
        census->told = census->epochs->len;
        list_multiples(census);
    }
    g_array_set_size(census->pages_of, 0);
}

static bool walk(PfCensus *census, const PfRecordBlock *block, uint32_t from, uint32_t to)
{
    uint32_t bad;
    g_autoptr(GError) error = NULL;
    if (pf_image_slot_limit(census->walk.image) > slots_max)
        census->problem = g_strdup("it has too many pages to be kept");
    else if (!pf_walk_records(&census->walk, block, from, to, &bad, &error))
        census->problem = g_strdup_printf("record %" G_GUINT64_FORMAT ": %s",
                                          block->first_record + bad, error->message);
    return census->problem == NULL;
}

/* Records that are looked at page by page. */
static bool is_vast(const PfRecord *record)
{
    bool by_page = pf_image_is_long(record) || record->kind == PF_RECORD_ALIAS ||
                   record->kind == PF_RECORD_ATTR;
    return by_page && record->count > record_pages_max;
}

void pf_census_take(PfCensus *census, const PfRecordBlock *block)
{
    if (census->problem != NULL)
        return;
    pf_image_add_contents(census->walk.image, block);
    uint32_t from = 0;
    for (uint32_t i = 0; i < block->count && census->problem == NULL; i++) {
        const PfRecord *record = &block->records[i];
        census->records = block->first_record + i;
        if (record->kind == PF_RECORD_TIME)
            census->time_ps = MAX(census->time_ps, record->count);
        if (is_vast(record))
            census->problem = g_strdup_printf("record %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT
                                              " pages, too many to be kept",
                                              census->records, record->count);
        if (record->kind != PF_RECORD_EXIT && record->kind != PF_RECORD_MARK)
            continue;
        uint32_t to = i + (record->kind == PF_RECORD_MARK);
        if (census->problem != NULL || !walk(census, block, from, to))
            return;
        from = to;
        if (record->kind == PF_RECORD_MARK)
            count_epoch(census, record->detail->name);
        else
            count_context(census, record->context, true);
    }
    if (census->problem == NULL && from < block->count)
        walk(census, block, from, block->count);
    census->records = block->first_record + block->count;
}

void pf_census_finish(PfCensus *census)
{
    if (census->problem != NULL)
        return;
    for (uint32_t c = 0; c < pf_image_context_count(census->walk.image); c++)
        if (pf_image_context(census->walk.image, c)->alive)
            count_context(census, c, false);
    count_epoch(census, NULL);
}

const char *pf_census_problem(const PfCensus *census)
{
    return census->problem;
}

uint32_t pf_census_context_count(const PfCensus *census)
{
    return census->contexts->len;
}

const PfCensusContext *pf_census_context(const PfCensus *census, uint32_t number)
{
    g_assert(number < census->contexts->len);
    return &g_array_index(census->contexts, PfCensusContext, number);
}

uint32_t pf_census_epoch_count(const PfCensus *census)
{
    return census->epochs->len;
}

const PfCensusEpoch *pf_census_epoch(const PfCensus *census, uint32_t index)
{
    g_assert(index < census->epochs->len);
    return &g_array_index(census->epochs, PfCensusEpoch, index);
}

uint64_t pf_census_marks_left_out(const PfCensus *census)
{
    return census->marks - MIN(census->marks, PF_CENSUS_EPOCHS_MAX);
}

const PfCensusEpoch *pf_census_told_epoch(const PfCensus *census)
{
    return census->told == 0 ? NULL : pf_census_epoch(census, census->told - 1);
}

uint32_t pf_census_multiple_count(const PfCensus *census)
{
    return census->multiples->len;
}

const PfCensusMultiple *pf_census_multiple(const PfCensus *census, uint32_t index)
{
    g_assert(index < census->multiples->len);
    return &g_array_index(census->multiples, PfCensusMultiple, index);
}
