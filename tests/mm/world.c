#include "world.h"

#include <CUnit/CUnit.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

World *world_new(uint32_t page_bytes, uint64_t capacity_frames, PfScope scope)
{
    World *world = g_new0(World, 1);
    world->page_bytes = page_bytes;
    world->store = pf_content_store_new(page_bytes);
    world->image = pf_image_new(world->store, page_bytes);
    PfFrameRules rules = pf_frame_rules_plain(1, capacity_frames);
    PfFrameRules unlimited = pf_frame_rules_plain(1, 0);
    pf_memory_init(&world->memory, world->image, &rules, scope, &world->now_cycles);
    pf_memory_init(&world->plain, world->image, &unlimited, scope, &world->now_cycles);
    world->text = g_string_new("pagefold-trace 1\n");
    g_string_append_printf(world->text, "page %u\n", page_bytes);
    world->traces = g_ptr_array_new_with_free_func((GDestroyNotify)pf_trace_free);
    return world;
}

void world_free(World *world)
{
    pf_memory_clear(&world->memory);
    pf_memory_clear(&world->plain);
    pf_image_free(world->image);
    pf_content_store_free(world->store);
    g_ptr_array_unref(world->traces);
    g_string_free(world->text, TRUE);
    g_free(world->error);
    g_free(world);
}

/* ---- one record in one run ---- */

typedef struct {
    World *world;
    PfMemory *memory;
    const PfRecord *record;
    uint32_t number;
    WorldWatcher watch;
    void *user;
} Step;

static void saw(const Step *step, PfFault fault, bool was_merged)
{
    if (step->memory != &step->world->memory)
        return;
    step->world->fault = fault;
    step->world->was_merged = was_merged;
}

static void watch(const Step *step)
{
    if (step->watch != NULL && step->memory == &step->world->memory)
        step->watch(step->world, step->user);
}

static uint64_t page_of(const Step *step, uint64_t address)
{
    return address / step->world->page_bytes;
}

static void store(const Step *step, PfSlot slot, uint32_t object)
{
    PfStoreOutcome outcome = pf_memory_store(step->memory, slot, (PfSlot){object});
    saw(step, outcome.fault, outcome.was_merged);
}

static void play_access(const Step *step)
{
    const PfNote *note = &pf_image_notes(step->world->image)[step->number];
    const PfEvent *events = pf_image_events(step->world->image);
    bool two = note->second_slot != PF_NO_SLOT;
    if (step->record->kind != PF_RECORD_WRITE) {
        saw(step, pf_memory_read(step->memory, (PfSlot){note->slot}), false);
        if (two)
            saw(step, pf_memory_read(step->memory, (PfSlot){note->second_slot}), false);
        return;
    }
    uint32_t last = note->events_end - 1;
    uint32_t first = last;
    while (two && (events[first].part != 0 || events[first].kind == PF_EVENT_PRIVATE))
        first--;
    store(step, (PfSlot){note->slot}, events[first].object);
    if (two)
        store(step, (PfSlot){note->second_slot}, events[last].object);
}

static void play_pages(const Step *step)
{
    uint32_t end = pf_image_notes(step->world->image)[step->number].events_end;
    uint32_t event = end - (uint32_t)step->record->count;
    for (uint64_t i = 0; i < step->record->count; i++, event++) {
        uint64_t page = page_of(step, step->record->address) + i;
        PfSlot slot = world_slot(step->world, step->record->context, page);
        const PfEvent *change = &pf_image_events(step->world->image)[event];
        bool is_state = step->record->kind == PF_RECORD_STATE;
        if (!is_state || change->kind != PF_EVENT_SAME)
            store(step, slot, change->object);
        step->memory->position = event + 1;
        watch(step);
    }
}

typedef void (*SlotAct)(const Step *step, PfCpn page, PfSlot slot);

static void visit(const Step *step, uint64_t first, uint64_t end, SlotAct act)
{
    const PfLeaf *leaf =
        pf_image_leaf_from(step->world->image, step->record->context, (PfCpn){first});
    while (leaf != NULL && pf_leaf_page(leaf, 0).number < end) {
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
            PfCpn page = pf_leaf_page(leaf, i);
            if (page.number >= first && page.number < end)
                act(step, page, pf_leaf_slot(leaf, i));
        }
        PfCpn next = pf_cpn_plus(pf_leaf_page(leaf, 0), PF_LEAF_PAGES);
        leaf = pf_image_leaf_from(step->world->image, step->record->context, next);
    }
}

static void unmap_slot(const Step *step, PfCpn page, PfSlot slot)
{
    (void)page;
    pf_memory_unmap(step->memory, slot);
}

static void fork_slot(const Step *step, PfCpn page, PfSlot slot)
{
    PfSlot child;
    if (pf_image_slot(step->world->image, step->record->detail->other_context, page, &child))
        pf_memory_share(step->memory, slot, child);
}

static void move_slot(const Step *step, PfCpn page, PfSlot slot)
{
    uint64_t target = page.number - page_of(step, step->record->address) +
                      page_of(step, step->record->detail->other_address);
    PfSlot there;
    if (pf_memory_entry(step->memory, slot)->flags != 0 &&
        pf_image_slot(step->world->image, step->record->context, (PfCpn){target}, &there))
        pf_memory_move(step->memory, slot, there);
}

static void update_slot(const Step *step, PfCpn page, PfSlot slot)
{
    (void)page;
    pf_memory_update_eligible(step->memory, slot);
}

static void alias_pages(const Step *step)
{
    for (uint64_t i = 0; i < step->record->count; i++) {
        PfSlot source;
        PfSlot target;
        const PfTraceDetail *detail = step->record->detail;
        PfCpn from = {page_of(step, detail->other_address) + i};
        PfCpn to = {page_of(step, step->record->address) + i};
        if (detail->other_context == step->record->context && pf_cpn_equal(from, to))
            continue;
        if (!pf_image_slot(step->world->image, detail->other_context, from, &source) ||
            !pf_image_slot(step->world->image, step->record->context, to, &target))
            continue;
        pf_memory_unmap(step->memory, target);
        pf_memory_share(step->memory, source, target);
    }
}

static void attribute_pages(const Step *step)
{
    for (uint64_t i = 0; i < step->record->count; i++) {
        PfSlot slot;
        PfCpn page = {page_of(step, step->record->address) + i};
        if (!pf_image_slot(step->world->image, step->record->context, page, &slot))
            continue;
        bool mapped = (pf_image_flags(step->world->image, slot) & PF_IMAGE_MAPPED) != 0;
        if (step->record->choice == PF_ATTRIBUTE_PINNED && mapped)
            saw(step, pf_memory_pin(step->memory, slot), false);
        else if (step->record->choice == PF_ATTRIBUTE_UNPINNED)
            pf_memory_unpin(step->memory, slot);
    }
}

static void play_record(const Step *step)
{
    uint64_t first = page_of(step, step->record->address);
    uint64_t end = first + step->record->count;
    switch ((unsigned)step->record->kind) {
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_FETCH:
        play_access(step);
        break;
    case PF_RECORD_TOUCH:
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_INIT:
    case PF_RECORD_DMA:
        play_pages(step);
        break;
    case PF_RECORD_MAP:
    case PF_RECORD_UNMAP:
        visit(step, first, end, unmap_slot);
        break;
    case PF_RECORD_EXIT:
        pf_memory_unpin_all(step->memory, step->record->context);
        visit(step, 0, UINT64_MAX, unmap_slot);
        break;
    case PF_RECORD_ALIAS:
        alias_pages(step);
        break;
    case PF_RECORD_FORK:
        visit(step, 0, UINT64_MAX, fork_slot);
        break;
    case PF_RECORD_REMAP: {
        uint64_t target = page_of(step, step->record->detail->other_address);
        visit(step, target, target + step->record->count, unmap_slot);
        visit(step, first, end, move_slot);
        break;
    }
    case PF_RECORD_ADVISE:
        visit(step, first, end,
              step->record->choice == PF_ADVICE_DONTNEED ? unmap_slot : update_slot);
        break;
    case PF_RECORD_ATTR:
        attribute_pages(step);
        break;
    default:
        break;
    }
}

static void play_run(World *world, PfMemory *memory, const PfRecordBlock *block, uint32_t from,
                     uint32_t to, WorldWatcher watcher, void *user)
{
    pf_memory_sync(memory);
    memory->position = 0;
    for (uint32_t i = from; i < to; i++) {
        Step step = {world, memory, &block->records[i], i, watcher, user};
        play_record(&step);
        memory->position = pf_image_notes(world->image)[i].events_end;
        if (!world->unchecked)
            pf_memory_check(memory);
        watch(&step);
    }
}

static bool play_block(World *world, const PfRecordBlock *block, WorldWatcher watcher, void *user)
{
    pf_image_add_contents(world->image, block);
    uint32_t from = 0;
    while (from < block->count) {
        g_autoptr(GError) error = NULL;
        uint32_t to;
        bool structural;
        if (!pf_image_prepare(world->image, block, from, &to, &structural, &error)) {
            world->error = g_strdup(error->message);
            world->bad_record = to;
            return false;
        }
        CU_ASSERT_EQUAL(structural,
                        pf_image_is_structural((PfRecordKind)block->records[from].kind));
        play_run(world, &world->memory, block, from, to, watcher, user);
        play_run(world, &world->plain, block, from, to, NULL, NULL);
        pf_image_commit(world->image);
        if (!world->unchecked)
            world_check(world);
        from = to;
    }
    return true;
}

bool world_play_watched(World *world, const char *lines, WorldWatcher watcher, void *user)
{
    g_assert(world->error == NULL);
    g_string_append(world->text, lines);
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("pagefold-world-XXXXXX.trace", &path, NULL);
    g_assert(file >= 0);
    close(file);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, world->text->str, (gssize)world->text->len, &error);
    g_assert_no_error(error);
    PfTrace *trace = pf_trace_open(path, NULL, &error);
    g_assert_no_error(error);
    g_ptr_array_add(world->traces, trace);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status = pf_trace_read(trace, block, &error);
    g_assert_no_error(error);
    g_assert(status == PF_TRACE_RECORDS && block->first_content == 0);
    g_unlink(path);
    /* The text is read anew each time: what was played before is left out. */
    g_autoptr(GArray) contents = g_array_new(FALSE, FALSE, sizeof(PfContentSpec));
    g_array_append_vals(contents, (PfContentSpec *)(void *)block->contents->data + world->contents,
                        block->contents->len - world->contents);
    PfRecordBlock rest = *block;
    rest.contents = contents;
    rest.first_content = world->contents;
    rest.records = block->records + world->played;
    rest.count = block->count - world->played;
    world->contents = block->contents->len;
    world->played = block->count;
    return play_block(world, &rest, watcher, user);
}

bool world_play(World *world, const char *lines)
{
    return world_play_watched(world, lines, NULL, NULL);
}

/* ---- looking ---- */

PfSlot world_slot(const World *world, uint32_t context, uint64_t page)
{
    PfSlot slot = {PF_NO_SLOT};
    bool found = pf_image_slot(world->image, context, (PfCpn){page}, &slot);
    CU_ASSERT_TRUE_FATAL(found);
    return slot;
}

unsigned world_entry(const World *world, uint32_t context, uint64_t page)
{
    return pf_memory_entry(&world->memory, world_slot(world, context, page))->flags;
}

uint32_t world_frame(const World *world, uint32_t context, uint64_t page)
{
    const PfEntry *entry = pf_memory_entry(&world->memory, world_slot(world, context, page));
    return (entry->flags & PF_ENTRY_PRESENT) != 0 ? entry->mpn : UINT32_MAX;
}

static PfContentSpec spec_of(const char *text)
{
    if (g_str_equal(text, "zero"))
        return (PfContentSpec){.form = PF_CONTENT_ZERO};
    if (g_str_equal(text, "ones"))
        return (PfContentSpec){.form = PF_CONTENT_ONES};
    if (g_str_has_prefix(text, "id:"))
        return (PfContentSpec){.form = PF_CONTENT_ID,
                               .number = g_ascii_strtoull(text + 3, NULL, 10)};
    if (g_str_has_prefix(text, "hash:"))
        return (PfContentSpec){.form = PF_CONTENT_HASH,
                               .number = g_ascii_strtoull(text + 5, NULL, 0)};
    return (PfContentSpec){.form = PF_CONTENT_BYTES,
                           .bytes = (const uint8_t *)text,
                           .length = (uint32_t)strlen(text)};
}

bool world_holds(World *world, uint32_t context, uint64_t page, const char *spec)
{
    PfContentSpec parsed = spec_of(spec);
    PfContent wanted = pf_content_intern_spec(world->store, &parsed);
    PfSlot slot = world_slot(world, context, page);
    PfContent held;
    bool equal = false;
    if (pf_image_content(world->image, &world->memory.reader, slot, world->memory.position,
                         &held)) {
        equal = pf_content_equal(held, wanted);
        pf_content_unref(world->store, held);
    }
    pf_content_unref(world->store, wanted);
    return equal && pf_memory_verify_page(&world->memory, slot);
}

static void check_run(World *world, PfMemory *memory)
{
    memory->position = 0;
    pf_memory_check(memory);
    uint32_t contexts = pf_image_context_count(world->image);
    for (uint32_t slot = 0; slot < memory->entry_limit; slot++) {
        /* Pages of files by themselves belong to no context. */
        if (pf_image_leaf_of(world->image, (PfSlot){slot})->context < contexts)
            CU_ASSERT_TRUE(pf_memory_verify_page(memory, (PfSlot){slot}));
    }
    CU_ASSERT_EQUAL(memory->populated_pages, pf_image_populated_pages(world->image));
}

void world_check(World *world)
{
    pf_image_check(world->image);
    check_run(world, &world->memory);
    check_run(world, &world->plain);
    CU_ASSERT_EQUAL(world->plain.frames.used_frames, pf_image_baseline_frames(world->image));
}
