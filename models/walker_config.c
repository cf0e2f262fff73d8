#include "tlb_array.h"
#include "walker.h"

#define AT(member) .offset = offsetof(PfWalkerConfig, member)

static const PfConfigField walker_fields[] = {
    {.key = "levels", .type = PF_CONFIG_UINT, AT(levels), .standard = "4", .min = 4,
     .max = PF_WALKER_LEVELS_MAX, .unit = "levels",
     .description = "Levels of a context's own page tables."},
    {.key = "host_levels", .type = PF_CONFIG_UINT, AT(host_levels), .standard = "4", .min = 4,
     .max = PF_WALKER_LEVELS_MAX, .unit = "levels",
     .description = "Levels of the host's page tables in a nested walk."},
    {.key = "walkers", .type = PF_CONFIG_UINT, AT(walkers), .standard = "2",
     .max = PF_WALKERS_MAX, .unit = "walkers",
     .description = "Walks of a core that may be under way at a time; 0: any number."},
    {.key = "latency", .type = PF_CONFIG_UINT, AT(latency_cycles), .standard = "0",
     .max = 1000000, .unit = "cycles",
     .description = "What a walk takes beside its reads."},
};

#define CACHE(name, number, default_entries, default_ways, text)                                   \
    {.key = name "_entries", .type = PF_CONFIG_UINT, AT(number.entries),                           \
     .standard = default_entries, .max = PF_TLB_ENTRIES_MAX, .unit = "entries",                    \
     .description = text},                                                                         \
    {.key = name "_ways", .type = PF_CONFIG_UINT, AT(number.ways), .standard = default_ways,       \
     .max = PF_TLB_ENTRIES_MAX, .unit = "entries",                                                 \
     .description = "Entries in a set of that; 0 is fully associative."}

/* Sizes as ChampSim's standard configuration has them for its paging-structure caches; those of
 * real processors are not published. The nested TLB's is that of AMD's family 10h (Bhargava et al.,
 * ASPLOS 2008). */
static const PfConfigField cache_fields[] = {
    CACHE("l2", caches[0], "32", "8",
          "Entries of level 2 (page directory) that the walkers hold; 0: none."),
    CACHE("l3", caches[1], "8", "4", "Entries of level 3 that they hold; 0: none."),
    CACHE("l4", caches[2], "4", "0", "Entries of level 4 that they hold; 0: none."),
    CACHE("l5", caches[3], "2", "0", "Entries of level 5 that they hold; 0: none."),
    CACHE("nested", nested, "16", "0",
          "Translations of pages with guest tables that they hold; 0: none."),
};

void pf_walker_bind(PfConfigSection *section, PfWalkerConfig *config)
{
    pf_config_bind(section, walker_fields, G_N_ELEMENTS(walker_fields), config);
    pf_config_bind(pf_config_subsection(section, "cache"), cache_fields,
                   G_N_ELEMENTS(cache_fields), config);
}
