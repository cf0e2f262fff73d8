/* The frames of a trace's contexts, at an epoch: the memory image plays the trace, and what it
 * holds then is told. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "potential.h"
#include "trace_source.h"
#include "walk.h"

typedef struct {
    PfPotential *potential;
    const PfPotentialReading *how;
    PfTrace *trace;
    PfWalk walk;
    PfRecordBlock *block;
    GArray *exits; /* of PfRecord, that are obeyed when something follows */
    uint64_t marks;
    bool found; /* the epoch that was asked for */
    /* While frames are told. */
    PfImageReader reader;
    PfTable told; /* number of a frame -> PfPageKind */
    uint8_t *scratch;
} Playing;

/* Pages are numbered by 32 bits, with room for those that a part of records may add. */
static const uint64_t slots_max = (uint64_t)3 << 30;

/* The first record of [FROM, TO) that has more pages than there may be, else TO. */
static uint32_t find_vast(const PfRecordBlock *block, uint32_t from, uint32_t to)
{
    while (from < to) {
        const PfRecord *record = &block->records[from];
        bool by_page = pf_image_is_long(record) || record->kind == PF_RECORD_ALIAS ||
                       record->kind == PF_RECORD_ATTR;
        if (by_page && record->count > slots_max)
            break;
        from++;
    }
    return from;
}

/* Takes the records [FROM, TO) of the block. */
static bool take(Playing *playing, uint32_t from, uint32_t to, GError **error)
{
    uint32_t bad = find_vast(playing->block, from, to);
    if (bad < to || pf_image_slot_limit(playing->walk.image) > slots_max)
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "more pages than can be counted (3 x 2^30)");
    else if (pf_walk_records(&playing->walk, playing->block, from, to, &bad, error))
        return true;
    bad = MIN(bad, to - 1);
    g_autofree char *place = pf_trace_place(playing->trace, &playing->block->records[bad],
                                            playing->block->first_record + bad);
    g_prefix_error(error, "%s: ", place);
    return false;
}

/* One by one: there may be more than a block has room for. */
static bool take_exits(Playing *playing, GError **error)
{
    for (guint i = 0; i < playing->exits->len; i++) {
        PfRecordBlock exits = *playing->block;
        exits.records = &g_array_index(playing->exits, PfRecord, i);
        exits.count = 1;
        uint32_t bad;
        if (!pf_walk_records(&playing->walk, &exits, 0, 1, &bad, error))
            return false;
    }
    g_array_set_size(playing->exits, 0);
    return true;
}

/* What leaves memory as it is: the exits before it may still be the end of all. */
static bool is_idle(const PfRecord *record)
{
    static const bool idle[PF_RECORD_KINDS] = {
        [PF_RECORD_RUN] = true,  [PF_RECORD_IDLE] = true,    [PF_RECORD_TIME] = true,
        [PF_RECORD_SCAN] = true, [PF_RECORD_CONTROL] = true, [PF_RECORD_BEGIN] = true,
        [PF_RECORD_END] = true,  [PF_RECORD_GRAIN] = true,
    };
    return idle[record->kind];
}

/* Whether LABEL is the epoch's, which is the next mark. */
static bool is_epoch(Playing *playing, const char *label)
{
    g_autofree char *number = g_strdup_printf("%" PRIu64, playing->marks++);
    const char *wanted = playing->how->epoch;
    return wanted != NULL && (strcmp(wanted, label) == 0 || strcmp(wanted, number) == 0);
}

/* One past the records from FROM on that can be taken together: up to a mark or an exit. */
static uint32_t part_end(const PfRecordBlock *block, uint32_t from)
{
    uint32_t to = from;
    while (to < block->count && block->records[to].kind != PF_RECORD_EXIT)
        if (block->records[to++].kind == PF_RECORD_MARK)
            break;
    return to;
}

static bool play_part(Playing *playing, uint32_t from, uint32_t *ret_to, GError **error)
{
    const PfRecord *record = &playing->block->records[from];
    *ret_to = from + 1;
    if (record->kind == PF_RECORD_EXIT) {
        g_array_append_val(playing->exits, *record);
        return true;
    }
    if (playing->exits->len > 0 && is_idle(record))
        return true;
    *ret_to = part_end(playing->block, from);
    if (!take_exits(playing, error) || !take(playing, from, *ret_to, error))
        return false;
    const PfRecord *last = &playing->block->records[*ret_to - 1];
    playing->found = last->kind == PF_RECORD_MARK && is_epoch(playing, last->detail->name);
    return true;
}

static bool play(Playing *playing, GError **error)
{
    while (!playing->found) {
        PfTraceStatus status = pf_trace_read(playing->trace, playing->block, error);
        if (status != PF_TRACE_RECORDS)
            return status == PF_TRACE_END;
        pf_image_add_contents(playing->walk.image, playing->block);
        for (uint32_t from = 0; from < playing->block->count && !playing->found;)
            if (pf_potential_interrupted(playing->how, error) ||
                !play_part(playing, from, &from, error))
                return false;
        if (playing->how->progress != NULL)
            playing->how->progress(pf_trace_progress(playing->trace),
                                   pf_potential_frames(playing->potential), playing->how->user);
    }
    return true;
}

static bool check_epoch(const Playing *playing, const char *name, GError **error)
{
    const char *wanted = playing->how->epoch;
    if (wanted == NULL || playing->found)
        return true;
    if (playing->marks == 0)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--epoch %s: %s has no marks, and so one epoch only, its end", wanted, name);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--epoch %s: no mark of %s; give a label, or a number from 0 to %" PRIu64,
                    wanted, name, playing->marks - 1);
    return false;
}

static PfPageKind kind_of(const PfImageFrame *frame)
{
    if (frame->state != PF_BASE_FILE)
        return PF_PAGE_ANON;
    return frame->is_shmem ? PF_PAGE_SHMEM : PF_PAGE_FILE;
}

static bool tell_frame(Playing *playing, uint64_t address, const PfImageFrame *seen,
                       PfPageKind *ret_kind, GError **error)
{
    PfPotentialFrame frame = {.address = address, .mappings = 1, .kind = kind_of(seen)};
    PfContent content = PF_CONTENT_OF_ZEROS;
    bool is_known = !seen->is_untold && pf_image_content(playing->walk.image, &playing->reader,
                                                         seen->object, 0, &content);
    if (!is_known) {
        frame.known = PF_KNOWN_NOT;
        frame.number = pf_image_unknown(playing->walk.image, seen->object);
    } else if (!pf_content_has_bytes(playing->walk.store, content)) {
        frame.known = PF_KNOWN_IDENTITY;
        frame.number = pf_content_hash(playing->walk.store, content);
    } else {
        frame.bytes = pf_content_bytes(playing->walk.store, content, playing->scratch);
    }
    bool added = pf_potential_add(playing->potential, &frame, ret_kind, error);
    if (is_known)
        pf_content_unref(playing->walk.store, content);
    return added;
}

static bool tell_leaf(Playing *playing, const PfLeaf *leaf, GError **error)
{
    unsigned shift = pf_image_page_shift(playing->walk.image);
    for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
        PfImageFrame frame;
        if (!pf_image_frame(playing->walk.image, pf_leaf_slot(leaf, i), &frame))
            continue;
        uint64_t told;
        if (pf_table_find(&playing->told, frame.number, &told)) {
            pf_potential_map_again(playing->potential, (PfPageKind)told);
            continue;
        }
        PfPageKind kind;
        uint64_t address = pf_leaf_page(leaf, i).number << shift;
        if (!tell_frame(playing, address, &frame, &kind, error))
            return false;
        pf_table_insert(&playing->told, frame.number, kind);
    }
    return !pf_potential_interrupted(playing->how, error);
}

static bool tell_contexts(Playing *playing, const char *prefix, GError **error)
{
    for (uint32_t i = 0; i < pf_image_context_count(playing->walk.image); i++) {
        const PfImageContext *context = pf_image_context(playing->walk.image, i);
        if (!context->alive)
            continue;
        g_autofree char *name = g_strconcat(prefix, context->name, NULL);
        pf_potential_context(playing->potential, name);
        const PfLeaf *leaf = pf_image_leaf_from(playing->walk.image, i, (PfCpn){0});
        while (leaf != NULL) {
            if (!tell_leaf(playing, leaf, error))
                return false;
            PfCpn next = {pf_leaf_page(leaf, 0).number + PF_LEAF_PAGES};
            leaf = pf_image_leaf_from(playing->walk.image, i, next);
        }
    }
    return true;
}

/* What the user should know of the trace called NAME. */
static void warn(const Playing *playing, const char *name)
{
    const PfPotentialReading *how = playing->how;
    if (how->warn == NULL)
        return;
    const char *damage = pf_trace_damage(playing->trace);
    g_autofree char *salvaged = g_strdup_printf("salvaged: %s", damage != NULL ? damage : "");
    if (damage != NULL)
        how->warn(salvaged, how->user);
    uint32_t contexts = pf_image_context_count(playing->walk.image);
    uint32_t left = 0;
    for (uint32_t i = 0; i < contexts; i++)
        left += pf_image_context(playing->walk.image, i)->alive;
    if (contexts == 0 || left > 0)
        return;
    g_autofree char *empty = g_strdup_printf(
        "%s: all contexts have exited by then, so nothing is counted; --epoch MARK counts at a "
        "mark before (`pagefold trace info` lists them)",
        name);
    how->warn(empty, how->user);
}

bool pf_potential_read_trace(PfPotential *potential, PfInput *input, const char *prefix,
                             const PfPotentialReading *how, GError **error)
{
    g_autofree char *name = g_strdup(pf_input_name(input));
    PfTraceOptions options = {.salvage = how->salvage};
    g_autoptr(PfTrace) trace = pf_trace_open_input(input, &options, error);
    if (trace == NULL)
        return false;
    uint32_t page_bytes = pf_trace_header(trace)->page_bytes;
    if (!pf_potential_begin(potential, page_bytes, error)) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    g_autoptr(GArray) exits = g_array_new(FALSE, FALSE, sizeof(PfRecord));
    g_autofree uint8_t *scratch = g_malloc(page_bytes);
    Playing playing = {.potential = potential,
                       .how = how,
                       .trace = trace,
                       .block = block,
                       .exits = exits,
                       .scratch = scratch};
    pf_walk_init(&playing.walk, page_bytes);
    pf_image_reader_init(&playing.reader, playing.walk.image);
    pf_table_init(&playing.told);
    bool done = play(&playing, error) && check_epoch(&playing, name, error) &&
                tell_contexts(&playing, prefix, error);
    if (done)
        warn(&playing, name);
    pf_table_clear(&playing.told);
    pf_image_reader_clear(&playing.reader);
    pf_walk_clear(&playing.walk);
    return done;
}
