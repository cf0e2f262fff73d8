/* What can be configured of a level of cache, and what of that is possible. */
#include "cache.h"
#include "error.h"
#include "units.h"

enum { WAYS_MAX = 64, LINE_BYTES_MAX = 4096 };

/* Above any machine; it keeps products of the geometry far from 64 bits. */
#define SIZE_BYTES_MAX (64 * PF_GIB)

static const char *const serves_names[] = {"all", "data", "fetch", NULL};
static const char *const replacement_names[] = {"lru", "random", NULL};

const PfConfigField pf_cache_fields[] = {
    {.key = "name",
     .type = PF_CONFIG_STRING,
     .offset = offsetof(PfCacheConfig, name),
     .description = "What the level is called in statistics: cache.NAME."},
    {.key = "serves",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, serves),
     .standard = "all",
     .choices = serves_names,
     .description = "Which requests of a core enter the hierarchy at this level."},
    {.key = "size",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfCacheConfig, size_bytes),
     .standard = "32KiB",
     .min = PF_CACHE_LINE_BYTES_MIN,
     .max = SIZE_BYTES_MAX,
     .unit = "bytes",
     .description = "Capacity; divided by ways and line it must give a power of two of sets."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCacheConfig, ways),
     .standard = "8",
     .min = 1,
     .max = WAYS_MAX,
     .unit = "lines",
     .description = "Lines in a set."},
    {.key = "line",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(PfCacheConfig, line_bytes),
     .standard = "64",
     .min = PF_CACHE_LINE_BYTES_MIN,
     .max = LINE_BYTES_MAX,
     .power_of_two = true,
     .unit = "bytes",
     .description = "Bytes of a line, not more than a line of the level below has."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCacheConfig, latency_cycles),
     .standard = "4",
     .max = 1000000,
     .unit = "cycles",
     .description = "Time of a hit, and of finding out that it is a miss."},
    {.key = "shared",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfCacheConfig, shared),
     .standard = "false",
     .description = "One for all cores of a node instead of one for each core."},
    {.key = "replacement",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfCacheConfig, replacement),
     .standard = "lru",
     .choices = replacement_names,
     .description = "Which line of a full set makes room."},
};
const size_t pf_cache_field_count = G_N_ELEMENTS(pf_cache_fields);

bool pf_cache_check_geometry(const PfCacheConfig *config, uint64_t *ret_sets, GError **error)
{
    const char *name = config->name != NULL ? config->name : "(unnamed)";
    if (config->ways < 1 || config->ways > WAYS_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: ways = %" G_GUINT64_FORMAT " is not within 1 .. %d", name,
                    config->ways, WAYS_MAX);
        return false;
    }
    if (!pf_is_power_of_two(config->line_bytes) || config->line_bytes < PF_CACHE_LINE_BYTES_MIN ||
        config->line_bytes > LINE_BYTES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: line = %" G_GUINT64_FORMAT " is not a power of two within %d .. %d",
                    name, config->line_bytes, PF_CACHE_LINE_BYTES_MIN, LINE_BYTES_MAX);
        return false;
    }
    uint64_t set_bytes = config->ways * config->line_bytes;
    uint64_t sets = config->size_bytes / set_bytes;
    if (config->size_bytes > SIZE_BYTES_MAX || config->size_bytes % set_bytes != 0 ||
        !pf_is_power_of_two(sets)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "cache %s: size = %" G_GUINT64_FORMAT " is not a power of two of sets of %"
                    G_GUINT64_FORMAT " ways of %" G_GUINT64_FORMAT
                    " bytes; change size or ways", name, config->size_bytes, config->ways,
                    config->line_bytes);
        return false;
    }
    *ret_sets = sets;
    return true;
}
