#include "costs.h"

#define COST(member, text)                                                                         \
    {                                                                                              \
        .key = #member, .type = PF_CONFIG_UINT, .offset = offsetof(PfCosts, member##_cycles),      \
        .max = 1000000000, .unit = "cycles", .description = text                                   \
    }

const PfConfigField pf_costs_fields[PF_COSTS_FIELDS] = {
    COST(trap, "A fault's way into the kernel and back; all that re-use of a frame costs."),
    COST(allocate, "Allocating a frame for a fault, beside trap and bytes."),
    COST(map_zero, "Mapping the zero page at a read, beside the trap."),
    COST(map_file, "Mapping a page of the page cache, beside the trap."),
    COST(fork_page, "Fork, for each page of the parent."),
    COST(unmap_page, "Unmapping, for each page."),
    COST(remap_page, "Moving a mapping, for each page."),
    COST(merge, "Sharing a page: replacing its mapping and freeing its frame, beside flushes."),
    COST(wake, "Switching to a policy's daemon that slept; caches have lost what it used."),
    COST(visit, "A policy's choice of one candidate and the look-up of its page."),
    COST(flush_local, "Invalidating one page's translation where no other core is concerned."),
    COST(flush_remote, "Sending an invalidation to other cores and waiting for them."),
    COST(flush_target, "Answering an invalidation, on each target."),
    COST(flush_ack, "Waiting for each further core that was sent the same invalidation."),
    COST(shadow, "Repeating a change of a mapping in shadow page tables, the exit included."),
    COST(lock, "Taking and letting go of a lock or a reference that nobody contends for."),
    COST(near_line, "Reading one line of a table in use: the last level of cache has it."),
    COST(fill_page, "Storing 4096 bytes (timing by costs)."),
    COST(copy_page, "Copying 4096 bytes (timing by costs)."),
    COST(read_page, "Reading 4096 bytes that no cache holds (timing by costs)."),
    COST(compare_page, "Comparing 4096 equal bytes that no cache holds (timing by costs)."),
    COST(compare_near, "Comparing 4096 equal bytes that caches hold (timing by costs)."),
    COST(line, "Reading one line that no cache holds (timing by costs; tables always)."),
};
