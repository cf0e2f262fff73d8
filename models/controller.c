#include "controller.h"

struct PfController {
    PfPort *dram;
    const PfIndirection *table; /* NULL: addresses are DRAM's */
    PfCoherence *coherence; /* borrowed */
    uint64_t snoop_cycles;
    uint32_t line_bytes;
    PfControllerStats stats;
};

const PfConfigField pf_controller_fields[] = {
    {.key = "snoop",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfControllerConfig, snoop_cycles),
     .standard = "90",
     .max = 1000000,
     .unit = "cycles",
     .description = "To get a line that a cache holds dirty; twice the way to a standard l3."},
};
const size_t pf_controller_field_count = G_N_ELEMENTS(pf_controller_fields);

PfController *pf_controller_new(const PfControllerConfig *config, PfPort *dram,
                                PfCoherence *coherence, uint32_t line_bytes, PfStatsGroup *stats)
{
    PfController *controller = g_new0(PfController, 1);
    controller->dram = dram;
    controller->coherence = coherence;
    controller->snoop_cycles = config->snoop_cycles;
    controller->line_bytes = line_bytes;
    if (stats != NULL) {
        pf_stats_counter(stats, "reads", "events", "Lines read by work at the memory controller.",
                         &controller->stats.reads);
        pf_stats_counter(stats, "writes", "events",
                         "Lines written by work at the memory controller.",
                         &controller->stats.writes);
        pf_stats_counter(stats, "snoops", "events",
                         "Of those read, lines that a cache held dirty and DRAM was not asked for.",
                         &controller->stats.snoops);
    }
    return controller;
}

void pf_controller_free(PfController *controller)
{
    g_free(controller);
}

void pf_controller_set_table(PfController *controller, const PfIndirection *table)
{
    controller->table = table;
}

const PfControllerStats *pf_controller_stats(const PfController *controller)
{
    return &controller->stats;
}

bool pf_controller_is_dirty(const PfController *controller, PfMaddr address)
{
    return pf_coherence_is_dirty(controller->coherence, address);
}

PfMaddr pf_controller_translate(const PfController *controller, PfMaddr address)
{
    return controller->table != NULL ? pf_indirection_translate(controller->table, address)
                                     : address;
}

static uint64_t ask_dram(const PfController *controller, const PfRequest *request)
{
    PfRequest below = *request;
    below.address = pf_controller_translate(controller, request->address);
    return pf_port_wait(controller->dram, pf_port_access(controller->dram, &below));
}

static void drop_line(const PfController *controller, PfMaddr address)
{
    pf_coherence_drop(controller->coherence, address, controller->line_bytes);
}

static uint64_t read_line(PfController *controller, const PfRequest *request)
{
    controller->stats.reads++;
    if (!pf_controller_is_dirty(controller, request->address))
        return ask_dram(controller, request);
    controller->stats.snoops++;
    return request->now_cycles + controller->snoop_cycles;
}

static uint64_t write_line(PfController *controller, const PfRequest *request)
{
    controller->stats.writes++;
    drop_line(controller, request->address);
    return ask_dram(controller, request);
}

/* What FIRST says, for its first whole line. */
static PfRequest first_line(const PfController *controller, const PfRequest *first)
{
    PfRequest request = *first;
    request.address.bytes &= ~(uint64_t)(controller->line_bytes - 1);
    request.size_bytes = controller->line_bytes;
    return request;
}

uint64_t pf_controller_run(PfController *controller, const PfRequest *first, uint32_t lines)
{
    PfRequest request = first_line(controller, first);
    uint64_t done_cycles = first->now_cycles;
    for (uint32_t i = 0; i < lines; i++) {
        uint64_t answer = request.kind == PF_ACCESS_WRITE ? write_line(controller, &request)
                                                          : read_line(controller, &request);
        done_cycles = MAX(done_cycles, answer);
        request.address.bytes += controller->line_bytes;
        request.now_cycles++;
    }
    return done_cycles;
}

uint64_t pf_controller_flush(PfController *controller, const PfRequest *first, uint32_t lines,
                             bool write_back)
{
    PfRequest request = first_line(controller, first);
    uint64_t done_cycles = first->now_cycles;
    for (uint32_t i = 0; i < lines; i++) {
        PfRequest line = request;
        if (write_back && pf_controller_is_dirty(controller, line.address)) {
            line.kind = PF_ACCESS_READ;
            line.now_cycles = read_line(controller, &line);
            line.kind = PF_ACCESS_WRITE;
            line.now_cycles = write_line(controller, &line);
        }
        drop_line(controller, line.address);
        done_cycles = MAX(done_cycles, line.now_cycles);
        request.address.bytes += controller->line_bytes;
        request.now_cycles++;
    }
    return done_cycles;
}
