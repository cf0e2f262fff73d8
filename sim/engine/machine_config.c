#include "machine.h"

#include "cost_card.h"
#include "machine_check.h"

static const char *const on_full_choices[] = {"stop", "swap", NULL};
static const char *const paging_choices[] = {"native", "nested", "shadow", NULL};
static const char *const allocator_choices[] = {"first-touch", "color-preserving", "bin-hopping",
                                                "random", "node-interleaved", NULL};
/* Beside those of PfAllocator: the frames of first-touch, and of nodes each in turn. */
enum { NODE_INTERLEAVED = PF_ALLOCATE_RANDOM + 1 };

static const char *const color_by_choices[] = {"cache", "banks", "both", NULL};
typedef enum { COLOR_BY_CACHE, COLOR_BY_BANKS, COLOR_BY_BOTH } ColorBy;

#define AT(member) .offset = offsetof(PfMachineConfig, member)

static const PfConfigField machine_fields[] = {
    {.key = "memory", .type = PF_CONFIG_SIZE, AT(memory_bytes), .standard = "auto",
     .automatic = true, .min = 1, .unit = "bytes",
     .description = "Memory for the contexts' pages; auto: as much as any run needs."},
    {.key = "on_full", .type = PF_CONFIG_ENUM, AT(on_full), .standard = "stop",
     .choices = on_full_choices,
     .description = "When no frame is free: the run stops and says when, or a frame's bytes go to "
                    "the device of machine.swap."},
    {.key = "cores", .type = PF_CONFIG_UINT, AT(cores), .standard = "4", .min = 1, .max = 1024,
     .unit = "cores",
     .description = "Cores for contexts; context i runs on core i modulo these unless it says so."},
    {.key = "clock", .type = PF_CONFIG_FREQUENCY, AT(clock_hz), .standard = "2.6GHz",
     .min = 1000000, .max = 100000000000, .unit = "Hz",
     .description = "The base clock: what a cycle is."},
    {.key = "paging", .type = PF_CONFIG_ENUM, AT(paging), .standard = "nested",
     .choices = paging_choices,
     .description = "How a virtual machine's addresses are walked: as if it were a process, in two "
                    "dimensions, or in shadow page tables that the host keeps; processes are "
                    "always native."},
    {.key = "allocator", .type = PF_CONFIG_ENUM, AT(allocator), .standard = "first-touch",
     .choices = allocator_choices,
     .description = "Which of a node's frames a new page gets: in order of number, freed ones "
                    "first; of the colour of its page number; of each colour in turn; of a colour "
                    "drawn at random. node-interleaved: first-touch with numa.placement = "
                    "\"interleave\"."},
    {.key = "colors", .type = PF_CONFIG_UINT, AT(colors), .standard = "auto", .automatic = true,
     .min = 1, .max = 1 << 20, .power_of_two = true, .unit = "colours",
     .description = "Page colours of the cache; auto: what its last level has."},
    {.key = "color_by", .type = PF_CONFIG_ENUM, AT(color_by), .standard = "cache",
     .choices = color_by_choices,
     .description = "What page colours tell apart: sets of the last cache, banks of DRAM as far as "
                    "the frame number alone chooses them, or both."},
};

/* What `caches` is where the configuration has none: sizes of a server core of about 2018. */
static const struct {
    const char *name;
    const char *serves;
    const char *size;
    const char *ways;
    const char *latency;
    const char *shared;
} standard_caches[] = {
    {"l1i", "fetch", "32KiB", "8", "4", "false"},
    {"l1d", "data", "32KiB", "8", "4", "false"},
    {"l2", "all", "1MiB", "16", "14", "false"},
    {"l3", "all", "16MiB", "16", "45", "true"},
};

static void add_standard_caches(PfConfigSection *machine)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(standard_caches); i++) {
        PfConfigSection *cache = pf_config_list_append(machine, "caches");
        pf_config_set(cache, "name", PF_CONFIG_STRING, standard_caches[i].name, "default");
        pf_config_set(cache, "serves", PF_CONFIG_STRING, standard_caches[i].serves, "default");
        pf_config_set(cache, "size", PF_CONFIG_STRING, standard_caches[i].size, "default");
        pf_config_set(cache, "ways", PF_CONFIG_UINT, standard_caches[i].ways, "default");
        pf_config_set(cache, "latency", PF_CONFIG_UINT, standard_caches[i].latency, "default");
        pf_config_set(cache, "shared", PF_CONFIG_BOOL, standard_caches[i].shared, "default");
    }
}

/* Each side, fetches and data, must find a first level, and lines must agree. */
static void check_caches(PfMachineConfig *config, PfConfigSection *machine)
{
    bool fetch = false;
    bool data = false;
    bool shared = false;
    for (unsigned i = 0; i < config->cache_count; i++) {
        const PfCacheConfig *cache = &config->caches[i];
        PfConfigSection *section = pf_config_list_section(machine, "caches", i);
        fetch |= cache->serves != PF_CACHE_SERVES_DATA;
        data |= cache->serves != PF_CACHE_SERVES_FETCH;
        if (cache->name == NULL)
            pf_config_complain(section, NULL, "a cache needs a name");
        for (unsigned j = 0; j < i && cache->name != NULL; j++)
            if (g_strcmp0(config->caches[j].name, cache->name) == 0)
                pf_config_complain(section, "name", "two caches are called '%s'", cache->name);
        if (shared && !cache->shared)
            pf_config_complain(section, "shared",
                               "a private cache behind a shared one; caches go outward from the "
                               "cores");
        shared |= cache->shared;
        bool is_first = true;
        for (unsigned j = 0; j < i; j++)
            is_first &= cache->serves != PF_CACHE_SERVES_ALL &&
                        config->caches[j].serves != cache->serves;
        if (is_first && cache->inclusion == PF_CACHE_EXCLUSIVE)
            pf_config_complain(section, "inclusion", "there is no level above it");
        for (unsigned j = 0; j < i; j++)
            if (cache->line_bytes < config->caches[j].line_bytes &&
                (cache->serves == PF_CACHE_SERVES_ALL || cache->serves == config->caches[j].serves))
                pf_config_complain(section, "line", "a line is shorter than one of a level above");
    }
    if (!fetch || !data)
        pf_config_complain(machine, "caches", "no cache serves %s", fetch ? "data" : "fetches");
}

static void bind_caches(PfMachineConfig *config, PfConfigSection *machine)
{
    if (!pf_config_is_set(machine, "caches"))
        add_standard_caches(machine);
    config->cache_count = (unsigned)pf_config_list_length(machine, "caches");
    config->caches = g_new0(PfCacheConfig, MAX(config->cache_count, 1));
    for (unsigned i = 0; i < config->cache_count; i++)
        pf_config_bind(pf_config_list_section(machine, "caches", i), pf_cache_fields,
                       pf_cache_field_count, &config->caches[i]);
    check_caches(config, machine);
}

PfMachineConfig *pf_machine_config_new(PfConfig *config)
{
    PfMachineConfig *machine = g_new0(PfMachineConfig, 1);
    PfConfigSection *section = pf_config_section(config, "machine");
    pf_config_bind(section, machine_fields, G_N_ELEMENTS(machine_fields), machine);
    pf_config_bind(pf_config_subsection(section, "core"), pf_core_fields, pf_core_field_count,
                   &machine->core);
    pf_numa_bind(pf_config_subsection(section, "numa"), machine->cores, &machine->memory_bytes,
                 &machine->numa);
    if (machine->allocator == NODE_INTERLEAVED) {
        if (machine->numa.placement == PF_PLACEMENT_BIND)
            pf_config_complain(section, "allocator", "nodes do not take turns where contexts are "
                               "bound to theirs");
        machine->allocator = PF_ALLOCATE_FIRST_TOUCH;
        machine->numa.placement = PF_PLACEMENT_INTERLEAVE;
    }
    pf_large_bind(pf_config_subsection(section, "large"), &machine->large);
    PfConfigSection *tlb = pf_config_subsection(section, "tlb");
    pf_mmu_bind(tlb, pf_config_subsection(section, "walk"), &machine->mmu);
    bind_caches(machine, section);
    pf_config_bind(pf_config_subsection(section, "coherence"), pf_coherence_fields,
                   pf_coherence_field_count, &machine->coherence);
    pf_config_bind(pf_config_subsection(section, "dram"), pf_dram_fields, pf_dram_field_count,
                   &machine->dram);
    pf_config_bind(pf_config_subsection(section, "background"), pf_dram_load_fields,
                   pf_dram_load_field_count, &machine->background);
    pf_hash_engine_bind(pf_config_subsection(section, "hash_engine"), &machine->hash_engine);
    pf_cam_bind(section, &machine->cam);
    pf_config_bind(pf_config_subsection(section, "controller"), pf_controller_fields,
                   pf_controller_field_count, &machine->controller);
    pf_config_bind(pf_config_subsection(section, "remap"), pf_indirection_fields,
                   pf_indirection_field_count, &machine->remap);
    pf_config_bind(pf_config_subsection(section, "swap"), pf_swap_device_fields,
                   pf_swap_device_field_count, &machine->swap);
    pf_cost_card_bind(pf_config_subsection(section, "costs"), &machine->costs);
    machine_check_parts(machine, section);
    return machine;
}

void pf_machine_config_free(PfMachineConfig *machine)
{
    if (machine == NULL)
        return;
    g_free(machine->caches);
    g_free(machine);
}

void pf_machine_want_large(const PfMachineConfig *config, PfImage *image)
{
    bool copies = config->large.cow == PF_COW_COPY && config->on_full != PF_ON_FULL_SWAP;
    pf_image_want_large(image, (PfLargeWish)config->large.pages, copies);
}

uint64_t pf_machine_reach(const PfMachineConfig *config)
{
    return config->caches[config->cache_count - 1].latency_cycles;
}

PfColoring pf_machine_coloring(const PfMachineConfig *config, unsigned page_shift)
{
    uint64_t colors = config->colors;
    if (config->color_by == COLOR_BY_BANKS || config->cache_count == 0)
        colors = 1;
    if (colors == PF_CONFIG_AUTO) {
        const PfCacheConfig *last = &config->caches[config->cache_count - 1];
        colors = pf_color_count(last->size_bytes, last->ways, (uint64_t)1 << page_shift);
    }
    PfColoring coloring = pf_coloring_low((unsigned)colors);
    if (config->color_by == COLOR_BY_CACHE)
        return coloring;
    /* What is wrong with it is told where the machine's own is made. */
    g_autoptr(PfDram) dram = pf_dram_new(&config->dram, config->clock_hz, NULL, NULL);
    if (dram != NULL)
        pf_coloring_add_banks(&coloring, dram, page_shift);
    return coloring;
}

PfFrameRules pf_machine_frame_rules(const PfMachineConfig *config, bool is_limited,
                                    unsigned page_shift, uint64_t seed)
{
    uint64_t memory_bytes = is_limited ? config->memory_bytes : PF_CONFIG_AUTO;
    return (PfFrameRules){
        .nodes = pf_numa_nodes(&config->numa, memory_bytes, (uint32_t)1 << page_shift),
        .coloring = pf_machine_coloring(config, page_shift),
        .allocator = (PfAllocator)config->allocator,
        .placement = (PfPlacement)config->numa.placement,
        .seed = seed};
}
