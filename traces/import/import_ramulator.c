#include "import_format.h"
#include "import_words.h"

enum { REQUEST_BYTES = 64 };

static bool read_request(const char *line, bool *ret_is_write, uint64_t *ret_address)
{
    bool is_write = pf_import_word(&line, "ST");
    bool sound;
    if (is_write || pf_import_word(&line, "LD")) {
        sound = pf_import_blanks(&line) && pf_import_number(&line, 10, ret_address);
    } else {
        sound = pf_import_number(&line, 10, ret_address) && pf_import_blanks(&line);
        is_write = sound && pf_import_word(&line, "W");
        sound = sound && (is_write || pf_import_word(&line, "R"));
    }
    *ret_is_write = is_write;
    return sound && pf_import_at_end(line);
}

static const char *take_line(PfAccesses *accesses, const char *line)
{
    uint64_t address;
    bool is_write;
    if (!read_request(line, &is_write, &address))
        return "expected LD ADDRESS, ST ADDRESS, ADDRESS R or ADDRESS W";
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
    bool is_write;
    return read_request(line, &is_write, &address);
}

static bool looks(const PfImportSight *sight)
{
    return pf_import_first_line(sight, line_looks);
}

const PfImportFormat pf_import_ramulator = {
    .name = "ramulator",
    .summary = "LD|ST ADDRESS or ADDRESS R|W, a line each (Ramulator)",
    .looks = looks,
    .take = take,
};
