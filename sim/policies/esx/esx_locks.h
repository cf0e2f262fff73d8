/* Locks of the table of pages, as time stamps.
 *
 * A request holds the lock of its key from the first look at the chain until the mappings are
 * changed. A request on another core that comes while the lock is held waits for the end of that.
 * Only requests that overlap in time can meet: those of contexts on several cores, with stolen
 * cycles. A second lock, for taking and giving back frames, is held while a
 * frame is put into its chain or taken out.
 *
 * Only the last holds are remembered: a request that comes so many requests later and yet, by its
 * core's clock, earlier, does not wait. */
#pragma once

#include "policy.h"

enum { PF_ESX_HOLDS = 64 };

typedef struct {
    uint64_t lock;
    uint64_t from_cycles;
    uint64_t until_cycles;
} PfEsxHold;

typedef struct {
    PfHost *host;      /* borrowed */
    uint64_t key_mask; /* bits of a key that choose its lock */
    PfEsxHold holds[PF_ESX_HOLDS];
    unsigned next; /* to be overwritten */
    uint64_t waits;
} PfEsxLocks;

/* The locks of CHOICE (PF_ESX_ONE_LOCK ...). */
void pf_esx_locks_init(PfEsxLocks *locks, PfHost *host, int choice);

/* Waits for the lock of KEY, charged to the account `lock`; returns the cycle from which on it is
 * held. */
uint64_t pf_esx_locks_take(PfEsxLocks *locks, uint64_t key);
/* Gives back the lock of KEY, which was taken at FROM_CYCLES. */
void pf_esx_locks_drop(PfEsxLocks *locks, uint64_t key, uint64_t from_cycles);

/* The same for the lock of the list of free frames. */
uint64_t pf_esx_locks_take_frames(PfEsxLocks *locks);
void pf_esx_locks_drop_frames(PfEsxLocks *locks, uint64_t from_cycles);

/* Bytes that locks take: 4 each where there is one a chain; the few others are no table. */
uint64_t pf_esx_locks_bytes(const PfEsxLocks *locks);
