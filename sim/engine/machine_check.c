/* Whether a machine that is configured can be built. Each model refuses what it cannot be when it
 * is made; here one of each is made and let go, so that the user is told the line. */
#include <string.h>

#include "machine.h"
#include "machine_check.h"
#include "tlb.h"
#include "walker.h"

/* Lines of all caches and entries of all TLBs and walk caches together: what a run keeps for them
 * stays below half a gibibyte each. */
enum { LINES_MAX = 1 << 26, ENTRIES_MAX = 1 << 23 };
enum { NAME_BYTES_MAX = 64 };

/* Models say "PART: what"; the complaint names the part itself. */
static void complain(PfConfigSection *section, const char *key, const GError *wrong)
{
    const char *what = strstr(wrong->message, ": ");
    pf_config_complain(section, key, "%s", what != NULL ? what + strlen(": ") : wrong->message);
}

/* As it is to be a word of names of statistics. */
static bool is_word(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(name);
    return strspn(name, letters) > 0 && length <= NAME_BYTES_MAX &&
           strspn(name, "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
               length;
}

static void check_levels(const PfMachineConfig *config, PfConfigSection *machine)
{
    uint64_t lines = 0;
    for (unsigned i = 0; i < config->cache_count; i++) {
        const PfCacheConfig *cache = &config->caches[i];
        PfConfigSection *section = pf_config_list_section(machine, "caches", i);
        g_autoptr(GError) wrong = NULL;
        if (cache->name != NULL && !is_word(cache->name))
            pf_config_complain(section, "name", "a name begins with a letter and has at most %d "
                               "letters, digits, - and _", NAME_BYTES_MAX);
        if (!pf_cache_is_possible(cache, &wrong)) {
            complain(section, NULL, wrong);
            continue;
        }
        /* One of each is the policy's own. */
        uint64_t count = cache->shared ? config->numa.count : config->cores + 1;
        lines += count * (cache->size_bytes / cache->line_bytes);
        if (lines > LINES_MAX) {
            pf_config_complain(section, "size", "the caches of all cores together have more than "
                               "%d lines, which are too many to be simulated", LINES_MAX);
            return;
        }
    }
}

static uint64_t tlb_entries(const PfTlbConfig *tlb)
{
    return tlb->entries + (tlb->large.held == PF_TLB_OWN ? tlb->large.entries : 0) +
           (tlb->huge.held == PF_TLB_OWN ? tlb->huge.entries : 0);
}

static void check_translation(const PfMachineConfig *config, PfConfigSection *machine)
{
    static const char *const names[] = {"l1i", "l1d", "l2"};
    const PfMmuConfig *mmu = &config->mmu;
    const PfTlbConfig *tlbs[] = {&mmu->instruction, &mmu->data, &mmu->second};
    PfConfigSection *section = pf_config_subsection(machine, "tlb");
    PfConfigSection *walk = pf_config_subsection(machine, "walk");
    uint64_t entries = mmu->walk.nested.entries;
    for (unsigned i = 0; i < G_N_ELEMENTS(mmu->walk.caches); i++)
        entries += mmu->walk.caches[i].entries;
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++)
        entries += tlb_entries(tlbs[i]);
    if (entries * (config->cores + 1) > ENTRIES_MAX) {
        pf_config_complain(section, NULL, "the TLBs and walk caches of all cores together have "
                           "more than %d entries, which are too many to be simulated", ENTRIES_MAX);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++) {
        g_autoptr(GError) wrong = NULL;
        bool is_absent = tlbs[i] == &mmu->second && mmu->second.entries == 0;
        if (!is_absent)
            pf_tlb_free(pf_tlb_new(names[i], tlbs[i], NULL, &wrong));
        if (wrong != NULL)
            complain(pf_config_subsection(section, names[i]), NULL, wrong);
    }
    g_autoptr(GError) wrong = NULL;
    g_autoptr(PfWalker) walker = pf_walker_new(&mmu->walk, NULL, &wrong);
    if (walker == NULL)
        complain(pf_config_subsection(walk, "cache"), NULL, wrong);
}

static void check_dram(const PfMachineConfig *config, PfConfigSection *machine)
{
    g_autoptr(GError) wrong = NULL;
    g_autoptr(PfDram) dram = pf_dram_new(&config->dram, config->clock_hz, NULL, &wrong);
    if (dram == NULL) {
        complain(pf_config_subsection(machine, "dram"), NULL, wrong);
        return;
    }
    uint64_t load = config->background.bytes_per_second / config->numa.count;
    if (!pf_dram_set_load(dram, load, config->background.row_hits, &wrong))
        complain(pf_config_subsection(machine, "background"), "bandwidth", wrong);
}

void machine_check_parts(const PfMachineConfig *config, PfConfigSection *machine)
{
    check_levels(config, machine);
    check_translation(config, machine);
    check_dram(config, machine);
}
