#include <string.h>

#include "import_format.h"
#include "import_words.h"

static const char *read_line(const char *line, char *ret_kind, uint64_t *ret_address,
                             uint64_t *ret_size)
{
    pf_import_blanks(&line);
    *ret_kind = *line;
    if (*line == '\0' || strchr("ILSM", *line) == NULL)
        return "expected I, L, S or M, an address and a size";
    line++;
    if (!pf_import_blanks(&line) || !pf_import_digits(&line, 16, ret_address) || *line++ != ',' ||
        !pf_import_digits(&line, 10, ret_size) || !pf_import_at_end(line))
        return "expected ADDRESS,SIZE behind I, L, S or M";
    return NULL;
}

static const char *take_line(PfAccesses *accesses, const char *line)
{
    static const char *const others[] = {"==", "--", "**", "##"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_has_prefix(line, others[i]))
            return NULL;
    char kind;
    uint64_t address;
    uint64_t size;
    const char *problem = read_line(line, &kind, &address, &size);
    if (problem != NULL)
        return problem;
    if (kind == 'I')
        pf_accesses_run(accesses, 1);
    if (kind != 'S')
        problem = pf_accesses_add(accesses, kind == 'I' ? PF_RECORD_FETCH : PF_RECORD_READ, 0,
                                  address, size);
    if (problem == NULL && (kind == 'S' || kind == 'M'))
        problem = pf_accesses_add(accesses, PF_RECORD_WRITE, kind == 'M' ? PF_RECORD_MODIFIES : 0,
                                  address, size);
    return problem;
}

static bool take(PfAccesses *accesses, PfInput *input, GError **error)
{
    return pf_accesses_take_lines(accesses, input, false, take_line, error);
}

static bool line_looks(const char *line)
{
    char kind;
    uint64_t address;
    uint64_t size;
    return read_line(line, &kind, &address, &size) == NULL;
}

static bool looks(const PfImportSight *sight)
{
    return pf_import_first_line(sight, line_looks);
}

const PfImportFormat pf_import_lackey = {
    .name = "lackey",
    .summary = "what valgrind --tool=lackey --trace-mem=yes prints",
    .looks = looks,
    .take = take,
};
