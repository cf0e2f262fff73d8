/* What can be set of coherence, and what it counts. */
#include "coherence.h"

const PfConfigField pf_coherence_fields[] = {
    {.key = "kept",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(PfCoherenceConfig, kept),
     .standard = "true",
     .description = "Whether stores of a core reach what others' private caches hold."},
    {.key = "probe",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCoherenceConfig, probe_cycles),
     .standard = "30",
     .max = 1000000,
     .unit = "cycles",
     .description = "From the shared level to another core's caches and back. Sandy Bridge: a line "
                    "that another core has dirty takes 60, one of the third level 26 to 31 "
                    "(Intel's optimisation manual)."},
};
const size_t pf_coherence_field_count = G_N_ELEMENTS(pf_coherence_fields);

void pf_coherence_register(PfStatsGroup *stats, const PfCoherenceStats *counted)
{
    if (stats == NULL)
        return;
    const PfStatCounter counters[] = {
        {"probes", "events", &counted->probes, "Requests that another core's caches delayed."},
        {"invalidations", "events", &counted->invalidations,
         "Lines that a core's caches dropped because another core stored to them."},
        {"forwards", "events", &counted->forwards,
         "Reads answered by another core's caches, which had the line dirty."},
        {"writebacks", "events", &counted->writebacks,
         "Dirty lines written to the shared level because another core asked."},
    };
    pf_stats_counters(stats, counters, G_N_ELEMENTS(counters));
}
