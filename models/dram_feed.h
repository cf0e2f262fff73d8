/* A requester of DRAM alone: sends transactions in order straight to the controllers, which choose
 * among all that wait, as fast as they are taken, with a bounded number of reads outstanding, or at
 * given times.
 *
 * A read is outstanding until its data has ended; a write until it is taken. With a bound the
 * requester sees data at the clock at which it ends and its next request, sent then, reaches its
 * controller one clock later: latency counts from the sending. A request whose queue is full waits
 * outside and those behind it wait too; latency then counts from when it is taken, unless it was
 * sent at a time of its own. At most one request is sent a clock. */
#pragma once

#include "dram.h"

/* DRAM is borrowed and is not to be used through its port meanwhile. OUTSTANDING: reads at a time,
 * 0 for no bound. */
typedef struct PfDramFeed PfDramFeed;
PfDramFeed *pf_dram_feed_new(PfDram *dram, uint32_t outstanding);
void pf_dram_feed_free(PfDramFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfDramFeed, pf_dram_feed_free)

/* Sends the transaction of ADDRESS, not before clock NOT_BEFORE (0: as soon as it can be). */
void pf_dram_feed_send(PfDramFeed *feed, PfMaddr address, bool is_write, uint64_t not_before);

/* The clock at which the last request arrived. */
uint64_t pf_dram_feed_clock(const PfDramFeed *feed);

/* Serves all that waits. The clock at which the last data ends, from which on more may be sent. */
uint64_t pf_dram_feed_finish(PfDramFeed *feed);
