/* The parameters of policy esx. */
#pragma once

#include "policy.h"

enum { PF_ESX_PRESET_PATENT, PF_ESX_PRESET_VSPHERE };
enum { PF_ESX_RANDOM, PF_ESX_SEQUENTIAL, PF_ESX_IDLE, PF_ESX_CPU_FRACTION, PF_ESX_ADAPTIVE };
enum { PF_ESX_MARK_HINT, PF_ESX_MARK_COW };
enum { PF_ESX_ASYNCHRONOUS, PF_ESX_SYNCHRONOUS };
enum { PF_ESX_ALWAYS, PF_ESX_UNDER_PRESSURE };
enum { PF_ESX_ONE_LOCK, PF_ESX_SIXTEEN_LOCKS, PF_ESX_LOCK_PER_CHAIN };
enum {
    PF_ESX_NO_SALT,
    PF_ESX_SALT_CONTEXT,
    PF_ESX_SALT_LABEL,
    PF_ESX_SALT_COLOR,
    PF_ESX_SALT_NODE
};

enum { PF_ESX_FIELDS = 25 };

/* The largest rate, in pages a second. */
#define PF_ESX_RATE_MAX ((uint64_t)1000000000)

typedef struct {
    int preset;
    int candidates;
    uint64_t rate;       /* pages a second of each context */
    uint64_t rate_total; /* pages a second over all; 0: no limit */
    uint64_t rate_min;
    uint64_t rate_max;
    uint64_t scan_time_ps;       /* 0: no limit */
    uint64_t scan_bytes_per_ghz; /* a second; 0: no limit */
    double cpu_fraction;
    int requests;
    int when;
    double free_share; /* of the machine's frames: pressure is below */
    int marking;
    bool keep_frame_at_one;
    uint64_t age_ps;
    uint64_t io_active_ps;
    uint64_t recent_ps;
    char **prefer;
    char **exclude;
    uint64_t queue_pages;
    char **known_good;
    uint64_t known_bits;
    uint64_t known_hashes;
    int salting;
    int locks;
} PfEsxConfig;

extern const PfConfigField pf_esx_fields[PF_ESX_FIELDS];

/* Puts what the preset says where CONFIG leaves it "auto". */
void pf_esx_config_resolve(PfEsxConfig *config);
