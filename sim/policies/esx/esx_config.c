#include "esx_config.h"

#include "units.h"

static const char *const presets[] = {"patent", "vsphere", NULL};
static const char *const candidates[] = {"random",       "sequential", "idle",
                                         "cpu_fraction", "adaptive",   NULL};
static const char *const markings[] = {"hint", "cow", NULL};
static const char *const requests[] = {"asynchronous", "synchronous", NULL};
static const char *const whens[] = {"always", "pressure", NULL};
static const char *const locks[] = {"1", "16", "chain", NULL};
static const char *const saltings[] = {"none", "context", "label", "color", "node", NULL};

#define AT(member) .offset = offsetof(PfEsxConfig, member)

const PfConfigField pf_esx_fields[PF_ESX_FIELDS] = {
    {.key = "preset", .type = PF_CONFIG_ENUM, AT(preset), .standard = "patent", .choices = presets,
     .description = "What \"auto\" means in rate, scan_time and scan_per_ghz: 50 pages/s and no "
                    "more limits, as in the patent's prototype, or the advanced settings of "
                    "VMware vSphere: 1024 pages/s, 60 minutes, 4 MB/s."},
    {.key = "candidates", .type = PF_CONFIG_ENUM, AT(candidates), .standard = "random",
     .choices = candidates,
     .description = "Which pages are looked at, and how often: at the given rate random ones, each "
                    "in turn (sequential), or random ones of contexts that are idle; random ones "
                    "for a share of a core's time; or random ones at a rate that follows success."},
    {.key = "rate", .type = PF_CONFIG_UINT, AT(rate), .standard = "auto", .automatic = true,
     .max = PF_ESX_RATE_MAX, .unit = "pages/s",
     .description = "Candidates a second of each context; 0 stops the scan."},
    {.key = "rate_total", .type = PF_CONFIG_UINT, AT(rate_total), .standard = "0",
     .max = PF_ESX_RATE_MAX, .unit = "pages/s",
     .description = "Limit of candidates a second over all contexts; 0: none."},
    {.key = "rate_min", .type = PF_CONFIG_UINT, AT(rate_min), .standard = "10", .min = 1,
     .max = PF_ESX_RATE_MAX, .unit = "pages/s",
     .description = "Adaptive candidates: the rate when none of the last 64 was shared."},
    {.key = "rate_max", .type = PF_CONFIG_UINT, AT(rate_max), .standard = "1000", .min = 1,
     .max = PF_ESX_RATE_MAX, .unit = "pages/s",
     .description = "Adaptive candidates: the rate when all of the last 64 were shared; between, "
                    "it is in proportion."},
    {.key = "scan_time", .type = PF_CONFIG_TIME, AT(scan_time_ps), .standard = "auto",
     .automatic = true,
     .description = "A context is looked at no faster than once over all its pages in this time; "
                    "0: no such limit."},
    {.key = "scan_per_ghz", .type = PF_CONFIG_BANDWIDTH, AT(scan_bytes_per_ghz),
     .standard = "auto", .automatic = true,
     .description = "Limit over all contexts for each GHz of all cores together; 0: none."},
    {.key = "cpu_fraction", .type = PF_CONFIG_DOUBLE, AT(cpu_fraction), .standard = "0.005",
     .max = 1,
     .description = "Candidates by cpu_fraction: the policy's cycles as a share of one core's "
                    "time, at most."},
    {.key = "requests", .type = PF_CONFIG_ENUM, AT(requests), .standard = "asynchronous",
     .choices = requests,
     .description = "Whether a context waits until its page was looked at (synchronous)."},
    {.key = "when", .type = PF_CONFIG_ENUM, AT(when), .standard = "always", .choices = whens,
     .description = "Whether pages are looked at always or under memory pressure only."},
    {.key = "pressure_free", .type = PF_CONFIG_DOUBLE, AT(free_share), .standard = "0.06",
     .max = 1,
     .description = "Pressure: fewer frames are free than this share of the machine's."},
    {.key = "marking", .type = PF_CONFIG_ENUM, AT(marking), .standard = "hint",
     .choices = markings,
     .description = "Whether the first page of a key is only remembered (hint) or marked "
                    "copy-on-write at once (cow)."},
    {.key = "keep_frame_at_one", .type = PF_CONFIG_BOOL, AT(keep_frame_at_one),
     .standard = "true",
     .description = "Whether a frame whose references fell to one stays in the table for later "
                    "matches."},
    {.key = "age", .type = PF_CONFIG_TIME, AT(age_ps), .standard = "0",
     .description = "A candidate is hashed again so much later and goes on only if the hash is the "
                    "same; 0: it goes on at once."},
    {.key = "io_active", .type = PF_CONFIG_TIME, AT(io_active_ps), .standard = "0",
     .description = "How long after a device has written a page it is left alone."},
    {.key = "recent", .type = PF_CONFIG_TIME, AT(recent_ps), .standard = "10s",
     .description = "How long a page that a device has written counts as disk or net in prefer and "
                    "exclude."},
    {.key = "prefer", .type = PF_CONFIG_STRINGS, AT(prefer), .standard = "",
     .description = "Pages to be looked at first: executed, readonly, disk, net (written by device "
                    "disk:... or net:...), or range:FIRST-LAST, addresses as 0x1000."},
    {.key = "exclude", .type = PF_CONFIG_STRINGS, AT(exclude), .standard = "",
     .description = "Pages that are never shared, likewise."},
    {.key = "queue", .type = PF_CONFIG_UINT, AT(queue_pages), .standard = "16384", .min = 1,
     .max = 1 << 24, .unit = "pages",
     .description = "What each queue holds at most: preferred pages, pages under age, pages that "
                    "devices wrote."},
    {.key = "known_good", .type = PF_CONFIG_STRINGS, AT(known_good), .standard = "",
     .description = "Keys, as 0x... in the third table of `run --format esx`, of contents that "
                    "stay as they are: such a page need not age and is marked copy-on-write at "
                    "once."},
    {.key = "known_bits", .type = PF_CONFIG_UINT, AT(known_bits), .standard = "65536", .min = 64,
     .max = (uint64_t)1 << 32, .unit = "bits",
     .description = "Size of the Bloom filter of the keys known to be good."},
    {.key = "known_hashes", .type = PF_CONFIG_UINT, AT(known_hashes), .standard = "4", .min = 1,
     .max = 32,
     .description = "Bits of that filter that a key sets."},
    {.key = "salting", .type = PF_CONFIG_ENUM, AT(salting), .standard = "none",
     .choices = saltings,
     .description = "Pages are shared within one context, one label, one colour of frames or one "
                    "NUMA node only, as keys carry a salt."},
    {.key = "locks", .type = PF_CONFIG_ENUM, AT(locks), .standard = "16", .choices = locks,
     .description = "Locks of the table: one, one for each value of 4 bits of the key, or one a "
                    "chain."},
};

/* The patent's prototype: "Initiation of Sharing Attempts". vSphere: "vSphere Resource
 * Management", advanced memory attributes Mem.ShareRateMax, Mem.ShareScanTime, Mem.ShareScanGHz. */
static const struct {
    uint64_t rate;
    uint64_t scan_time_ps;
    uint64_t scan_bytes_per_ghz;
} preset_values[] = {
    [PF_ESX_PRESET_PATENT] = {50, 0, 0},
    [PF_ESX_PRESET_VSPHERE] = {1024, 3600 * PF_PS_PER_SECOND, 4000000},
};

void pf_esx_config_resolve(PfEsxConfig *config)
{
    if (config->rate == PF_CONFIG_AUTO)
        config->rate = preset_values[config->preset].rate;
    if (config->scan_time_ps == PF_CONFIG_AUTO)
        config->scan_time_ps = preset_values[config->preset].scan_time_ps;
    if (config->scan_bytes_per_ghz == PF_CONFIG_AUTO)
        config->scan_bytes_per_ghz = preset_values[config->preset].scan_bytes_per_ghz;
}
