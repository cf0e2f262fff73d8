/* Which command a DRAM channel issues next. A part of dram_channel.c. */
#pragma once

#include "dram_channel.h"

/* Sets the channel's choice. */
void pf_dram_choose(PfDramChannel *channel);

/* The same, when an entry of BANK has arrived at clock ARRIVAL, which is `now` from here on. */
void pf_dram_choose_again(PfDramChannel *channel, uint32_t bank, uint64_t arrival);
