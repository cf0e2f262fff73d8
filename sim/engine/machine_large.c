#include "machine_large.h"

static const char *const pages_choices[] = {"never", "madvise", "always", NULL};
static const char *const cow_choices[] = {"copy", "split", NULL};
static const char *const guest_choices[] = {"same", "base", "large", NULL};

#define AT(member) .offset = offsetof(PfLargeConfig, member)

static const PfConfigField fields[] = {
    {.key = "pages", .type = PF_CONFIG_ENUM, AT(pages), .standard = "madvise",
     .choices = pages_choices,
     .description = "Anonymous memory that is mapped by large pages, each instead of 512 others: "
                    "none, what the trace maps with huge= or advises huge, or all that it does not "
                    "advise nohuge."},
    {.key = "cow", .type = PF_CONFIG_ENUM, AT(cow), .standard = "copy", .choices = cow_choices,
     .description = "What a store to a large page that a fork shares copies: all of it, as Linux "
                    "does with hugetlbfs, or one page of it, which is split then, as with "
                    "transparent huge pages; with on_full = swap always the latter."},
    {.key = "guest", .type = PF_CONFIG_ENUM, AT(guest), .standard = "same",
     .choices = guest_choices,
     .description = "How virtual machines map their memory themselves: large where the host does "
                    "so, not at all, or everywhere. TLB entries are of the smaller of both sizes. "
                    "Processes whose virtual addresses the trace tells map base pages."},
    {.key = "join_every", .type = PF_CONFIG_TIME, AT(join_every_ps), .standard = "10s",
     .description = "How often a daemon looks for pages to be mapped large, by copying them if "
                    "need be; 0: never. Linux: khugepaged's scan_sleep_millisecs."},
    {.key = "join_runs", .type = PF_CONFIG_UINT, AT(join_runs), .standard = "8", .min = 1,
     .max = 1000000000, .unit = "runs",
     .description = "Runs of 512 pages that it looks at each time; Linux: pages_to_scan."},
};

void pf_large_bind(PfConfigSection *section, PfLargeConfig *config)
{
    pf_config_bind(section, fields, G_N_ELEMENTS(fields), config);
}
