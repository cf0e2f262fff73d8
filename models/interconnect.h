/* What lies between the caches of each node and the memory of all: a port that adds the way.
 *
 * Semantics of the corner cases:
 *   - An access to a frame of the core's own node goes straight on.
 *   - One to another node takes its way there and back, in proportion to what the distance between
 *     the two is more than 10: half of it before memory is asked, the rest after. A line that is
 *     read comes back on the link from its node to the core's; each ordered pair of nodes has one.
 *     The first word of a line is not kept back by the others, so an unloaded read takes what a
 *     local one does and the way; lines in a row are as far apart as the link makes them.
 *   - A line that is written back goes out on the link in the other direction. It is posted: its
 *     sender waits for the link and for the queue of DRAM, not for the way.
 *   - What is no frame (page tables) is on the node of the core that asks.
 *
 * With one node there is no interconnect: who assembles the machine leaves the port out.
 *
 * What the model cannot do: no routes over third nodes that share a link with others; requests and
 * acknowledgements take no bandwidth, nor do probes of caches (coherence.h) and what these send. */
#pragma once

#include "homes.h"
#include "link.h"
#include "stats.h"

typedef struct {
    uint64_t clock_hz;
    uint64_t line_bytes;
    uint64_t unit_ps; /* what a distance of 10 more adds to a read */
    uint64_t link_bytes_per_second; /* of each; 0: no limit */
} PfInterconnectConfig;

typedef enum { PF_NEAR_LOCAL, PF_NEAR_REMOTE, PF_NEAR_COUNT } PfNear;

/* What one context read. */
typedef struct {
    uint64_t reads[PF_NEAR_COUNT];
    uint64_t cycles[PF_NEAR_COUNT]; /* of these, from asking to having */
} PfNearCounts;

/* Told of reads of frames by contexts. */
typedef void (*PfNearWatcher)(void *user, PfMpn frame, uint16_t core, bool is_local);

/* Starts with its PfPort. */
typedef struct PfInterconnect PfInterconnect;

/* In front of HOMES (borrowed), which is reached by NEXT (borrowed): its port, or what stands
 * before it. Contexts run on the first CORES cores. Statistics of lines and links are registered in
 * STATS, which may be NULL. */
PfInterconnect *pf_interconnect_new(const PfInterconnectConfig *config, const PfHomes *homes,
                                    PfPort *next, unsigned cores, PfStatsGroup *stats);
void pf_interconnect_free(PfInterconnect *interconnect);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfInterconnect, pf_interconnect_free)

/* What misses of the caches ask; borrowed. */
PfPort *pf_interconnect_port(PfInterconnect *interconnect);

/* From now on reads of contexts are put down to CONTEXT_OF_CORE (borrowed, an element for each
 * core). */
void pf_interconnect_tell_contexts(PfInterconnect *interconnect, const uint32_t *context_of_core);
/* What CONTEXT read since the last restart. */
PfNearCounts pf_interconnect_counts(const PfInterconnect *interconnect, uint32_t context);
void pf_interconnect_restart(PfInterconnect *interconnect);

/* WATCHER is told from now on. */
void pf_interconnect_watch(PfInterconnect *interconnect, PfNearWatcher watcher, void *user);

/* Cycles that an unloaded read by a core of FROM takes more where memory is TO's. */
uint64_t pf_interconnect_way_cycles(const PfInterconnect *interconnect, unsigned from,
                                    unsigned to);

/* Asserts: links in order, no more reads finished than were begun. */
void pf_interconnect_check(const PfInterconnect *interconnect);
