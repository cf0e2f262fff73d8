#include "ksm_advisor.h"

#include <glib.h>

enum {
    EWMA_WEIGHT_PERCENT = 30,
    CPU_MIN_PERCENT = 10, /* that the daemon may always take */
};

uint64_t pf_ksm_advise(PfKsmAdvisor *advisor, const PfKsmConfig *config, uint64_t pages_to_scan,
                       uint64_t scan_seconds, uint64_t busy_ms)
{
    uint64_t seconds = MAX(scan_seconds, 1);
    uint64_t cpu_percent = MAX(busy_ms * 100 / (seconds * 1000), 1);
    uint64_t factor = MAX(config->advisor_target_scan_time * 100 / seconds, 1);
    uint64_t last = advisor->last_scan_seconds != 0 ? advisor->last_scan_seconds : seconds;
    uint64_t change = MAX(seconds * 100 / last, 1);
    advisor->change_percent =
        ((100 - EWMA_WEIGHT_PERCENT) * advisor->change_percent + EWMA_WEIGHT_PERCENT * change) /
        100;
    advisor->last_scan_seconds = seconds;
    uint64_t pages = pages_to_scan * 100 / factor * advisor->change_percent / 100;
    uint64_t pages_a_percent = MAX(pages_to_scan / cpu_percent, 1);
    pages = MIN(pages, pages_a_percent * config->advisor_max_cpu);
    pages = MAX(pages, pages_a_percent * CPU_MIN_PERCENT);
    return MIN(pages, config->advisor_max_pages_to_scan);
}
