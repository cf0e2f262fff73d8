#include "dram_config.h"

#include "error.h"
#include "units.h"

enum { CHANNELS_MAX = 64, QUEUE_MAX = 1024, CLOCKS_MAX = 1 << 24 };

static const char *const scheduler_names[] = {"frfcfs", "fcfs", NULL};
static const char *const page_policy_names[] = {"open", "closed", "adaptive", "timeout", NULL};
static const char *const refresh_names[] = {"all-bank", "per-bank", "none", NULL};
static const char *const power_down_names[] = {"off", "precharge", "self-refresh", NULL};

#define AT(member) .offset = offsetof(PfDramConfig, member)
#define TIMING(member, name, meaning)                                                              \
    {.key = name, .type = PF_CONFIG_TIME, AT(timing_ps.member), .standard = "0",                   \
     .description = meaning " 0: as the preset has it."},

const PfConfigField pf_dram_fields[] = {
    {.key = "preset", .type = PF_CONFIG_ENUM, AT(preset), .standard = "DDR4-2400U-8Gb-x8",
     .choices = pf_dram_preset_names,
     .description = "Device: standard, rate and bin, density, width."},
    {.key = "channels", .type = PF_CONFIG_UINT, AT(channels), .standard = "1", .min = 1,
     .max = CHANNELS_MAX, .power_of_two = true, .unit = "channels",
     .description = "Independent channels, as wide as the standard has them."},
    {.key = "ranks", .type = PF_CONFIG_UINT, AT(ranks), .standard = "1", .min = 1,
     .max = PF_DRAM_RANKS_MAX, .power_of_two = true, .unit = "ranks",
     .description = "Ranks of devices on each channel."},
    {.key = "mapping", .type = PF_CONFIG_STRING, AT(mapping), .standard = "RoBaRaCoCh",
     .description = "Row, bank, rank, column and channel in an address: RoBaRaCoCh, ChRaBaRoCo, "
                    "MOP4CLXOR, an order of fields (rochrababgco) or lists of bits "
                    "(co=6-12 bg=13^17,14^18 ba=15,16 ro=17-32)."},
    {.key = "scheduler", .type = PF_CONFIG_ENUM, AT(scheduler), .standard = "frfcfs",
     .choices = scheduler_names,
     .description = "frfcfs: what is ready first, hits before others; fcfs: in order of arrival."},
    {.key = "cap", .type = PF_CONFIG_UINT, AT(cap), .standard = "16", .max = 1000000,
     .unit = "accesses",
     .description = "frfcfs: hits of a bank that may pass one that waits for another row; 0: any "
                    "number."},
    {.key = "page_policy", .type = PF_CONFIG_ENUM, AT(page_policy), .standard = "open",
     .choices = page_policy_names,
     .description = "When a row is closed: open: when another is wanted; closed: with each access; "
                    "adaptive: with an access behind which only other rows of the bank are wanted; "
                    "timeout: when unused for page_timeout."},
    {.key = "page_timeout", .type = PF_CONFIG_TIME, AT(page_timeout_ps), .standard = "50ns",
     .max = 1000000000, .description = "How long page policy timeout leaves an unused row open."},
    {.key = "refresh", .type = PF_CONFIG_ENUM, AT(refresh), .standard = "all-bank",
     .choices = refresh_names,
     .description = "All banks of all ranks each tREFI, bank after bank each tREFIpb, or not at "
                    "all."},
    {.key = "power_down", .type = PF_CONFIG_ENUM, AT(power_down), .standard = "off",
     .choices = power_down_names,
     .description = "What ranks do that hold no page in use: off: stand by like others; precharge: "
                    "power-down (IDD2P) but for their refreshes; self-refresh: that (IDD6), and no "
                    "refreshes."},
    {.key = "read_queue", .type = PF_CONFIG_UINT, AT(read_queue), .standard = "32", .min = 1,
     .max = QUEUE_MAX, .unit = "reads",
     .description = "Reads of a channel that may wait for a row to be opened for them, or an open "
                    "one."},
    {.key = "write_queue", .type = PF_CONFIG_UINT, AT(write_queue), .standard = "32", .min = 1,
     .max = QUEUE_MAX, .unit = "writes",
     .description = "Writes of a channel that may wait; a write that finds no place waits itself."},
    {.key = "write_high", .type = PF_CONFIG_UINT, AT(write_high_percent), .standard = "80",
     .max = 100, .unit = "percent",
     .description = "Writes have their turn when more of their queue is full than this, or when no "
                    "read waits."},
    {.key = "write_low", .type = PF_CONFIG_UINT, AT(write_low_percent), .standard = "20",
     .max = 100, .unit = "percent",
     .description = "... until less of it is full than this and reads wait."},
    PF_DRAM_TIMINGS(TIMING)
};
const size_t pf_dram_field_count = G_N_ELEMENTS(pf_dram_fields);

PfDramConfig pf_dram_config_standard(void)
{
    PfDramConfig standard;
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    pf_config_bind(pf_config_section(config, "machine.dram"), pf_dram_fields, pf_dram_field_count,
                   &standard);
    standard.mapping = NULL; /* which is the same, and does not go with CONFIG */
    return standard;
}

/* Puts the configuration's timings into TIMING. The key of one that is out of bounds, or NULL. */
static const char *override_timings(const PfDramConfig *config, PfDramPreset *timing)
{
    const char *wrong = NULL;
#define OVERRIDE(member, key, meaning)                                                             \
    if (config->timing_ps.member != 0) {                                                           \
        uint64_t clocks = (config->timing_ps.member - 1) / timing->tck_ps + 1;                     \
        timing->member = (uint32_t)MIN(clocks, CLOCKS_MAX);                                        \
        wrong = clocks > CLOCKS_MAX ? key : wrong;                                                 \
    }
    PF_DRAM_TIMINGS(OVERRIDE)
    return wrong;
}

static const char *what_is_wrong(const PfDramConfig *config, const PfDramPreset *timing)
{
    if (!pf_is_power_of_two(config->channels) || config->channels > CHANNELS_MAX)
        return "channels must be a power of two within 1 .. 64";
    if (!pf_is_power_of_two(config->ranks) || config->ranks > PF_DRAM_RANKS_MAX)
        return "ranks must be a power of two within 1 .. 16";
    if (config->read_queue < 1 || config->read_queue > QUEUE_MAX)
        return "read_queue must be within 1 .. 1024";
    if (config->write_queue < 1 || config->write_queue > QUEUE_MAX)
        return "write_queue must be within 1 .. 1024";
    if (config->write_high_percent > 100 || config->write_low_percent > config->write_high_percent)
        return "write_low must not be above write_high, nor that above 100";
    if (config->refresh == PF_DRAM_REFRESH_PER_BANK && timing->refi_bank == 0)
        return "refresh = \"per-bank\": the preset has none; give tREFIpb and tRFCpb, or choose "
               "all-bank";
    if (config->refresh == PF_DRAM_REFRESH_ALL_BANK && timing->refi <= timing->rfc + timing->rc)
        return "tREFI must be longer than tRFC and tRC";
    if (config->refresh == PF_DRAM_REFRESH_PER_BANK &&
        timing->refi_bank <= timing->rfc_bank + timing->rc)
        return "tREFIpb must be longer than tRFCpb and tRC";
    return NULL;
}

bool pf_dram_resolve(const PfDramConfig *config, PfDramPreset *ret_timing,
                     PfDramSettings *ret_settings, GError **error)
{
    if (config->preset < 0 || (size_t)config->preset >= pf_dram_preset_count) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "dram: preset is unknown");
        return false;
    }
    PfDramPreset timing = pf_dram_presets[config->preset];
    const char *too_long = override_timings(config, &timing);
    const char *wrong = what_is_wrong(config, &timing);
    if (too_long != NULL || wrong != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "dram: %s%s",
                    too_long != NULL ? too_long : wrong, too_long != NULL ? " is too long" : "");
        return false;
    }
    uint32_t writes = (uint32_t)config->write_queue;
    *ret_timing = timing;
    *ret_settings = (PfDramSettings){
        .ranks = (uint32_t)config->ranks,
        .reads = (uint32_t)config->read_queue,
        .writes = writes,
        .high_writes = (uint32_t)MIN(writes * config->write_high_percent / 100, writes - 1),
        .low_writes = (uint32_t)((writes * config->write_low_percent + 99) / 100),
        .cap = config->cap == 0 ? UINT32_MAX : (uint32_t)config->cap,
        .scheduler = config->scheduler,
        .page_policy = config->page_policy,
        .refresh = config->refresh,
        .power_down = config->power_down,
        .refresh_interval = config->refresh == PF_DRAM_REFRESH_ALL_BANK   ? timing.refi
                            : config->refresh == PF_DRAM_REFRESH_PER_BANK ? timing.refi_bank
                                                                          : UINT64_MAX,
        .timeout = (config->page_timeout_ps + timing.tck_ps - 1) / timing.tck_ps,
    };
    return true;
}
