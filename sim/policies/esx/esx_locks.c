#include "esx_locks.h"

#include "esx_config.h"
#include "units.h"

enum { SIXTEEN = 16, LOCK_BYTES = 4 };

/* No key has it: masks are narrower. */
#define LOCK_OF_FRAMES UINT64_MAX

void pf_esx_locks_init(PfEsxLocks *locks, PfHost *host, int choice)
{
    uint64_t count = 1;
    if (choice == PF_ESX_SIXTEEN_LOCKS)
        count = SIXTEEN;
    else if (choice == PF_ESX_LOCK_PER_CHAIN)
        count = pf_next_power_of_two(pf_host_frame_capacity(host));
    *locks = (PfEsxLocks){.host = host, .key_mask = count - 1};
}

static uint64_t take(PfEsxLocks *locks, uint64_t lock)
{
    uint64_t now = pf_host_now(locks->host);
    uint64_t free_at = now;
    /* Who waited has held it from there on: the end of one hold may be the beginning of another. */
    for (unsigned i = 0; i < PF_ESX_HOLDS; i++) {
        const PfEsxHold *hold = &locks->holds[i];
        if (hold->lock != lock || hold->from_cycles > free_at || hold->until_cycles <= free_at)
            continue;
        free_at = hold->until_cycles;
        i = UINT_MAX; /* once more from the first */
    }
    if (free_at > now) {
        locks->waits++;
        pf_host_charge(locks->host, PF_ACCOUNT_LOCK, free_at - now);
    }
    return free_at;
}

static void drop(PfEsxLocks *locks, uint64_t lock, uint64_t from_cycles)
{
    uint64_t now = pf_host_now(locks->host);
    if (now == from_cycles)
        return;
    locks->holds[locks->next] = (PfEsxHold){lock, from_cycles, now};
    locks->next = (locks->next + 1) % PF_ESX_HOLDS;
}

uint64_t pf_esx_locks_take(PfEsxLocks *locks, uint64_t key)
{
    return take(locks, key & locks->key_mask);
}

void pf_esx_locks_drop(PfEsxLocks *locks, uint64_t key, uint64_t from_cycles)
{
    drop(locks, key & locks->key_mask, from_cycles);
}

uint64_t pf_esx_locks_take_frames(PfEsxLocks *locks)
{
    return take(locks, LOCK_OF_FRAMES);
}

void pf_esx_locks_drop_frames(PfEsxLocks *locks, uint64_t from_cycles)
{
    drop(locks, LOCK_OF_FRAMES, from_cycles);
}

uint64_t pf_esx_locks_bytes(const PfEsxLocks *locks)
{
    return locks->key_mask + 1 > SIXTEEN ? (locks->key_mask + 1) * LOCK_BYTES : 0;
}
