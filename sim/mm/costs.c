#include "costs.h"

#define COST(member, value, text)                                                                  \
    {                                                                                              \
        .key = #member, .type = PF_CONFIG_UINT, .offset = offsetof(PfCosts, member##_cycles),      \
        .standard = value, .max = 1000000000, .unit = "cycles", .description = text                \
    }

const PfConfigField pf_costs_fields[] = {
    COST(trap, "2000", "A fault's way into the kernel and back; all that re-use of a frame costs."),
    COST(allocate, "1400", "Allocating the frame of a first touch, beside trap and zeroing."),
    COST(map_zero, "200", "Mapping the zero page at a read, beside the trap."),
    COST(map_file, "500", "Mapping a page of the page cache, beside the trap."),
    COST(copy_extra, "2200", "A copying write fault, beside trap and copy."),
    COST(fork_page, "250", "Fork, for each page of the parent."),
    COST(unmap_page, "700", "Unmapping, for each page."),
    COST(remap_page, "250", "Moving a mapping, for each page."),
    COST(merge, "1500", "Sharing a page: protecting, remapping and freeing, beside flushes."),
    COST(visit, "150", "A policy's choice of one candidate and the look-up of its page."),
    COST(flush_local, "500", "Invalidating one page's translation on the own core."),
    COST(flush_remote, "4000", "Sending an invalidation to other cores and waiting for them."),
    COST(flush_target, "500", "Answering an invalidation, on each target."),
    COST(fill_page, "1800", "Storing 4096 bytes (timing by costs)."),
    COST(copy_page, "2300", "Copying 4096 bytes (timing by costs)."),
    COST(read_page, "1500", "Reading 4096 bytes that no cache holds (timing by costs)."),
    COST(compare_page, "2200", "Comparing 4096 equal bytes (timing by costs)."),
    COST(line, "450", "Reading one line that no cache holds (timing by costs)."),
};
const size_t pf_costs_field_count = G_N_ELEMENTS(pf_costs_fields);
