/* The parameters of a hash engine, and what of them goes together. */
#include "hash_engine.h"

enum { BYTES_PER_CYCLE_MAX = 4096, CYCLES_MAX = 1000000, QUEUE_MAX = 1024 };
enum { FUNCTION_MULTILINEAR, FUNCTION_XOR };

static const char *const places[] = {"core", "controller", NULL};
static const char *const kinds[] = {"software", "full", "incremental", "ecc", NULL};
static const char *const dirties[] = {"auto", "snoop", "skip", "stale", NULL};
static const char *const slices[] = {"home", "channel", NULL};
static const char *const functions[] = {"multilinear", "xor", NULL};

#define AT(member) .offset = offsetof(PfHashEngineConfig, member)

static const PfConfigField fields[] = {
    {.key = "at", .type = PF_CONFIG_ENUM, AT(at), .standard = "core", .choices = places,
     .description = "Where it is: beside each core, reading through its caches, or beside each "
                    "memory controller, reading DRAM."},
    {.key = "kind", .type = PF_CONFIG_ENUM, AT(kind), .standard = "software", .choices = kinds,
     .description = "No engine (the policy's core computes the hash); one that reads a whole page "
                    "for each key; that follows stores; that takes check bits of four lines."},
    {.key = "bytes_per_cycle", .type = PF_CONFIG_UINT, AT(bytes_per_cycle), .standard = "16",
     .min = 1, .max = BYTES_PER_CYCLE_MAX, .unit = "bytes",
     .description = "What a unit takes each cycle."},
    {.key = "depth", .type = PF_CONFIG_UINT, AT(depth_cycles), .standard = "8", .max = CYCLES_MAX,
     .unit = "cycles", .description = "From the last byte of a page to its key."},
    {.key = "energy_per_byte", .type = PF_CONFIG_DOUBLE, AT(energy_per_byte_pj),
     .standard = "auto", .automatic = true, .max = CYCLES_MAX, .unit = "pJ",
     .description = "Energy of a byte that is hashed; auto: not known, and so is the energy."},
    {.key = "leakage_mW", .type = PF_CONFIG_DOUBLE, AT(leakage_mW), .standard = "auto",
     .automatic = true, .unit = "mW",
     .description = "Power that each unit of it takes always; auto: not known."},
    {.key = "queue", .type = PF_CONFIG_UINT, AT(queue), .standard = "16", .min = 1,
     .max = QUEUE_MAX, .unit = "stores",
     .description = "Stores or write-backs of a unit that may wait (incremental)."},
    {.key = "dirty", .type = PF_CONFIG_ENUM, AT(dirty), .standard = "auto", .choices = dirties,
     .description = "At the controller, a line that a cache holds dirty: it comes from there, the "
                    "page is left out, or the key is that of DRAM (incremental). auto: stale for "
                    "incremental, else snoop."},
    {.key = "slices", .type = PF_CONFIG_ENUM, AT(slices), .standard = "home", .choices = slices,
     .description = "At several channels: the unit of the page's first line takes all its lines, "
                    "or each unit takes those of its channel and their parts are combined."},
    {.key = "message", .type = PF_CONFIG_UINT, AT(message_cycles), .standard = "20",
     .max = CYCLES_MAX, .unit = "cycles",
     .description = "From one channel to another: a part of a key, or a line."},
    {.key = "digest_bits", .type = PF_CONFIG_UINT, AT(digest_bits), .standard = "0",
     .max = PF_KEY_BITS, .unit = "bits",
     .description = "Kept of each line, so that its old bytes need not be read (incremental, at "
                    "the controller); 0: none."},
    {.key = "function", .type = PF_CONFIG_ENUM, AT(function), .standard = "multilinear",
     .choices = functions, .description = "What an incremental key is."},
    {.key = "ecc_line", .type = PF_CONFIG_UINT, AT(ecc_line), .standard = "0", .max = CYCLES_MAX,
     .unit = "lines", .description = "Which line of each quarter of a page is chosen (ecc)."},
};

static void check_place(PfConfigSection *section, const PfHashEngineConfig *config)
{
    bool at_core = config->at == PF_HASH_AT_CORE;
    if (config->kind == PF_HASH_SOFTWARE && !at_core)
        pf_config_complain(section, "at",
                           "software runs on a core; for an engine at the controller give kind = "
                           "\"full\", \"incremental\" or \"ecc\"");
    if (config->kind == PF_HASH_ECC && at_core)
        pf_config_complain(section, "at",
                           "a core does not see the check bits of memory; write at = "
                           "\"controller\" for kind = \"ecc\"");
    if (at_core && config->dirty != PF_DIRTY_AUTO)
        pf_config_complain(section, "dirty",
                           "an engine at a core reads what the caches hold; leave dirty out, or "
                           "write at = \"controller\"");
    if (at_core && config->slices != PF_SLICES_HOME)
        pf_config_complain(section, "slices",
                           "an engine at a core has no slices; leave them out, or write at = "
                           "\"controller\"");
}

static void check_kind(PfConfigSection *section, const PfHashEngineConfig *config)
{
    bool incremental = config->kind == PF_HASH_INCREMENTAL;
    if (incremental && config->dirty == PF_DIRTY_SNOOP)
        pf_config_complain(section, "dirty",
                           "an incremental engine reads no page and asks no cache; its key is "
                           "\"stale\", or it has to \"skip\" pages with dirty lines");
    if (!incremental && config->dirty == PF_DIRTY_STALE)
        pf_config_complain(section, "dirty",
                           "only an incremental engine may be \"stale\"; one that reads pages has "
                           "to \"snoop\" or to \"skip\"");
    if (config->digest_bits != 0 && (!incremental || config->at == PF_HASH_AT_CORE))
        pf_config_complain(section, "digest_bits",
                           "digests serve kind = \"incremental\" at = \"controller\" only");
    if (config->function == FUNCTION_XOR)
        pf_config_complain(section, "function",
                           "an exclusive-or does not tell words by their places: all pages of the "
                           "same words in another order, or with any word twice more, have one "
                           "key; use \"multilinear\"");
}

void pf_hash_engine_bind(PfConfigSection *section, PfHashEngineConfig *config)
{
    pf_config_bind(section, fields, G_N_ELEMENTS(fields), config);
    check_place(section, config);
    check_kind(section, config);
    if (config->dirty == PF_DIRTY_AUTO)
        config->dirty =
            config->kind == PF_HASH_INCREMENTAL ? PF_DIRTY_STALE : PF_DIRTY_SNOOP;
}
