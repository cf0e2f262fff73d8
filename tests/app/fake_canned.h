/* The results that the fake simulation has. */
#pragma once

#include "stats.h"

enum { FAKE_STATS = 22, FAKE_EPOCHS = 3, FAKE_EPOCH_COLUMNS = 2, FAKE_RUNS = 3 };

typedef struct {
    const char *policy;
    const char *scope;
    const char *remark;
    PfStatValue values[FAKE_STATS];
    uint64_t epoch_cycles[FAKE_EPOCHS];
    PfStatValue epochs[FAKE_EPOCHS][FAKE_EPOCH_COLUMNS];
} FakeRun;

extern const PfStatInfo fake_infos[FAKE_STATS];
extern const FakeRun fake_canned[FAKE_RUNS];
