#include "tally.h"

#include "walk.h"

/* What a page held at the epoch before: nothing, unknown bytes, or a content. */
enum { WAS_EMPTY, WAS_UNKNOWN, WAS_CONTENT };

/* 64 pages at the epoch before, by the number of their leaf, which may be another's by now. */
typedef struct {
    uint32_t context;
    uint64_t number;
    uint32_t codes[PF_LEAF_PAGES]; /* WAS_CONTENT + the content's index, with a reference */
} Past;

struct PfTally {
    PfWalk walk;
    PfImageReader reader;
    char *problem;
    uint64_t records;
    uint64_t time_ps;
    GArray *contexts;  /* of PfTallyContext */
    GArray *epochs;    /* of PfTallyEpoch */
    GPtrArray *past;   /* of Past by leaf, or NULL */
    GArray *pages_of;  /* uint64_t by content: pages that have it, in this epoch */
    GArray *multiples; /* of PfTallyMultiple */
    uint64_t marks;
    uint32_t told; /* + 1; 0: no epoch */
};

PfTally *pf_tally_new(uint32_t page_bytes)
{
    PfTally *tally = g_new0(PfTally, 1);
    if (page_bytes <= PF_WALK_PAGE_BYTES_MAX) {
        pf_walk_init(&tally->walk, page_bytes);
        pf_image_reader_init(&tally->reader, tally->walk.image);
    } else {
        tally->problem = g_strdup_printf("pages of %u bytes are too large to be kept", page_bytes);
    }
    tally->contexts = g_array_new(FALSE, TRUE, sizeof(PfTallyContext));
    tally->epochs = g_array_new(FALSE, TRUE, sizeof(PfTallyEpoch));
    tally->past = g_ptr_array_new_with_free_func(g_free);
    tally->pages_of = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    tally->multiples = g_array_new(FALSE, FALSE, sizeof(PfTallyMultiple));
    return tally;
}

void pf_tally_free(PfTally *tally)
{
    if (tally == NULL)
        return;
    for (guint i = 0; i < tally->contexts->len; i++)
        g_free(g_array_index(tally->contexts, PfTallyContext, i).name);
    for (guint i = 0; i < tally->epochs->len; i++)
        g_free(g_array_index(tally->epochs, PfTallyEpoch, i).label);
    g_array_unref(tally->contexts);
    g_array_unref(tally->epochs);
    g_ptr_array_unref(tally->past);
    g_array_unref(tally->pages_of);
    g_array_unref(tally->multiples);
    if (tally->walk.image != NULL)
        pf_image_reader_clear(&tally->reader);
    pf_walk_clear(&tally->walk);
    g_free(tally->problem);
    g_free(tally);
}

static PfBacking backing_of(unsigned flags)
{
    if ((flags & PF_IMAGE_SHMEM) != 0)
        return PF_BACKING_SHMEM;
    return (flags & PF_IMAGE_FILE) != 0 ? PF_BACKING_FILE : PF_BACKING_ANON;
}

/* What page INDEX of LEAF holds, as a code of Past; a content comes with a reference. */
static uint32_t page_code(PfTally *tally, const PfLeaf *leaf, unsigned index)
{
    PfContent content;
    if ((leaf->flags[index] & PF_IMAGE_POPULATED) == 0)
        return WAS_EMPTY;
    if (!pf_image_content(tally->walk.image, &tally->reader, pf_leaf_slot(leaf, index), 0,
                          &content))
        return WAS_UNKNOWN;
    return WAS_CONTENT + content.index;
}

static void release(PfTally *tally, uint32_t code)
{
    if (code >= WAS_CONTENT)
        pf_content_unref(tally->walk.store, (PfContent){code - WAS_CONTENT});
}

static void count_context(PfTally *tally, uint32_t number, bool exits)
{
    PfImage *image = tally->walk.image;
    const PfImageContext *context = pf_image_context(image, number);
    if (tally->contexts->len <= number)
        g_array_set_size(tally->contexts, number + 1);
    PfTallyContext *counted = &g_array_index(tally->contexts, PfTallyContext, number);
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
            uint32_t code = page_code(tally, leaf, i);
            if (code == WAS_EMPTY)
                continue;
            counted->populated_pages[backing_of(leaf->flags[i])]++;
            counted->zero_pages += code == WAS_CONTENT + PF_CONTENT_OF_ZEROS.index;
            counted->unknown_pages += code == WAS_UNKNOWN;
            release(tally, code);
        }
    }
}

static Past *past_of(PfTally *tally, const PfLeaf *leaf)
{
    if (tally->past->len <= leaf->id)
        g_ptr_array_set_size(tally->past, (gint)leaf->id + 1);
    Past *past = g_ptr_array_index(tally->past, leaf->id);
    if (past == NULL)
        past = tally->past->pdata[leaf->id] = g_new0(Past, 1);
    if (past->context == leaf->context && past->number == leaf->number)
        return past;
    for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
        release(tally, past->codes[i]);
    *past = (Past){.context = leaf->context, .number = leaf->number};
    return past;
}

static void count_leaf(PfTally *tally, const PfLeaf *leaf, PfTallyEpoch *epoch)
{
    Past *past = past_of(tally, leaf);
    for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
        uint32_t code = page_code(tally, leaf, i);
        uint32_t before = past->codes[i];
        past->codes[i] = code;
        epoch->populated_pages += code != WAS_EMPTY;
        epoch->new_pages += code != WAS_EMPTY && before == WAS_EMPTY;
        epoch->changed_pages += code != WAS_EMPTY && before != WAS_EMPTY && code != before;
        release(tally, before);
        if (code < WAS_CONTENT)
            continue;
        uint32_t content = code - WAS_CONTENT;
        if (tally->pages_of->len <= content)
            g_array_set_size(tally->pages_of, MAX(content + 1, 2 * tally->pages_of->len));
        uint64_t *pages = &g_array_index(tally->pages_of, uint64_t, content);
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
static void list_multiples(PfTally *tally)
{
    g_array_set_size(tally->multiples, 0);
    g_array_sort(tally->pages_of, compare_numbers);
    PfTallyMultiple last = {.pages = 0};
    for (guint i = 0; i < tally->pages_of->len; i++) {
        uint64_t pages = g_array_index(tally->pages_of, uint64_t, i);
        if (pages != last.pages && last.pages != 0)
            g_array_append_val(tally->multiples, last);
        last.contents = pages == last.pages ? last.contents + 1 : 1;
        last.pages = pages;
    }
    if (last.pages != 0)
        g_array_append_val(tally->multiples, last);
}

/* LABEL NULL: the trace ends. */
static void count_epoch(PfTally *tally, const char *label)
{
    if (label != NULL && ++tally->marks > PF_TALLY_EPOCHS_MAX)
        return;
    PfTallyEpoch epoch = {
        .label = g_strdup(label), .records = tally->records, .time_ps = tally->time_ps};
    for (uint32_t c = 0; c < pf_image_context_count(tally->walk.image); c++)
        for (uint32_t l = 0; l < pf_image_leaf_count(tally->walk.image, c); l++)
            count_leaf(tally, pf_image_leaf_nth(tally->walk.image, c, l), &epoch);
    g_array_append_val(tally->epochs, epoch);
    if (epoch.populated_pages > 0) {
        tally->told = tally->epochs->len;
        list_multiples(tally);
    }
    g_array_set_size(tally->pages_of, 0);
}

static bool walk(PfTally *tally, const PfRecordBlock *block, uint32_t from, uint32_t to)
{
    uint32_t bad;
    g_autoptr(GError) error = NULL;
    if (!pf_walk_records(&tally->walk, block, from, to, &bad, &error))
        tally->problem = g_strdup_printf("record %" G_GUINT64_FORMAT ": %s",
                                          block->first_record + bad, error->message);
    return tally->problem == NULL;
}

void pf_tally_take(PfTally *tally, const PfRecordBlock *block)
{
    if (tally->problem != NULL)
        return;
    pf_image_add_contents(tally->walk.image, block);
    uint32_t from = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        const PfRecord *record = &block->records[i];
        tally->records = block->first_record + i;
        if (record->kind == PF_RECORD_TIME)
            tally->time_ps = MAX(tally->time_ps, record->count);
        if (record->kind != PF_RECORD_EXIT && record->kind != PF_RECORD_MARK)
            continue;
        uint32_t to = i + (record->kind == PF_RECORD_MARK);
        if (!walk(tally, block, from, to))
            return;
        from = to;
        if (record->kind == PF_RECORD_MARK)
            count_epoch(tally, record->detail->name);
        else
            count_context(tally, record->context, true);
    }
    if (from < block->count)
        walk(tally, block, from, block->count);
    tally->records = block->first_record + block->count;
}

void pf_tally_finish(PfTally *tally)
{
    if (tally->problem != NULL)
        return;
    for (uint32_t c = 0; c < pf_image_context_count(tally->walk.image); c++)
        if (pf_image_context(tally->walk.image, c)->alive)
            count_context(tally, c, false);
    count_epoch(tally, NULL);
}

const char *pf_tally_problem(const PfTally *tally)
{
    return tally->problem;
}

uint32_t pf_tally_context_count(const PfTally *tally)
{
    return tally->contexts->len;
}

const PfTallyContext *pf_tally_context(const PfTally *tally, uint32_t number)
{
    g_assert(number < tally->contexts->len);
    return &g_array_index(tally->contexts, PfTallyContext, number);
}

uint32_t pf_tally_epoch_count(const PfTally *tally)
{
    return tally->epochs->len;
}

const PfTallyEpoch *pf_tally_epoch(const PfTally *tally, uint32_t index)
{
    g_assert(index < tally->epochs->len);
    return &g_array_index(tally->epochs, PfTallyEpoch, index);
}

uint64_t pf_tally_marks_left_out(const PfTally *tally)
{
    return tally->marks - MIN(tally->marks, PF_TALLY_EPOCHS_MAX);
}

const PfTallyEpoch *pf_tally_told_epoch(const PfTally *tally)
{
    return tally->told == 0 ? NULL : pf_tally_epoch(tally, tally->told - 1);
}

uint32_t pf_tally_multiple_count(const PfTally *tally)
{
    return tally->multiples->len;
}

const PfTallyMultiple *pf_tally_multiple(const PfTally *tally, uint32_t index)
{
    g_assert(index < tally->multiples->len);
    return &g_array_index(tally->multiples, PfTallyMultiple, index);
}
