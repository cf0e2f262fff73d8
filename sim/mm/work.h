/* Work on whole pages and on tables, charged where it is done.
 *
 * A place is a core, or an engine that counts like one: a clock, the caches it reads through, and
 * who pays. One without a cache is at the memory controller: its bytes go to DRAM directly, and no
 * line is ever near. All cycles that are spent outside the instruction stream go through
 * pf_work_charge. By costs, work on a page by a core looks the page up once in the controller's
 * indirection table, if there is one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "controller.h"
#include "core.h"
#include "costs.h"
#include "hash_engine.h"
#include "indirection.h"
#include "ledger.h"

typedef struct {
    PfCore *core;   /* borrowed */
    PfCache *cache; /* the first level for data; NULL: at the memory controller; borrowed */
    uint16_t index; /* of the core; an engine that is no core has a higher one */
    uint8_t actor;  /* PfActor */
    uint8_t payer;  /* PfPayer */
    uint32_t context; /* whose it is, if contexts pay */
} PfPlace;

/* What holds up the contexts of a core beside their own work and waiting: write faults on shared or
 * protected pages, TLB invalidations whoever wants them, and else the policy's work there. */
typedef enum { PF_DELAY_BREAK, PF_DELAY_SHOOTDOWN, PF_DELAY_STOLEN, PF_DELAY_COUNT } PfDelay;

/* Page numbers of which the first line was read lately (timing by costs), and when. */
enum { PF_WORK_RECENT = 1 << 14 };

typedef struct {
    uint64_t line;       /* + 1 */
    uint64_t read_bytes; /* what the policy had read in all by then */
} PfRecentLine;

typedef struct {
    const PfCosts *costs; /* borrowed */
    PfLedger *ledger;     /* borrowed */
    PfCore *const *cores; /* of the machine; borrowed */
    uint32_t page_bytes;
    uint32_t line_bytes;
    bool full; /* bytes go through the caches; else they cost what the card says */
    uint16_t daemon_core;   /* index of the core that runs no context */
    uint64_t *context_cycles; /* by context: what it has paid; borrowed, NULL: not counted */
    uint64_t billed_cycles;   /* the sum of these */
    uint64_t stolen_cycles; /* that the policy spent on the cores of contexts */
    uint64_t engine_cycles; /* that it spent on no core at all */
    uint64_t (*delay_cycles)[PF_DELAY_COUNT]; /* by core; borrowed, NULL: not counted */
    PfController *controller; /* borrowed; NULL where no place is there */
    PfIndirection *table; /* through which cores reach DRAM; NULL: directly; borrowed */
    uint64_t cache_bytes;   /* of the last level; timing by costs: what it still holds */
    uint64_t read_bytes;    /* by pf_work_read and pf_work_compare so far */
    PfRecentLine *recent;   /* PF_WORK_RECENT of them */
    PfHashEngine *hash_engine; /* borrowed, NULL: there is none */
} PfWork;

/* A WORK is all zeros before, and gets the rest from its owner. */
void pf_work_init(PfWork *work);
void pf_work_clear(PfWork *work);

/* PLACE is busy for CYCLES. */
void pf_work_charge(PfWork *work, const PfPlace *place, PfAccount account, uint64_t cycles);

/* BYTES from ADDRESS on are about to be stored; call it before the caches are. */
static inline void pf_work_announce(const PfWork *work, PfMaddr address, uint64_t bytes)
{
    if (G_UNLIKELY(work->hash_engine != NULL) && work->full)
        pf_hash_engine_announce(work->hash_engine, address, bytes);
}

/* PLACE stores BYTES from ADDRESS on, a line a cycle from now; their old bytes are there at
 * READY_CYCLES. How many cycles it takes until a hash engine that follows stores has taken the last
 * of them. */
static inline uint64_t pf_work_follow(const PfWork *work, const PfPlace *place, PfMaddr address,
                                      uint64_t bytes, uint64_t ready_cycles)
{
    if (G_LIKELY(work->hash_engine == NULL))
        return 0;
    PfRequest request = {.address = address,
                         .now_cycles = place->core->now_cycles,
                         .core = place->index,
                         .actor = place->actor};
    return pf_hash_engine_store(work->hash_engine, &request, bytes, ready_cycles, work->full);
}

/* PLACE reads or stores BYTES from ADDRESS on; each line once, pipelined. */
void pf_work_read(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes);
void pf_work_fill(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes);
/* Likewise reads on until it has found something in the last of BYTES: a line at least. */
void pf_work_search(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                    uint64_t bytes);

/* Takes the lines of a page at ADDRESS out of all caches, at the controller; with WRITE_BACK dirty
 * ones go to DRAM. Nothing by costs. */
void pf_work_flush(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                   bool write_back);

/* The controller gives a page the frame TO: an entry of its table changes, and with COPIED the
 * bytes of FROM are copied there, in DRAM, while PLACE waits. */
void pf_work_break(PfWork *work, const PfPlace *place, PfAccount account, PfMpn from, PfMpn to,
                   bool copied);

/* PLACE copies a page. */
void pf_work_copy_page(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr from,
                       PfMaddr to);

/* Others have used the caches of the policy: no page is near any more. */
void pf_work_forget(PfWork *work);

/* PLACE looks at tables in use. By costs, lines about the page at ADDRESS alone are as near as that
 * page is (see pf_work_compare), and lines common to many are near. */
void pf_work_touch(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                   PfTouch touch);

/* PLACE compares two pages of which the first BYTES are equal; it reads one byte more unless that
 * is the page. By costs, a page is near if the last level of cache has not been read full since
 * the page was hashed or compared last. */
void pf_work_compare(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr a, PfMaddr b,
                     uint64_t bytes);
