/* What the files of a DRAM share. */
#pragma once

#include "dram.h"
#include "dram_channel.h"
#include "dram_map.h"
#include "ratio.h"

enum { PF_DRAM_CORES_TOLD_APART = 256 };

/* A read through the port that has not been asked for. */
typedef struct {
    uint64_t done_clock; /* of its transactions' data, the last so far */
    uint64_t skew_cycles;
    uint64_t first_line;
    uint64_t last_line;
    uint32_t waiting; /* transactions that have not been served */
    uint32_t next_free;
} PfDramTicket;

struct PfDram {
    PfPort port;
    PfDramPreset timing;
    PfDramSettings settings;
    PfDramMap map;
    uint32_t channels; /* pseudo channels count */
    PfDramChannel *all_channels;
    PfRatio clocks_of_cycles;
    PfRatio cycles_of_clocks;
    uint64_t behind_cycles;
    uint64_t ahead_cycles;
    uint64_t latest_cycles; /* arrival of the newest request, skew included */
    uint64_t latest_clock;  /* up to which something is known to have happened */
    PfDramTicket *tickets;
    uint32_t ticket_count;
    uint32_t free_ticket; /* TICKET_COUNT: all are taken */
    PfDramStats stats; /* of all partners */
    PfDram *next;      /* the next of those who count into the first */
    bool is_partner;   /* and it is not the first */
    uint64_t skew_cycles[PF_DRAM_CORES_TOLD_APART];
};

/* Fills the place of ENTRY, whose `line` is set. Its channel. */
static inline PfDramChannel *pf_dram_place(PfDram *dram, PfDramEntry *entry)
{
    const PfDramMap *map = &dram->map;
    uint64_t address = entry->line * dram->timing.transaction_bytes;
    uint32_t bank = pf_dram_map_field(map, PF_DRAM_RANK, address);
    bank = bank * dram->timing.bank_groups + pf_dram_map_field(map, PF_DRAM_GROUP, address);
    bank = bank * dram->timing.banks + pf_dram_map_field(map, PF_DRAM_BANK, address);
    entry->bank = (uint16_t)bank;
    entry->row = pf_dram_map_field(map, PF_DRAM_ROW, address);
    return &dram->all_channels[pf_dram_map_field(map, PF_DRAM_CHANNEL, address)];
}

/* dram_stats.c */
void pf_dram_register(const PfDram *dram, PfStatsGroup *group);
