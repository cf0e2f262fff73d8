/* How DRAM is configured: section machine.dram. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "dram_preset.h"

enum { PF_DRAM_RANKS_MAX = 16 };

typedef enum { PF_DRAM_FRFCFS, PF_DRAM_FCFS } PfDramScheduler;
typedef enum {
    PF_DRAM_PAGE_OPEN,
    PF_DRAM_PAGE_CLOSED,
    PF_DRAM_PAGE_ADAPTIVE,
    PF_DRAM_PAGE_TIMEOUT
} PfDramPagePolicy;
typedef enum {
    PF_DRAM_REFRESH_ALL_BANK,
    PF_DRAM_REFRESH_PER_BANK,
    PF_DRAM_REFRESH_NONE
} PfDramRefresh;

typedef enum {
    PF_DRAM_POWER_DOWN_OFF,
    PF_DRAM_POWER_DOWN_PRECHARGE,
    PF_DRAM_POWER_DOWN_SELF_REFRESH
} PfDramPowerDown;

/* As bound. A member of timing_ps that is 0 leaves the preset's value. */
typedef struct {
    int preset; /* index into pf_dram_presets */
    uint64_t channels;
    uint64_t ranks;
    const char *mapping; /* dram_map.h; NULL: RoBaRaCoCh */
    int scheduler; /* PfDramScheduler */
    uint64_t cap;
    int page_policy; /* PfDramPagePolicy */
    uint64_t page_timeout_ps;
    int refresh; /* PfDramRefresh */
    int power_down; /* PfDramPowerDown */
    uint64_t read_queue;
    uint64_t write_queue;
    uint64_t write_high_percent;
    uint64_t write_low_percent;
    struct {
#define PF_DRAM_MEMBER(member, key, meaning) uint64_t member;
        PF_DRAM_TIMINGS(PF_DRAM_MEMBER)
#undef PF_DRAM_MEMBER
    } timing_ps;
} PfDramConfig;

extern const PfConfigField pf_dram_fields[];
extern const size_t pf_dram_field_count;

/* What the controllers of all channels go by. Times are DRAM clocks. */
typedef struct {
    uint32_t ranks;
    uint32_t reads; /* entries of the queues */
    uint32_t writes;
    uint32_t high_writes; /* more than these: writes have their turn */
    uint32_t low_writes;  /* until there are fewer than these */
    uint32_t cap;         /* UINT32_MAX: none */
    int scheduler;
    int page_policy;
    int refresh;
    int power_down;
    uint64_t refresh_interval; /* UINT64_MAX: never */
    uint64_t timeout;
} PfDramSettings;

/* The defaults, without a configuration. */
PfDramConfig pf_dram_config_standard(void);

/* The preset of CONFIG with its own timings in place. False with PF_ERROR_CONFIG where such a
 * memory cannot be. */
bool pf_dram_resolve(const PfDramConfig *config, PfDramPreset *ret_timing,
                     PfDramSettings *ret_settings, GError **error);
