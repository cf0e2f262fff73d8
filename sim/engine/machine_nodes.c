#include "machine_nodes.h"

#include <string.h>

#include "frame.h"
#include "units.h"

static const char *const placement_choices[] = {"first-touch", "interleave", "bind", NULL};

static const char *const migrate_choices[] = {"none", "access", NULL};

#define AT(member) .offset = offsetof(PfNumaConfig, member)

static const PfConfigField numa_fields[] = {
    {.key = "nodes", .type = PF_CONFIG_UINT, AT(count), .standard = "1", .min = 1,
     .max = PF_NODES_MAX, .unit = "nodes",
     .description = "Nodes, each with DRAM controllers, frames and cores of its own."},
    {.key = "cores", .type = PF_CONFIG_VALUES, AT(cores), .standard = "",
     .description = "Cores of each node, for example (2, 2, 0); a node without cores is far memory "
                    "(CXL). None: as evenly as can be, neighbouring cores together."},
    {.key = "memory", .type = PF_CONFIG_VALUES, AT(memory), .standard = "",
     .description = "Memory of each node, for example (\"8GiB\", \"32GiB\"); the sum is "
                    "machine.memory. None: even shares of that."},
    {.key = "distance", .type = PF_CONFIG_VALUES, AT(distance), .standard = "",
     .description = "Distances of firmware (SLIT), a row for each node, for example ((10, 21), "
                    "(21, 10)). None: 10 to itself and 21 to all others."},
    {.key = "remote_latency", .type = PF_CONFIG_TIME, AT(remote_latency_ps), .standard = "auto",
     .automatic = true, .max = PF_PS_PER_SECOND,
     .description = "What a read of the nearest other node takes more than one of the own; of "
                    "farther ones more, as their distances less 10 are. auto: latencies are as "
                    "distances."},
    {.key = "link_bandwidth", .type = PF_CONFIG_BANDWIDTH, AT(link_bandwidth),
     .standard = "20GB/s",
     .description = "From each node to each other one, in each direction; 0: no limit."},
    {.key = "link_bit_pJ", .type = PF_CONFIG_DOUBLE, AT(link_bit_pJ), .standard = "auto",
     .automatic = true, .unit = "pJ",
     .description = "Energy of a bit of a line that goes over a link; auto: not known, and so is "
                    "the energy."},
    {.key = "placement", .type = PF_CONFIG_ENUM, AT(placement), .standard = "first-touch",
     .choices = placement_choices,
     .description = "Where a context's new frames come from: its own node first and then the "
                    "nearest with room, the nodes in turn, or its own node alone."},
    {.key = "migrate", .type = PF_CONFIG_ENUM, AT(migrate), .standard = "none",
     .choices = migrate_choices,
     .description = "access: a page that no other page shares a frame with moves to the node that "
                    "has read migrate_after lines of it, while none was read from its own."},
    {.key = "migrate_after", .type = PF_CONFIG_UINT, AT(migrate_after), .standard = "64",
     .min = 1, .max = 1 << 30, .unit = "lines",
     .description = "Lines that contexts read from another node before a page moves there."},
};

/* Whether LIST, if it is there, has an element for each node; else its KEY is complained of. */
static bool is_list(PfConfigSection *section, const char *key, char **list, uint64_t count)
{
    if (list == NULL || list[0] == NULL)
        return false;
    if (g_strv_length(list) == count)
        return true;
    pf_config_complain(section, key, "it has %u elements for %" G_GUINT64_FORMAT " nodes",
                       g_strv_length(list), count);
    return false;
}

static void set_cores(PfNumaConfig *config, PfConfigSection *section, uint64_t cores)
{
    uint8_t *node_of_core = config->nodes.node_of_core;
    g_assert(cores + 2 <= PF_NODES_CORES_MAX);
    uint64_t given = 0;
    bool is_given = is_list(section, "cores", config->cores, config->count);
    for (uint64_t i = 0; is_given && i < config->count; i++) {
        guint64 own = 0;
        g_autoptr(GError) error = NULL;
        if (!g_ascii_string_to_unsigned(config->cores[i], 10, 0, cores, &own, &error))
            pf_config_complain(section, "cores", "%s", error->message);
        for (uint64_t j = 0; j < own && given + j < cores; j++)
            node_of_core[given + j] = (uint8_t)i;
        given += own;
    }
    if (is_given && given != cores)
        pf_config_complain(section, "cores",
                           "they add up to %" G_GUINT64_FORMAT ", and machine.cores is %"
                           G_GUINT64_FORMAT, given, cores);
    for (uint64_t core = 0; !is_given && core < cores; core++)
        node_of_core[core] = (uint8_t)(core * config->count / cores);
    node_of_core[cores] = node_of_core[cores + 1] = node_of_core[0];
}

static void set_memory(PfNumaConfig *config, PfConfigSection *section, uint64_t *memory_bytes)
{
    if (!is_list(section, "memory", config->memory, config->count))
        return;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < config->count; i++) {
        g_autofree char *text = g_strdup(config->memory[i]);
        size_t length = strlen(text);
        bool is_quoted = length >= 2 && text[0] == '"' && text[length - 1] == '"';
        text[is_quoted ? length - 1 : length] = '\0';
        g_autoptr(GError) error = NULL;
        if (!pf_parse_quantity(text + is_quoted, PF_CONFIG_SIZE, &config->memory_bytes[i],
                               &error)) {
            pf_config_complain(section, "memory", "%s", error->message);
            return;
        }
        if (config->memory_bytes[i] == 0)
            pf_config_complain(section, "memory", "a node has no memory");
        sum += MIN(config->memory_bytes[i], UINT64_MAX / 2 / PF_NODES_MAX);
    }
    if (*memory_bytes != PF_CONFIG_AUTO && *memory_bytes != sum)
        pf_config_complain(section, "memory",
                           "the nodes have %" G_GUINT64_FORMAT " bytes, and machine.memory is %"
                           G_GUINT64_FORMAT, sum, *memory_bytes);
    *memory_bytes = sum;
}

/* The distances of row TEXT, "(10, 21)", of COUNT; false if it is no such row. */
static bool read_row(const char *text, uint64_t count, uint8_t *ret_row)
{
    g_autofree char *inner = g_strdup(text);
    g_strdelimit(inner, "()[]", ' ');
    g_auto(GStrv) cells = g_strsplit(inner, ",", -1);
    if (g_strv_length(cells) != count)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        guint64 value;
        if (!g_ascii_string_to_unsigned(g_strstrip(cells[i]), 10, PF_DISTANCE_LOCAL,
                                        PF_DISTANCE_MAX, &value, NULL))
            return false;
        ret_row[i] = (uint8_t)value;
    }
    return true;
}

static void set_distances(PfNumaConfig *config, PfConfigSection *section)
{
    if (!is_list(section, "distance", config->distance, config->count))
        return;
    for (uint64_t i = 0; i < config->count; i++) {
        uint8_t *row = config->nodes.distance[i];
        if (!read_row(config->distance[i], config->count, row)) {
            pf_config_complain(section, "distance",
                               "row %s: it needs %" G_GUINT64_FORMAT " numbers from %d to %d",
                               config->distance[i], config->count, PF_DISTANCE_LOCAL,
                               PF_DISTANCE_MAX);
            return;
        }
        for (uint64_t j = 0; j < config->count; j++)
            if ((row[j] == PF_DISTANCE_LOCAL) != (i == j))
                pf_config_complain(section, "distance",
                                   "a node is at distance %d from itself and farther from others",
                                   PF_DISTANCE_LOCAL);
    }
    pf_nodes_sort(&config->nodes);
}

void pf_numa_bind(PfConfigSection *section, uint64_t cores, uint64_t *memory_bytes,
                  PfNumaConfig *config)
{
    pf_config_bind(section, numa_fields, G_N_ELEMENTS(numa_fields), config);
    pf_nodes_init(&config->nodes, (unsigned)config->count);
    set_cores(config, section, cores);
    set_memory(config, section, memory_bytes);
    set_distances(config, section);
    if (config->placement == PF_PLACEMENT_BIND && config->migrate != PF_MIGRATE_NONE)
        pf_config_complain(section, "migrate", "pages that are bound to a node do not move");
}

PfNodes pf_numa_nodes(const PfNumaConfig *config, uint64_t memory_bytes, uint32_t page_bytes)
{
    PfNodes nodes = config->nodes;
    if (memory_bytes == PF_CONFIG_AUTO)
        return nodes;
    if (config->memory_bytes[0] == 0) {
        pf_nodes_divide(&nodes, memory_bytes / page_bytes);
        return nodes;
    }
    uint64_t frames[PF_NODES_MAX];
    for (unsigned i = 0; i < nodes.count; i++)
        frames[i] = config->memory_bytes[i] / page_bytes;
    pf_nodes_limit(&nodes, frames);
    return nodes;
}
