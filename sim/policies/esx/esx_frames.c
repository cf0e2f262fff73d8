#include "esx_frames.h"

/* Pages are indexed by chunks of CHUNK_PAGES neighbours, so that dense spaces take little. */
enum { CHUNK_SHIFT = 6, CHUNK_PAGES = 1 << CHUNK_SHIFT };

typedef struct {
    uint32_t frame[CHUNK_PAGES]; /* unused chunk: frame[0] is the next unused one */
} Chunk;

static PfEsxFrame *frame_at(const PfEsxFrames *frames, uint32_t number)
{
    g_assert(number > 0 && number <= frames->top);
    return pf_seg_array_at(&frames->frames, number);
}

/* Frame 0 is the zero page, and pinned frames may outlive their pages: there can be a few more
 * numbers than the machine was thought to need. */
static uint32_t *slot_of_mpn(PfEsxFrames *frames, PfMpn mpn)
{
    if (mpn.number >= frames->by_mpn.count)
        pf_seg_array_reserve(&frames->by_mpn, (uint64_t)mpn.number + 1);
    return pf_seg_array_at(&frames->by_mpn, mpn.number);
}

/* Where the frame of PAGE is kept; NULL if its chunk does not exist. */
static uint32_t *slot_of_page(const PfEsxFrames *frames, PfPage page)
{
    if (page.context >= frames->contexts->len)
        return NULL;
    const PfTable *table = &g_array_index(frames->contexts, PfTable, page.context);
    uint64_t number;
    if (!pf_table_find(table, page.cpn.number >> CHUNK_SHIFT, &number))
        return NULL;
    Chunk *chunk = pf_seg_array_at(&frames->chunks, (uint32_t)number);
    return &chunk->frame[page.cpn.number & (CHUNK_PAGES - 1)];
}

static void add_chunk(PfEsxFrames *frames, PfPage page)
{
    if (page.context >= frames->contexts->len)
        g_array_set_size(frames->contexts, page.context + 1);
    uint32_t number = frames->first_unused_chunk;
    if (number == 0) {
        g_assert(frames->top_chunk < UINT32_MAX);
        number = ++frames->top_chunk;
        pf_seg_array_reserve(&frames->chunks, (uint64_t)number + 1);
    }
    Chunk *chunk = pf_seg_array_at(&frames->chunks, number);
    frames->first_unused_chunk = chunk->frame[0];
    chunk->frame[0] = 0;
    PfTable *table = &g_array_index(frames->contexts, PfTable, page.context);
    pf_table_insert(table, page.cpn.number >> CHUNK_SHIFT, number);
}

static void set_frame_of_page(PfEsxFrames *frames, PfPage page, uint32_t frame)
{
    if (slot_of_page(frames, page) == NULL)
        add_chunk(frames, page);
    uint32_t *slot = slot_of_page(frames, page);
    g_assert(*slot == 0);
    *slot = frame;
}

static void clear_frame_of_page(PfEsxFrames *frames, PfPage page)
{
    *slot_of_page(frames, page) = 0;
    PfTable *table = &g_array_index(frames->contexts, PfTable, page.context);
    uint64_t number;
    bool found = pf_table_find(table, page.cpn.number >> CHUNK_SHIFT, &number);
    g_assert(found);
    Chunk *chunk = pf_seg_array_at(&frames->chunks, (uint32_t)number);
    for (unsigned i = 0; i < CHUNK_PAGES; i++)
        if (chunk->frame[i] != 0)
            return;
    pf_table_remove(table, page.cpn.number >> CHUNK_SHIFT);
    chunk->frame[0] = frames->first_unused_chunk;
    frames->first_unused_chunk = (uint32_t)number;
}

static void clear_table(void *table)
{
    pf_table_clear(table);
}

void pf_esx_frames_init(PfEsxFrames *frames, uint64_t capacity)
{
    *frames = (PfEsxFrames){.top = 0};
    pf_seg_array_init(&frames->frames, sizeof(PfEsxFrame));
    pf_seg_array_init(&frames->by_mpn, sizeof(uint32_t));
    pf_seg_array_reserve(&frames->by_mpn, capacity);
    pf_seg_array_init(&frames->chunks, sizeof(Chunk));
    frames->contexts = g_array_new(FALSE, TRUE, sizeof(PfTable));
    g_array_set_clear_func(frames->contexts, clear_table);
}

void pf_esx_frames_clear(PfEsxFrames *frames)
{
    pf_seg_array_clear(&frames->frames);
    pf_seg_array_clear(&frames->by_mpn);
    pf_seg_array_clear(&frames->chunks);
    g_array_free(frames->contexts, TRUE);
}

const PfEsxFrame *pf_esx_frame(const PfEsxFrames *frames, uint32_t number)
{
    return frame_at(frames, number);
}

uint32_t pf_esx_frames_of_page(const PfEsxFrames *frames, PfPage page)
{
    const uint32_t *slot = slot_of_page(frames, page);
    return slot == NULL ? 0 : *slot;
}

uint32_t pf_esx_frames_of_mpn(const PfEsxFrames *frames, PfMpn mpn)
{
    if (mpn.number >= frames->by_mpn.count)
        return 0;
    const uint32_t *slot = pf_seg_array_at(&frames->by_mpn, mpn.number);
    return *slot;
}

uint32_t pf_esx_frames_add_hint(PfEsxFrames *frames, uint64_t key, PfPage page)
{
    uint32_t number = frames->first_unused;
    if (number != 0) {
        frames->first_unused = (uint32_t)frame_at(frames, number)->number;
    } else {
        g_assert(frames->top < UINT32_MAX);
        number = ++frames->top;
        pf_seg_array_reserve(&frames->frames, (uint64_t)number + 1);
    }
    *frame_at(frames, number) =
        (PfEsxFrame){.key = key, .number = page.cpn.number, .context = page.context};
    set_frame_of_page(frames, page, number);
    frames->hint_count++;
    return number;
}

void pf_esx_frames_share(PfEsxFrames *frames, uint32_t number, PfMpn mpn)
{
    PfEsxFrame *frame = frame_at(frames, number);
    g_assert(pf_esx_frame_is_hint(frame));
    uint32_t *slot = slot_of_mpn(frames, mpn);
    g_assert(*slot == 0);
    *slot = number;
    frame->number = mpn.number;
    frame->context = PF_ESX_LISTED;
    frame->references = 1;
    frames->hint_count--;
    frames->shared_count++;
    frames->single_count++;
    frames->page_count++;
}

void pf_esx_frames_join(PfEsxFrames *frames, uint32_t number, PfPage page)
{
    PfEsxFrame *frame = frame_at(frames, number);
    g_assert(pf_esx_frame_is_shared(frame));
    set_frame_of_page(frames, page, number);
    frame->references++;
    frames->page_count++;
    frames->single_count -= frame->references == 2;
    frames->overflow_count += frame->references == PF_ESX_COUNT_MAX + 1;
}

/* An unused frame has no count and lies in the list. */
static void discard(PfEsxFrames *frames, uint32_t number)
{
    *frame_at(frames, number) = (PfEsxFrame){.number = frames->first_unused};
    frames->first_unused = number;
}

uint32_t pf_esx_frames_leave(PfEsxFrames *frames, PfPage page)
{
    uint32_t number = pf_esx_frames_of_page(frames, page);
    PfEsxFrame *frame = frame_at(frames, number);
    clear_frame_of_page(frames, page);
    if (pf_esx_frame_is_hint(frame)) {
        frames->hint_count--;
        discard(frames, number);
        return 0;
    }
    uint32_t left = --frame->references;
    if (frame->context == PF_ESX_DROPPED) {
        g_assert(left == 0);
        discard(frames, number);
        return 0;
    }
    frames->page_count--;
    frames->single_count += left == 1;
    frames->overflow_count -= left == PF_ESX_COUNT_MAX;
    if (left == 0) {
        frames->single_count--;
        frames->shared_count--;
        *slot_of_mpn(frames, pf_esx_frame_mpn(frame)) = 0;
        discard(frames, number);
    }
    return left;
}

void pf_esx_frames_drop(PfEsxFrames *frames, uint32_t number)
{
    PfEsxFrame *frame = frame_at(frames, number);
    g_assert(pf_esx_frame_is_shared(frame));
    g_assert(frame->references == 1);
    *slot_of_mpn(frames, pf_esx_frame_mpn(frame)) = 0;
    frame->context = PF_ESX_DROPPED;
    frames->page_count--;
    frames->single_count--;
    frames->shared_count--;
}

void pf_esx_frames_move(PfEsxFrames *frames, PfPage from, PfPage to)
{
    uint32_t number = pf_esx_frames_of_page(frames, from);
    if (number == 0)
        return;
    clear_frame_of_page(frames, from);
    set_frame_of_page(frames, to, number);
    PfEsxFrame *frame = frame_at(frames, number);
    if (!pf_esx_frame_is_hint(frame))
        return;
    frame->number = to.cpn.number;
    frame->context = to.context;
}

/* Counts, in SEEN, the pages of each frame that HOST knows; asserts that each maps its frame. */
static void count_pages(const PfEsxFrames *frames, const PfHost *host, uint32_t *seen)
{
    PfPage page = {0, {0}};
    while (pf_host_cursor_next(host, page, &page)) {
        uint32_t number = pf_esx_frames_of_page(frames, page);
        if (number != 0) {
            const PfEsxFrame *frame = frame_at(frames, number);
            PfMpn mpn;
            bool is_present = pf_host_frame(host, page, &mpn);
            g_assert(is_present);
            if (pf_esx_frame_is_hint(frame))
                g_assert(pf_page_equal(pf_esx_frame_page(frame), page));
            else
                g_assert(pf_mpn_equal(pf_esx_frame_mpn(frame), mpn));
            seen[number]++;
        }
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
}

void pf_esx_frames_check(const PfEsxFrames *frames, const PfHost *host)
{
    g_autofree uint32_t *seen = g_new0(uint32_t, (gsize)frames->top + 1);
    count_pages(frames, host, seen);
    uint64_t hints = 0;
    uint64_t shared = 0;
    uint64_t pages = 0;
    uint64_t singles = 0;
    uint64_t overflows = 0;
    for (uint32_t i = 1; i <= frames->top; i++) {
        const PfEsxFrame *frame = frame_at(frames, i);
        if (pf_esx_frame_is_hint(frame)) {
            g_assert(seen[i] <= 1);
            hints += seen[i];
            continue;
        }
        g_assert(seen[i] == frame->references);
        g_assert(pf_host_frame_refs(host, pf_esx_frame_mpn(frame)) >= frame->references);
        if (!pf_esx_frame_is_shared(frame))
            continue;
        g_assert(pf_esx_frames_of_mpn(frames, pf_esx_frame_mpn(frame)) == i);
        shared++;
        pages += frame->references;
        singles += frame->references == 1;
        overflows += frame->references > PF_ESX_COUNT_MAX;
    }
    g_assert(hints == frames->hint_count);
    g_assert(shared == frames->shared_count);
    g_assert(pages == frames->page_count);
    g_assert(singles == frames->single_count);
    g_assert(overflows == frames->overflow_count);
}
