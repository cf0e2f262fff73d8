#include "indirection.h"

#include "cache.h"
#include "seg_array.h"

/* A read of the table moves so much; an entry in its cache is a line of so much. */
enum { READ_BYTES = 64, ENTRY_LINE_BYTES = 4, ENTRIES_MAX = 1 << 24 };

/* Where the table lies: apart from all bus addresses of pages up to 4 KiB. */
#define TABLE_ADDRESS ((uint64_t)1 << 45)

struct PfIndirection {
    PfPort port;
    PfPort *dram;
    PfCache *cache; /* state only: a line for an entry */
    unsigned page_shift;
    uint64_t latency_cycles;
    uint64_t entry_bits;
    uint64_t pages;
    PfSegArray frames; /* PfMpn by bus page */
    PfIndirectionStats stats;
};

const PfConfigField pf_indirection_fields[] = {
    {.key = "cache_entries",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfIndirectionConfig, cache_entries),
     .standard = "4096",
     .min = 1,
     .max = ENTRIES_MAX,
     .power_of_two = true,
     .unit = "entries",
     .description = "Entries that the table's cache holds."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfIndirectionConfig, ways),
     .standard = "8",
     .min = 1,
     .max = 64,
     .power_of_two = true,
     .unit = "entries",
     .description = "Entries in a set of that cache, not more than it has; true LRU."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfIndirectionConfig, latency_cycles),
     .standard = "4",
     .max = 1000000,
     .unit = "cycles",
     .description = "Of every look-up; a miss reads the table from DRAM after that."},
    {.key = "entry_bits",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfIndirectionConfig, entry_bits),
     .standard = "32",
     .min = 1,
     .max = 512,
     .unit = "bits",
     .description = "Of DRAM that an entry takes: a frame's number, and what counts its pages."},
    {.key = "pages",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfIndirectionConfig, pages),
     .standard = "auto",
     .automatic = true,
     .min = 1,
     .max = PF_INDIRECTION_DIRECT,
     .unit = "pages",
     .description = "Pages that the table has entries for; auto: the machine's frames, without "
                    "a limit of memory the pages that the trace touches."},
};
const size_t pf_indirection_field_count = G_N_ELEMENTS(pf_indirection_fields);

static uint64_t page_of(const PfIndirection *table, PfMaddr address)
{
    return address.bytes >> table->page_shift;
}

static bool is_direct(uint64_t page)
{
    return page >= PF_INDIRECTION_DIRECT && page <= UINT32_MAX;
}

/* Whether the cache has the entry of PAGE; it has it afterwards. */
static bool touch(PfIndirection *table, uint64_t page)
{
    bool hit = pf_cache_touch(table->cache, (PfMaddr){page * ENTRY_LINE_BYTES}, ENTRY_LINE_BYTES,
                              PF_ACCESS_READ, PF_ACTOR_DEMAND);
    table->stats.lookups++;
    table->stats.hits += hit;
    table->stats.misses += !hit;
    return hit;
}

/* The cycle at which the entry for REQUEST is known. */
static uint64_t look_up(PfIndirection *table, const PfRequest *request)
{
    uint64_t page = page_of(table, request->address);
    uint64_t now_cycles = request->now_cycles + table->latency_cycles;
    if (touch(table, page))
        return now_cycles;
    uint64_t offset = page * table->entry_bits / 8 / READ_BYTES * READ_BYTES;
    const PfRequest read = {.address = {TABLE_ADDRESS + offset},
                            .now_cycles = now_cycles,
                            .size_bytes = READ_BYTES,
                            .core = request->core,
                            .kind = PF_ACCESS_READ,
                            .actor = request->actor};
    return pf_port_wait(table->dram, pf_port_access(table->dram, &read));
}

static uint64_t access_memory(PfPort *port, const PfRequest *request)
{
    PfIndirection *table = (PfIndirection *)port;
    PfRequest below = *request;
    if (!is_direct(page_of(table, request->address)))
        below.now_cycles = look_up(table, request);
    below.address = pf_indirection_translate(table, request->address);
    uint64_t answer = pf_port_access(table->dram, &below);
    if (request->kind != PF_ACCESS_WRITE)
        return answer;
    uint64_t delay_cycles = below.now_cycles - request->now_cycles;
    return pf_port_wait(table->dram, answer) - delay_cycles;
}

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    return pf_port_wait(((PfIndirection *)port)->dram, ticket);
}

static const PfPortOps port_ops = {.access = access_memory, .resolve = resolve};

static PfStatValue read_table_bytes(const void *user)
{
    return pf_stat_uint(pf_indirection_table_bytes(user));
}

static void register_stats(const PfIndirection *table, PfStatsGroup *group)
{
    pf_stats_counter(group, "lookups", "events", "Look-ups of a bus page's frame.",
                     &table->stats.lookups);
    pf_stats_counter(group, "hits", "events", "Of those, answered by the table's cache.",
                     &table->stats.hits);
    pf_stats_counter(group, "misses", "events", "Of those, answered by the table in DRAM.",
                     &table->stats.misses);
    pf_stats_level(group, "table_bytes", "bytes", "DRAM that the table takes.", read_table_bytes,
                   table);
    pf_stats_counter(group, "updates", "events", "Entries of the table that were changed.",
                     &table->stats.updates);
    pf_stats_counter(group, "copies", "events",
                     "Pages that the controller gave a frame by itself, copied or zeroed.",
                     &table->stats.copies);
}

PfIndirection *pf_indirection_new(const PfIndirectionConfig *config, PfPort *dram,
                                  unsigned page_shift, PfStatsGroup *stats, GError **error)
{
    char name[] = "remap";
    const PfCacheConfig geometry = {.name = name,
                                    .size_bytes = config->cache_entries * ENTRY_LINE_BYTES,
                                    .ways = MIN(config->ways, config->cache_entries),
                                    .line_bytes = ENTRY_LINE_BYTES};
    g_autoptr(PfCache) cache = pf_cache_new(&geometry, NULL, 0, NULL, error);
    if (cache == NULL)
        return NULL;
    PfIndirection *table = g_new0(PfIndirection, 1);
    table->port.ops = &port_ops;
    table->dram = dram;
    table->cache = g_steal_pointer(&cache);
    table->page_shift = page_shift;
    table->latency_cycles = config->latency_cycles;
    table->entry_bits = config->entry_bits;
    pf_seg_array_init(&table->frames, sizeof(PfMpn));
    if (stats != NULL)
        register_stats(table, stats);
    return table;
}

void pf_indirection_free(PfIndirection *table)
{
    if (table == NULL)
        return;
    pf_cache_free(table->cache);
    pf_seg_array_clear(&table->frames);
    g_free(table);
}

PfPort *pf_indirection_port(PfIndirection *table)
{
    return &table->port;
}

void pf_indirection_size(PfIndirection *table, uint64_t pages)
{
    table->pages = pages;
}

uint64_t pf_indirection_table_bytes(const PfIndirection *table)
{
    return (table->pages * table->entry_bits + 7) / 8;
}

void pf_indirection_map(PfIndirection *table, PfBpn page, PfMpn frame)
{
    g_assert(page.number < PF_INDIRECTION_DIRECT);
    pf_seg_array_reserve(&table->frames, MAX(table->frames.count, (uint64_t)page.number + 1));
    PfMpn *entry = pf_seg_array_at(&table->frames, page.number);
    table->stats.updates += !pf_mpn_equal(*entry, frame);
    *entry = frame;
}

PfMaddr pf_indirection_translate(const PfIndirection *table, PfMaddr address)
{
    uint64_t page = page_of(table, address);
    uint64_t offset = address.bytes & (((uint64_t)1 << table->page_shift) - 1);
    if (is_direct(page))
        return (PfMaddr){(page - PF_INDIRECTION_DIRECT) << table->page_shift | offset};
    if (page >= table->frames.count)
        return address;
    const PfMpn *entry = pf_seg_array_at(&table->frames, (uint32_t)page);
    return pf_mpn_address(*entry, table->page_shift, offset);
}

uint64_t pf_indirection_look_up(PfIndirection *table, PfMaddr address, uint64_t miss_cycles)
{
    uint64_t page = page_of(table, address);
    if (is_direct(page))
        return 0;
    return table->latency_cycles + (touch(table, page) ? 0 : miss_cycles);
}

void pf_indirection_count_copy(PfIndirection *table)
{
    table->stats.copies++;
}

const PfIndirectionStats *pf_indirection_stats(const PfIndirection *table)
{
    return &table->stats;
}

void pf_indirection_check(const PfIndirection *table)
{
    g_assert(table->stats.hits + table->stats.misses == table->stats.lookups);
    pf_cache_check(table->cache);
}
