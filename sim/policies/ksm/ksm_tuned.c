#include "ksm_tuned.h"

#include <glib.h>

#include "units.h"

/* The machine that KSM_SLEEP_MSEC is meant for. */
#define REFERENCE_KIB ((uint64_t)16 * 1024 * 1024)

#define PS_PER_MILLISECOND (PF_PS_PER_SECOND / 1000)

enum { SLEEP_MS_MIN = 10 };

PfKsmTuning pf_ksm_tuned_look(PfKsmTuned *tuned, const PfKsmConfig *config,
                              const PfKsmMemory *memory)
{
    uint64_t threshold = MAX(memory->total * config->tuned_coefficient_percent / 100,
                             config->tuned_constant_bytes / PF_KIB);
    if (memory->committed + threshold < memory->total && memory->free > threshold)
        return (PfKsmTuning){.run = false};
    uint64_t pages = tuned->pages;
    if (memory->free < threshold)
        pages += config->tuned_boost_pages;
    else
        pages = pages > config->tuned_decay_pages ? pages - config->tuned_decay_pages : 0;
    tuned->pages = MAX(MIN(pages, config->tuned_max_pages), config->tuned_min_pages);
    uint64_t sleep_ms = config->tuned_sleep_ps / PS_PER_MILLISECOND;
    return (PfKsmTuning){.run = true,
                         .pages_to_scan = tuned->pages,
                         .sleep_millisecs =
                             MAX(sleep_ms * REFERENCE_KIB / MAX(memory->total, 1), SLEEP_MS_MIN)};
}
