#include "error.h"
#include "import_format.h"
#include "import_words.h"

enum { ACCESS_BYTES_MAX = 4096 };

/* What is mapped at a time. */
#define CHUNK_BYTES ((uint64_t)2 << 20)

/* Maps the chunk of ADDRESS. */
static void map_chunk(PfAccesses *accesses, uint64_t address)
{
    uint64_t chunk = address / CHUNK_BYTES;
    if (chunk == accesses->last_chunk)
        return;
    accesses->last_chunk = chunk;
    gpointer key = (gpointer)(uintptr_t)chunk;
    if (!g_hash_table_add(accesses->chunks, key))
        return;
    PfTraceDetail detail = {.node = -1, .core = -1, .backing = PF_BACKING_ANON};
    pf_trace_writer_add(accesses->writer, &(PfRecord){.kind = PF_RECORD_MAP,
                                                      .context = accesses->context,
                                                      .address = chunk * CHUNK_BYTES,
                                                      .count = CHUNK_BYTES / PF_IMPORT_PAGE_BYTES,
                                                      .content = PF_TRACE_NO_CONTENT,
                                                      .detail = &detail});
}

static void add(PfAccesses *accesses, PfRecordKind kind, uint8_t flags, uint64_t address,
                uint64_t count)
{
    pf_trace_writer_add(accesses->writer, &(PfRecord){.kind = (uint8_t)kind,
                                                      .flags = flags,
                                                      .context = accesses->context,
                                                      .address = address,
                                                      .count = count,
                                                      .content = PF_TRACE_NO_CONTENT});
}

const char *pf_accesses_add(PfAccesses *accesses, PfRecordKind kind, uint8_t flags,
                            uint64_t address, uint64_t size)
{
    if (size == 0 || size > ACCESS_BYTES_MAX)
        return "a size must be within 1 .. 4096 bytes";
    if (address > UINT64_MAX - (size - 1))
        return "the access goes beyond the end of the address space";
    map_chunk(accesses, address);
    map_chunk(accesses, address + size - 1);
    add(accesses, kind, flags, address, size);
    accesses->records++;
    return NULL;
}

void pf_accesses_run(PfAccesses *accesses, uint64_t count)
{
    add(accesses, PF_RECORD_RUN, 0, 0, count);
    accesses->records++;
}

static bool is_blank(const char *line)
{
    return pf_import_at_end(line);
}

bool pf_accesses_take_lines(PfAccesses *accesses, PfInput *input, bool comments, PfTakeLine take,
                            GError **error)
{
    enum { LINES_A_LOOK = 4096 };
    g_autoptr(GError) cause = NULL;
    char line[PF_IMPORT_LINE_BYTES_MAX];
    for (uint64_t number = 1; pf_import_line(input, number, line, &cause); number++) {
        if (is_blank(line) || (comments && line[0] == '#'))
            continue;
        const char *problem = take(accesses, line);
        if (problem != NULL) {
            pf_import_line_error(input, number, line, problem, error);
            return false;
        }
        if (number % LINES_A_LOOK == 0 && pf_import_interrupted(accesses->interrupted, error))
            return false;
    }
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

bool pf_import_first_line(const PfImportSight *sight, bool (*looks)(const char *line))
{
    g_autoptr(PfInput) input = pf_input_new_bytes("", sight->bytes, sight->length);
    char line[PF_IMPORT_LINE_BYTES_MAX];
    while (pf_import_line(input, 1, line, NULL))
        if (!is_blank(line) && line[0] != '#' && !g_str_has_prefix(line, "==") &&
            !g_str_has_prefix(line, "--"))
            return looks(line);
    return false;
}

bool pf_import_interrupted(const int *interrupted, GError **error)
{
    if (interrupted == NULL || __atomic_load_n(interrupted, __ATOMIC_RELAXED) == 0)
        return false;
    g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return true;
}
