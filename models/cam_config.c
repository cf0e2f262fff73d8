#include "cam_config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cam_card.h"
#include "error.h"

static const char *const replacements[] = {"lru", "fifo", "random", "refuse", NULL};
static const char *const priorities[] = {"newest", "oldest", "lowest", NULL};
static const char *const stored[] = {"hash", "page", NULL};
static const char *const places[] = {"controller", "core", NULL};
static const char *const scopes[] = {"hashed", "node", "replicated", NULL};
static const char *const behinds[] = {"table", "none", NULL};
static const char *const stales[] = {"verify", "dirty-bit", "delete", NULL};
static const char *const presets[] = {"22nm", "45nm", NULL};

/* So that no energy of one operation overflows a count of femtojoules. */
#define FIGURE_MAX 1000000

#define AT(member) .offset = offsetof(PfCamConfig, member)
#define CYCLES(name, member, text)                                                                 \
    {                                                                                              \
        .key = name, .type = PF_CONFIG_UINT, AT(member), .standard = "auto", .automatic = true,    \
        .max = FIGURE_MAX, .unit = "cycles", .description = text                                   \
    }
#define FIGURE(name, member, in, text)                                                             \
    {                                                                                              \
        .key = name, .type = PF_CONFIG_DOUBLE, AT(member), .standard = "auto", .automatic = true,  \
        .max = FIGURE_MAX, .unit = in, .description = text                                         \
    }

static const PfConfigField fields[] = {
    {.key = "entries",
     .type = PF_CONFIG_UINT,
     AT(entries),
     .standard = "65536",
     .min = 16,
     .max = PF_CAM_ENTRIES_MAX,
     .unit = "entries",
     .description = "Entries of the CAM, or of each where every node has one."},
    {.key = "key_bits",
     .type = PF_CONFIG_UINT,
     AT(key_bits),
     .standard = "64",
     .min = 8,
     .max = 128,
     .unit = "bits",
     .description = "Width of the keys; hashes are cut to it, and have 64 bits at most."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     AT(ways),
     .standard = "0",
     .max = PF_CAM_ENTRIES_MAX,
     .unit = "entries",
     .description = "Entries among which a key has its place, as in a set-associative table; 0: "
                    "all of a bank, which is a CAM proper."},
    {.key = "banks",
     .type = PF_CONFIG_UINT,
     AT(banks),
     .standard = "1",
     .min = 1,
     .max = 1024,
     .description = "Parts that work at the same time; the key says which one it belongs to."},
    {.key = "ports",
     .type = PF_CONFIG_UINT,
     AT(ports),
     .standard = "1",
     .min = 1,
     .max = 16,
     .description = "Operations that a bank can begin at the same time."},
    {.key = "pipelined",
     .type = PF_CONFIG_BOOL,
     AT(pipelined),
     .standard = "true",
     .description = "Whether a port takes a further operation each `cycle`, or after `latency`."},
    {.key = "replacement",
     .type = PF_CONFIG_ENUM,
     AT(replacement),
     .standard = "lru",
     .choices = replacements,
     .description = "Which entry makes room; refuse: none does, and the new one is not stored."},
    {.key = "priority",
     .type = PF_CONFIG_ENUM,
     AT(priority),
     .standard = "lowest",
     .choices = priorities,
     .description = "Which of several matches is tried first; lowest: that of the frame with the "
                    "lowest address, newest: as the finder table answers."},
    {.key = "stores",
     .type = PF_CONFIG_ENUM,
     AT(stores),
     .standard = "hash",
     .choices = stored,
     .description = "What an entry holds beside the frame's number: the hash, or the whole page."},
    {.key = "at",
     .type = PF_CONFIG_ENUM,
     AT(at),
     .standard = "controller",
     .choices = places,
     .description = "Where it is: beside the memory controller, or at the policy's own core."},
    {.key = "scope",
     .type = PF_CONFIG_ENUM,
     AT(scope),
     .standard = "hashed",
     .choices = scopes,
     .description = "With several NUMA nodes each has a CAM; hashed: the key says which holds it; "
                    "node: that of the page's frame; replicated: all hold all."},
    {.key = "remote",
     .type = PF_CONFIG_TIME,
     AT(remote_ps),
     .standard = "60ns",
     .description = "What it takes longer to use the CAM of another node."},
    {.key = "behind",
     .type = PF_CONFIG_ENUM,
     AT(behind),
     .standard = "table",
     .choices = behinds,
     .description = "Where entries go for which there is no room: a table in memory, or nowhere."},
    {.key = "stale",
     .type = PF_CONFIG_ENUM,
     AT(stale),
     .standard = "verify",
     .choices = stales,
     .description = "What becomes of the entry of a page that is stored to: nothing, its use finds "
                    "out; it is marked and matches no more; it is deleted."},
    {.key = "verify",
     .type = PF_CONFIG_BOOL,
     AT(verify),
     .standard = "true",
     .description = "Whether the bytes of a match are compared; false is lossy."},
    {.key = "preset",
     .type = PF_CONFIG_ENUM,
     AT(preset),
     .standard = "22nm",
     .choices = presets,
     .description = "The technology whose card gives what is not given here."},
    {.key = "allow_extrapolation",
     .type = PF_CONFIG_BOOL,
     AT(allow_extrapolation),
     .standard = "false",
     .description = "Whether the card may be read beyond its smallest and largest size."},
    CYCLES("latency", latency_cycles, "From the start of a search to its answer; auto: the card."),
    CYCLES("cycle", cycle_cycles,
           "Between operations that follow each other on a port; auto: the card."),
    CYCLES("insert_latency", insert_cycles, "To write an entry; auto: as long as a search."),
    CYCLES("delete_latency", delete_cycles, "To clear an entry; auto: as long as a search."),
    FIGURE("search_nJ", search_nJ, "nJ", "Energy of a search; auto: the card."),
    FIGURE("write_nJ", write_nJ, "nJ",
           "Energy of writing, marking or clearing an entry; auto: the card."),
    FIGURE("leakage_mW", leakage_mW, "mW", "Power that it takes always; auto: the card."),
    FIGURE("area_mm2", area_mm2, "mm2", "Its area; auto: the card."),
};

/* The entries that a key may be in at most. */
static uint64_t bank_entries(const PfCamConfig *config)
{
    return config->entries / config->banks;
}

/* What is wanted of the card: all that was not given. */
static bool needs_card(const PfCamConfig *config)
{
    return config->latency_cycles == PF_CONFIG_AUTO || config->cycle_cycles == PF_CONFIG_AUTO ||
           isnan(config->search_nJ) || isnan(config->write_nJ) || isnan(config->leakage_mW) ||
           isnan(config->area_mm2);
}

static PfCamCardTable card_of(const PfCamConfig *config)
{
    return config->ways > 0 ? PF_CAM_CARD_RAM_22NM : (PfCamCardTable)config->preset;
}

/* The key of what cannot be built, or not by the card, and RET_WHY; NULL if nothing is wrong. */
static const char *find_mistake(const PfCamConfig *config, char **ret_why)
{
    static const char by_hand[] =
        "give latency, cycle, search_nJ, write_nJ, leakage_mW and area_mm2";
    uint64_t unit = config->banks * MAX(1, config->ways);
    if (config->is_ideal)
        return NULL;
    if (config->entries < unit || config->entries % unit != 0) {
        *ret_why = g_strdup_printf("%" PRIu64 " entries cannot be divided among %" PRIu64
                                   " banks in sets of %" PRIu64,
                                   config->entries, config->banks, MAX(1, config->ways));
        return "entries";
    }
    if (!needs_card(config))
        return NULL;
    if (config->ways > 0 && config->preset != PF_CAM_CARD_22NM) { /* RAM of 22 nm is known only */
        *ret_why = g_strdup_printf("there is no card of 45 nm for ways > 0; %s", by_hand);
        return "preset";
    }
    PfCamCardRow row;
    if (config->allow_extrapolation ||
        pf_cam_card_look(card_of(config), bank_entries(config), &row))
        return NULL;
    size_t count;
    const PfCamCardRow *rows = pf_cam_card_rows(card_of(config), &count);
    *ret_why =
        g_strdup_printf("%" PRIu64 " entries in a bank lie outside of the card's %" PRIu64
                        " to %" PRIu64 "; set allow_extrapolation = true, or %s",
                        bank_entries(config), rows[0].entries, rows[count - 1].entries, by_hand);
    return "entries";
}

void pf_cam_bind(PfConfigSection *machine, PfCamConfig *config)
{
    static const PfConfigField whole = {
        .key = "cam",
        .type = PF_CONFIG_STRING,
        .description = "\"ideal\": a CAM without limit that takes no time and no energy."};
    if (pf_config_is_group(machine, "cam")) {
        PfConfigSection *section = pf_config_subsection(machine, "cam");
        pf_config_bind(section, fields, G_N_ELEMENTS(fields), config);
        g_autofree char *why = NULL;
        const char *key = find_mistake(config, &why);
        if (key != NULL)
            pf_config_complain(section, key, "%s", why);
        return;
    }
    char *name = NULL;
    pf_config_bind(machine, &whole, 1, &name);
    if (g_strcmp0(name, "ideal") != 0)
        pf_config_complain(machine, "cam", "must be \"ideal\" or a group { ... }");
    *config = (PfCamConfig){.is_ideal = true,
                            .key_bits = 64,
                            .banks = 1,
                            .ports = 1,
                            .verify = true,
                            .priority = PF_CAM_NEWEST, /* as a table answers */
                            .entries = PF_CAM_ENTRIES_MAX};
}

static uint64_t cycles_of(double ns, uint64_t clock_hz)
{
    return MAX(1, (uint64_t)ceil(ns * 1e-9 * (double)clock_hz));
}

static uint64_t femtojoules(double nanojoules)
{
    return (uint64_t)llround(nanojoules * 1e6);
}

static void fill_times(const PfCamConfig *config, const PfCamCardRow *card, uint64_t clock_hz,
                       PfCamFigures *figures)
{
    uint64_t latency = config->latency_cycles;
    figures->latency_cycles =
        latency != PF_CONFIG_AUTO ? latency : cycles_of(card->figures[PF_CAM_ACCESS_NS], clock_hz);
    figures->cycle_cycles = config->cycle_cycles != PF_CONFIG_AUTO
                                ? config->cycle_cycles
                                : cycles_of(card->figures[PF_CAM_CYCLE_NS], clock_hz);
    figures->insert_cycles =
        config->insert_cycles != PF_CONFIG_AUTO ? config->insert_cycles : figures->latency_cycles;
    figures->delete_cycles =
        config->delete_cycles != PF_CONFIG_AUTO ? config->delete_cycles : figures->latency_cycles;
}

bool pf_cam_figures(const PfCamConfig *config, uint64_t clock_hz, uint32_t page_bytes,
                    PfCamFigures *ret_figures, GError **error)
{
    enum { FRAME_NUMBER_BITS = 32, BITS_PER_BYTE = 8 };
    uint64_t compared = config->stores == PF_CAM_STORES_PAGE ? (uint64_t)page_bytes * BITS_PER_BYTE
                                                             : config->key_bits;
    *ret_figures = (PfCamFigures){.entry_bits = compared + FRAME_NUMBER_BITS};
    if (config->is_ideal)
        return true;
    PfCamCardRow card = {0};
    bool is_inside = true;
    g_autofree char *why = NULL;
    const char *key = find_mistake(config, &why);
    if (key != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "machine.cam.%s: %s", key, why);
        return false;
    }
    if (needs_card(config))
        is_inside = pf_cam_card_look(card_of(config), bank_entries(config), &card);
    fill_times(config, &card, clock_hz, ret_figures);
    double width = (double)compared / PF_CAM_CARD_KEY_BITS;
    double banks = (double)config->banks;
    double read = (double)MAX(1, config->ways);
    ret_figures->search_fJ =
        femtojoules(isnan(config->search_nJ) ? card.figures[PF_CAM_SEARCH_NJ] * width * read
                                             : config->search_nJ);
    ret_figures->write_fJ = femtojoules(
        isnan(config->write_nJ) ? card.figures[PF_CAM_WRITE_NJ] * width : config->write_nJ);
    ret_figures->leakage_W =
        (isnan(config->leakage_mW) ? card.figures[PF_CAM_LEAKAGE_MW] * width * banks
                                   : config->leakage_mW) *
        1e-3;
    ret_figures->area_mm2 =
        isnan(config->area_mm2) ? card.figures[PF_CAM_AREA_MM2] * width * banks : config->area_mm2;
    bool is_wide = config->stores == PF_CAM_STORES_PAGE && needs_card(config);
    ret_figures->is_extrapolated = !is_inside || is_wide;
    return true;
}
