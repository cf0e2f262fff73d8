/* Counts how near the memory is that cores get their lines from, and tells of lines that caches
 * write back: a port between the caches and DRAM, which takes no time. */
#pragma once

#include "frame.h"
#include "machine.h"

/* Before NEXT (borrowed), whose frames have 1 << PAGE_SHIFT bytes. Registers numa.*. */
PfNuma *pf_numa_new(const PfMachineConfig *config, PfPort *next, unsigned page_shift,
                    PfStats *stats);
void pf_numa_free(PfNuma *numa);

/* Which node a frame is on, FRAMES (borrowed) say; nothing is counted before. */
void pf_numa_set_frames(PfNuma *numa, const PfFramePool *frames);

/* LISTENER is told, with USER, of each line that a cache writes back, before DRAM is; at its
 * frame's address, not at that of the bus. */
typedef void (*PfWriteBackListener)(void *user, const PfRequest *request);
void pf_numa_listen(PfNuma *numa, PfWriteBackListener listener, void *user);

/* What misses of the caches ask. */
PfPort *pf_numa_port(PfNuma *numa);
