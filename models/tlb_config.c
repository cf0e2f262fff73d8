#include <math.h>
#include <string.h>

#include "tlb.h"

/* A latency is kept in a byte of each entry. */
enum { LATENCY_MAX = 255 };

static const char *const replacement_names[] = {"lru", "plru", NULL};
static const char *const held_names[] = {"shared", "own", "pieces", "nowhere", NULL};

static const PfConfigField base_fields[] = {
    {.key = "entries",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, entries),
     .max = PF_TLB_ENTRIES_MAX,
     .unit = "entries",
     .description = "Translations of base pages held; divided by ways a power of two of sets."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, ways),
     .max = PF_TLB_ENTRIES_MAX,
     .unit = "entries",
     .description = "Entries in a set; 0 is fully associative."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbConfig, latency_cycles),
     .max = LATENCY_MAX,
     .unit = "cycles",
     .description = "Time of a hit beside the caches'; a first level's is mostly hidden there."},
    {.key = "replacement",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfTlbConfig, replacement),
     .choices = replacement_names,
     .description = "Which entry of a full set makes room: by true use, or by a tree of bits."},
    {.key = "lookup_pJ",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfTlbConfig, lookup_pJ),
     .automatic = true,
     .unit = "pJ",
     .description = "Energy of a lookup, of entries of all sizes; auto: not known, and so is the "
                    "energy."},
    {.key = "leakage_mW",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfTlbConfig, leakage_mW),
     .automatic = true,
     .unit = "mW",
     .description = "Power that one such TLB takes always; auto: not known."},
};

static const PfConfigField size_fields[] = {
    {.key = "held",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfTlbSizeConfig, held),
     .choices = held_names,
     .description = "Where pages of this size are held: in the places of the next smaller size, in "
                    "an array of their own, in pieces of the next smaller size, or nowhere."},
    {.key = "entries",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbSizeConfig, entries),
     .max = PF_TLB_ENTRIES_MAX,
     .unit = "entries",
     .description = "Translations in an array of their own."},
    {.key = "ways",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbSizeConfig, ways),
     .max = PF_TLB_ENTRIES_MAX,
     .unit = "entries",
     .description = "Entries in a set of that; 0 is fully associative."},
    {.key = "latency",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfTlbSizeConfig, latency_cycles),
     .max = LATENCY_MAX,
     .unit = "cycles",
     .description = "Time of a hit in that."},
};

/* The MEMBER of a standard as a row's default. */
static char *standard_text(const PfConfigField *row, const void *member)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (row->type == PF_CONFIG_ENUM)
        return g_strdup(row->choices[*(const int *)member]);
    if (row->type == PF_CONFIG_UINT)
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const uint64_t *)member);
    double value = *(const double *)member;
    return g_strdup(isnan(value) ? "auto" : g_ascii_dtostr(number, sizeof number, value));
}

/* Binds COUNT rows of FIELDS with the members of STANDARD as defaults. The rows stay with the
 * configuration, which may print them later. */
static void bind_rows(PfConfigSection *section, const PfConfigField *fields, size_t count,
                      const void *standard, void *target)
{
    PfConfigField *rows = g_memdup2(fields, count * sizeof *fields);
    for (size_t i = 0; i < count; i++) {
        char *text = standard_text(&rows[i], (const char *)standard + rows[i].offset);
        rows[i].standard = text;
        pf_config_adopt(section, text);
    }
    pf_config_adopt(section, rows);
    pf_config_bind(section, rows, count, target);
}

void pf_tlb_bind(PfConfigSection *section, const PfTlbConfig *standard, PfTlbConfig *config)
{
    const PfTlbConfig before = *standard;
    bind_rows(section, base_fields, G_N_ELEMENTS(base_fields), &before, config);
    bind_rows(pf_config_subsection(section, "large"), size_fields, G_N_ELEMENTS(size_fields),
              &before.large, &config->large);
    bind_rows(pf_config_subsection(section, "huge"), size_fields, G_N_ELEMENTS(size_fields),
              &before.huge, &config->huge);
}
