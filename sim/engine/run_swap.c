/* Frames that go to the swap device when there is none free, and come back when a page wants them.
 * Who faults waits for both. */
#include "host_classes.h"
#include "run.h"

struct PfRunSwap {
    PfRun *run;
    PfSwapDevice *device;
    GArray *slots; /* of PfSlot: the pages in hand */
    uint64_t outs;
    uint64_t ins;
    uint64_t writes_skipped;
    uint64_t wait_cycles;
};

static PfStatValue read_pages(const void *user)
{
    const PfRun *run = user;
    return pf_stat_uint(run->memory.swap != NULL ? run->memory.swap->pages : 0);
}

static PfStatValue read_frames(const void *user)
{
    return pf_stat_uint(((const PfRun *)user)->memory.frames.out_frames);
}

void run_open_swap(PfRun *run)
{
    struct PfRunSwap *swap = g_new0(struct PfRunSwap, 1);
    run->swap = swap;
    swap->slots = g_array_new(FALSE, FALSE, sizeof(PfSlot));
    swap->device =
        pf_swap_device_new(&run->machine_config->swap, run->machine_config->clock_hz);
    if (run->machine_config->on_full == PF_ON_FULL_SWAP &&
        run->memory.frames.rules.nodes.is_limited)
        pf_swap_open(&run->memory);
    PfStatsGroup *memory = pf_stats_group(run->stats, "memory");
    pf_stats_level(memory, "swapped_pages", "pages",
                   "Pages that are swapped out; those populated count as such still.", read_pages,
                   run);
    pf_stats_level(memory, "swapped_frames", "frames",
                   "Frames' worth of bytes that are swapped out: pages that shared one are one.",
                   read_frames, run);
    PfStatsGroup *group = pf_stats_group(run->stats, "swap");
    pf_stats_counter(group, "outs", "events", "Frames swapped out.", &swap->outs);
    pf_stats_counter(group, "ins", "events", "Frames read back.", &swap->ins);
    pf_stats_counter(group, "writes_skipped", "events",
                     "Frames swapped out that their file has unchanged: nothing was written.",
                     &swap->writes_skipped);
    pf_stats_counter(group, "wait_cycles", "cycles",
                     "Cycles that contexts waited for the swap device.", &swap->wait_cycles);
}

void run_close_swap(PfRun *run)
{
    if (run->swap == NULL)
        return;
    pf_swap_device_free(run->swap->device);
    g_array_unref(run->swap->slots);
    g_clear_pointer(&run->swap, g_free);
}

/* PLACE waits for a page to be moved; NULL: that is nobody's work and takes no time. */
static void wait_for_device(PfRun *run, const PfPlace *place)
{
    if (place == NULL)
        return;
    uint64_t now = place->core->now_cycles;
    uint64_t cycles =
        pf_swap_device_request(run->swap->device, now, run->work.page_bytes) - now;
    pf_work_charge(&run->work, place, PF_ACCOUNT_SWAP, cycles);
    run->swap->wait_cycles += cycles;
}

static PfPage page_of(const PfRun *run, PfSlot slot)
{
    const PfLeaf *leaf = pf_image_leaf_of(run->image, slot);
    return (PfPage){leaf->context, pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES)};
}

/* The translations of PAGE are no good any more. */
static void forget(PfRun *run, const PfPlace *place, PfPage page)
{
    PfShootdown what = run_translations(run, page);
    PfMmu *mmu = &run->machine->mmu;
    if (place == NULL) {
        pf_shootdown_free(mmu, &what);
        return;
    }
    pf_shadow_change(mmu, &run->work, place, PF_ACCOUNT_FAULT, page.context, 1);
    pf_shootdown(mmu, &run->work, place, &what);
}

bool run_make_room(PfRun *run, const PfPlace *place, PfSlot slot, PfSlot object)
{
    PfMemory *memory = &run->memory;
    if (memory->swap == NULL)
        return false;
    bool is_bound = memory->frames.rules.placement == PF_PLACEMENT_BIND;
    PfSwapWish wish = {.kept = {slot, object, run->kept_slot},
                       .node = is_bound ? (int)pf_memory_home(memory, slot) : -1};
    PfMpn victim;
    if (!pf_swap_choose(memory, &wish, &victim))
        return false;
    struct PfRunSwap *swap = run->swap;
    bool is_clean = pf_swap_is_clean(memory, victim);
    g_array_set_size(swap->slots, 0);
    pf_swap_pages(memory, victim, swap->slots);
    for (unsigned i = 0; i < swap->slots->len; i++)
        pf_host_page_unmapped(run->host, page_of(run, g_array_index(swap->slots, PfSlot, i)));
    pf_swap_out(memory, victim);
    memory->changes++;
    for (unsigned i = 0; i < swap->slots->len; i++)
        forget(run, place, page_of(run, g_array_index(swap->slots, PfSlot, i)));
    swap->outs++;
    swap->writes_skipped += is_clean;
    if (!is_clean)
        wait_for_device(run, place);
    return true;
}

/* What OBJECT, SLOT itself or the page of its file, has swapped out comes back. */
static bool swap_in(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object)
{
    PfMemory *memory = &run->memory;
    struct PfRunSwap *swap = run->swap;
    PfMpn frame;
    bool done = pf_swap_in(memory, slot, object, &frame) ||
                (pf_host_memory_low(run->host, page) &&
                 pf_swap_in(memory, slot, object, &frame));
    while (!done && run_make_room(run, place, slot, object))
        done = pf_swap_in(memory, slot, object, &frame);
    if (!done) {
        run_out_of_memory(run, page);
        return false;
    }
    run_check_fresh(run, frame);
    memory->changes++;
    swap->ins++;
    if (place != NULL)
        pf_work_charge(&run->work, place, PF_ACCOUNT_FAULT, run->work.costs->trap_cycles);
    wait_for_device(run, place);
    g_array_set_size(swap->slots, 0);
    pf_swap_pages(memory, frame, swap->slots);
    bool is_file = (pf_frame_at(&memory->frames, frame)->count & PF_FRAME_FILE) != 0;
    for (unsigned i = 0; i < swap->slots->len; i++) {
        PfPage mapped = page_of(run, g_array_index(swap->slots, PfSlot, i));
        if (i > 0 && !is_file)
            pf_host_page_aliased(run->host, page_of(run, g_array_index(swap->slots, PfSlot, 0)),
                                 mapped);
        pf_host_page_mapped(run->host, mapped);
    }
    return true;
}

bool run_fetch(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object)
{
    return !pf_swap_is_out(&run->memory, object) || swap_in(run, place, page, slot, object);
}
