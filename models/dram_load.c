#include "dram_load.h"

enum { ONE = 1 << 16, READS_PLAYED = 256 };

#define AT(member) .offset = offsetof(PfDramLoadConfig, member)

const PfConfigField pf_dram_load_fields[] = {
    {.key = "bandwidth", .type = PF_CONFIG_BANDWIDTH, AT(bytes_per_second), .standard = "0",
     .description = "What others read from DRAM all the time, of all nodes and channels evenly; 0: "
                    "nothing. Only where requests go to DRAM (timing = \"full\"), and not with "
                    "mode = \"dram\"."},
    {.key = "row_hits", .type = PF_CONFIG_DOUBLE, AT(row_hits), .standard = "0.5", .min = 0,
     .max = 1,
     .description = "The share of these reads that go to the row of the one before."},
};
const size_t pf_dram_load_field_count = G_N_ELEMENTS(pf_dram_load_fields);

PfDramLoad pf_dram_load(uint64_t period_parts, double row_hits)
{
    g_assert(period_parts > 0 && row_hits >= 0 && row_hits <= 1);
    return (PfDramLoad){.period_parts = period_parts,
                        .due_parts = period_parts,
                        .miss_parts = (uint32_t)((1 - row_hits) * ONE)};
}

PfDramEntry pf_dram_load_next(PfDramLoad *load, uint32_t banks, uint32_t rows)
{
    uint64_t due = load->due_parts >> 16;
    load->due_parts += load->period_parts;
    load->owed_parts += load->miss_parts;
    if (load->owed_parts >= ONE) {
        load->owed_parts -= ONE;
        uint64_t hash = ++load->rows * 0x9e3779b97f4a7c15U;
        load->bank = (uint32_t)(hash >> 48) % banks;
        load->row = (uint32_t)(hash >> 16) % rows;
    }
    load->waiting++;
    /* A line that nobody has, so no write is asked for it. */
    return (PfDramEntry){.line = UINT64_MAX,
                         .arrival = due,
                         .sent = due,
                         .row = load->row,
                         .bank = (uint16_t)load->bank,
                         .actor = PF_DRAM_LOAD_ACTOR};
}

uint64_t pf_dram_load_skip(PfDramLoad *load, uint64_t until)
{
    if (load->period_parts == 0 || until <= load->due_parts >> 16)
        return 0;
    uint64_t reads = ((until << 16) - load->due_parts) / load->period_parts;
    if (reads <= READS_PLAYED)
        return 0;
    load->due_parts += (reads - READS_PLAYED) * load->period_parts;
    return reads - READS_PLAYED;
}
