/* Which command a DRAM channel issues next. A part of dram_channel.c. */
#pragma once

#include "dram_channel.h"

/* Sets the channel's choice. */
void pf_dram_choose(PfDramChannel *channel);

/* The same, when entry INDEX has just arrived: `now` is its arrival from here on. */
void pf_dram_choose_again(PfDramChannel *channel, uint16_t index);
