#include "collapse_config.h"

static const char *const whens[] = {"immediate", "settled", "idle", "pressure", "write-back",
                                    NULL};
static const char *const thens[] = {"at-once", "idle", "pressure", NULL};
static const char *const grains[] = {"store", "line-writeback", "settle", NULL};
static const char *const primaries[] = {"lowest", "oldest", "most-referenced", "given", NULL};
static const char *const frees[] = {"now", "gc", NULL};

static const char *const identicals[] = {"exact", "threshold", "masked", "range", NULL};

#define AT(member) .offset = offsetof(PfCollapseConfig, member)

const PfConfigField pf_collapse_fields[PF_COLLAPSE_FIELDS] = {
    PF_SWEEP_FIELDS,
    {.key = "when", .type = PF_CONFIG_ENUM, AT(when), .standard = "immediate", .choices = whens,
     .description = "When a page that was written is looked up: before the store is made, once it "
                    "was left alone for `settle`, while contexts are idle, while few frames "
                    "are free, or once caches have written its last dirty line back "
                    "(timing = \"full\")."},
    {.key = "collapse_when", .type = PF_CONFIG_ENUM, AT(then), .standard = "at-once",
     .choices = thens,
     .description = "When a duplicate that was found is collapsed: at once, or put off until "
                    "contexts are idle or few frames are free."},
    {.key = "look_up", .type = PF_CONFIG_ENUM, AT(grain), .standard = "store", .choices = grains,
     .description = "What `immediate` looks up: the result of each store before it is made, the "
                    "page with each dirty line that caches write back to memory "
                    "(timing = \"full\"), or once a burst of stores is over, that is, after "
                    "`settle` without one."},
    {.key = "settle", .type = PF_CONFIG_TIME, AT(settle_ps), .standard = "1us",
     .description = "How long a page was not written when it counts as settled."},
    {.key = "idle_share", .type = PF_CONFIG_DOUBLE, AT(idle_share), .standard = "1.0", .max = 1,
     .description = "Idle: at least this share of the contexts waits."},
    {.key = "pressure_free", .type = PF_CONFIG_DOUBLE, AT(pressure_free), .standard = "0.06",
     .max = 1,
     .description = "Pressure: fewer frames are free than this share of the machine's."},
    {.key = "primary", .type = PF_CONFIG_ENUM, AT(primary), .standard = "lowest",
     .choices = primaries,
     .description = "Which of two equal frames stays: that of the lowest number, the one that was "
                    "met first, the one that more pages map, or that of a page in `given`; the "
                    "lowest where this does not decide."},
    {.key = "given", .type = PF_CONFIG_STRINGS, AT(given), .standard = "",
     .description = "Pages whose frame stays, as CONTEXT:0xADDRESS."},
    {.key = "free", .type = PF_CONFIG_ENUM, AT(how_free), .standard = "now", .choices = frees,
     .description = "Whether the frame of a duplicate is free at once or when a collector comes."},
    {.key = "gc_interval", .type = PF_CONFIG_TIME, AT(gc_interval_ps), .standard = "10ms",
     .min = 1,
     .description = "How often the collector comes; it also comes when memory runs out."},
    {.key = "transient_stores", .type = PF_CONFIG_UINT, AT(transient_stores), .standard = "100",
     .description = "A page that is collapsed and copied again within so many stores counts as "
                    "transient."},
    {.key = "patterns", .type = PF_CONFIG_STRINGS, AT(patterns), .standard = "",
     .description = "Pages that are asked for with one of these contents share its first page: "
                    "zero, ones, or bytes that repeat, as hex:deadbeef."},
    {.key = "identical", .type = PF_CONFIG_ENUM, AT(identical), .standard = "exact",
     .choices = identicals,
     .description = "Which pages are deemed identical: of equal bytes; of so many equal bits "
                    "(threshold); but for `ignored_bits` (masked); or in a range of their bytes. "
                    "All but exact are lossy: they change what programs read."},
    {.key = "threshold", .type = PF_CONFIG_DOUBLE, AT(threshold), .standard = "0.75", .max = 1,
     .description = "Threshold: at least this share of bits is equal. Every page is compared, for "
                    "no hash finds such pages."},
    {.key = "ignored_bits", .type = PF_CONFIG_STRINGS, AT(ignored_bits), .standard = "",
     .description = "Masked: bits of a page, as 7 or 0-31; 0 is the highest of the first byte."},
    {.key = "used_offset", .type = PF_CONFIG_SIZE, AT(used_offset_bytes), .standard = "0",
     .description = "Range: the first byte that counts."},
    {.key = "used_bytes", .type = PF_CONFIG_SIZE, AT(used_bytes), .standard = "auto", .min = 1,
     .automatic = true, .unit = "bytes",
     .description = "Range: how many count from there on; auto: the rest."},
    {.key = "probe_pages", .type = PF_CONFIG_UINT, AT(probe_pages), .standard = "0",
     .unit = "pages",
     .description = "First pages of an allocation group that are looked up; if all of them equal "
                    "those of another group, its other pages are compared with those there, else "
                    "they are skipped. 0: groups mean nothing. Not for look-ups of each store."},
};
