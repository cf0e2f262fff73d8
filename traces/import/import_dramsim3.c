#include "import_format.h"
#include "import_words.h"

enum { REQUEST_BYTES = 64 };

static bool read_request(const char *line, bool *ret_is_write, uint64_t *ret_address,
                         uint64_t *ret_cycle)
{
    bool sound = pf_import_number(&line, 16, ret_address) && pf_import_blanks(&line);
    *ret_is_write = sound && pf_import_word(&line, "WRITE");
    return sound && (*ret_is_write || pf_import_word(&line, "READ")) && pf_import_blanks(&line) &&
           pf_import_digits(&line, 10, ret_cycle) && pf_import_at_end(line);
}

static const char *take_line(PfAccesses *accesses, const char *line)
{
    uint64_t address;
    uint64_t cycle;
    bool is_write;
    if (!read_request(line, &is_write, &address, &cycle))
        return "expected ADDRESS READ CYCLE or ADDRESS WRITE CYCLE";
    if (cycle > UINT64_MAX / 2 / accesses->cycle_ps)
        return "the cycle is too late to be told in picoseconds";
    uint64_t time_ps = cycle * accesses->cycle_ps;
    if (time_ps < accesses->time_ps)
        return "the cycle is before that of the line above";
    if (time_ps > accesses->time_ps)
        pf_trace_writer_add(accesses->writer, &(PfRecord){.kind = PF_RECORD_TIME,
                                                          .context = PF_TRACE_NO_CONTEXT,
                                                          .count = time_ps,
                                                          .content = PF_TRACE_NO_CONTENT});
    accesses->time_ps = time_ps;
    return pf_accesses_add(accesses, is_write ? PF_RECORD_WRITE : PF_RECORD_READ, 0,
                           address / REQUEST_BYTES * REQUEST_BYTES, REQUEST_BYTES);
}

static bool take(PfAccesses *accesses, PfInput *input, GError **error)
{
    return pf_accesses_take_lines(accesses, input, true, take_line, error);
}

static bool line_looks(const char *line)
{
    uint64_t address;
    uint64_t cycle;
    bool is_write;
    return read_request(line, &is_write, &address, &cycle);
}

static bool looks(const PfImportSight *sight)
{
    return pf_import_first_line(sight, line_looks);
}

const PfImportFormat pf_import_dramsim3 = {
    .name = "dramsim3",
    .summary = "ADDRESS READ|WRITE CYCLE, a line each (DRAMsim3)",
    .has_cycles = true,
    .looks = looks,
    .take = take,
};
