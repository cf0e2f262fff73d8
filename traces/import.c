#include "import.h"

#include <string.h>

#include "error.h"

/* The longest line that any of the formats needs, with room to spare. */
enum { LINE_BYTES_MAX = 256, REQUEST_BYTES = 64, ACCESS_BYTES_MAX = 4096 };

/* What is mapped at a time. */
#define CHUNK_BYTES ((uint64_t)2 << 20)

typedef struct {
    PfTraceWriter *writer;
    GHashTable *chunks; /* numbers of those that are mapped */
    uint64_t last_chunk;
    uint32_t context;
    uint64_t cycle_ps;
    uint64_t time_ps;
} Import;

struct PfImportFormat {
    const char *name;
    bool has_comments;
    /* Adds the records of LINE. What is wrong with it, or NULL. */
    const char *(*take)(Import *import, const char *line);
};

/* Maps the chunk of ADDRESS. */
static void map_chunk(Import *import, uint64_t address)
{
    uint64_t chunk = address / CHUNK_BYTES;
    if (chunk == import->last_chunk)
        return;
    import->last_chunk = chunk;
    gpointer key = (gpointer)(uintptr_t)chunk;
    if (!g_hash_table_add(import->chunks, key))
        return;
    PfTraceDetail detail = {.node = -1, .core = -1, .backing = PF_BACKING_ANON};
    pf_trace_writer_add(import->writer, &(PfRecord){.kind = PF_RECORD_MAP,
                                                    .context = import->context,
                                                    .address = chunk * CHUNK_BYTES,
                                                    .count = CHUNK_BYTES / PF_IMPORT_PAGE_BYTES,
                                                    .content = PF_TRACE_NO_CONTENT,
                                                    .detail = &detail});
}

static void add(Import *import, PfRecordKind kind, uint8_t flags, uint64_t address, uint64_t count)
{
    pf_trace_writer_add(import->writer, &(PfRecord){.kind = (uint8_t)kind,
                                                    .flags = flags,
                                                    .context = import->context,
                                                    .address = address,
                                                    .count = count,
                                                    .content = PF_TRACE_NO_CONTENT});
}

/* An access of SIZE bytes. What is wrong with it, or NULL. */
static const char *add_access(Import *import, PfRecordKind kind, uint8_t flags, uint64_t address,
                              uint64_t size)
{
    if (size == 0 || size > ACCESS_BYTES_MAX)
        return "a size must be within 1 .. 4096 bytes";
    if (address > UINT64_MAX - (size - 1))
        return "the access goes beyond the end of the address space";
    map_chunk(import, address);
    map_chunk(import, address + size - 1);
    add(import, kind, flags, address, size);
    return NULL;
}

/* Reads the digits of a number to BASE, at least one, and moves behind them. */
static bool read_digits(const char **text, int base, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *start = *text;
    for (;; (*text)++) {
        int digit = base == 16 ? g_ascii_xdigit_value(**text) : g_ascii_digit_value(**text);
        if (digit < 0)
            break;
        if (number > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base)
            return false;
        number = number * (uint64_t)base + (uint64_t)digit;
    }
    *ret_number = number;
    return *text > start;
}

/* The same with 0x before hexadecimal digits, which may be missing where BASE says so already. */
static bool read_number(const char **text, int base, uint64_t *ret_number)
{
    bool prefixed = g_str_has_prefix(*text, "0x");
    *text += prefixed ? 2 : 0;
    return read_digits(text, prefixed ? 16 : base, ret_number);
}

/* Moves over WORD, which ends where letters do. */
static bool read_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || g_ascii_isalpha((*text)[length]))
        return false;
    *text += length;
    return true;
}

static bool skip_blanks(const char **text)
{
    const char *start = *text;
    while (**text == ' ' || **text == '\t')
        (*text)++;
    return *text > start;
}

static bool at_end(const char *text)
{
    skip_blanks(&text);
    return *text == '\0';
}

static const char *take_ramulator(Import *import, const char *line)
{
    static const char wrong[] = "expected LD ADDRESS, ST ADDRESS, ADDRESS R or ADDRESS W";
    uint64_t address;
    bool is_write = read_word(&line, "ST");
    bool sound;
    if (is_write || read_word(&line, "LD")) {
        sound = skip_blanks(&line) && read_number(&line, 10, &address);
    } else {
        sound = read_number(&line, 10, &address) && skip_blanks(&line);
        is_write = sound && read_word(&line, "W");
        sound = sound && (is_write || read_word(&line, "R"));
    }
    if (!sound || !at_end(line))
        return wrong;
    return add_access(import, is_write ? PF_RECORD_WRITE : PF_RECORD_READ, 0,
                      address / REQUEST_BYTES * REQUEST_BYTES, REQUEST_BYTES);
}

static const char *take_dramsim3(Import *import, const char *line)
{
    uint64_t address;
    uint64_t cycle;
    bool sound = read_number(&line, 16, &address) && skip_blanks(&line);
    bool is_write = sound && read_word(&line, "WRITE");
    sound = sound && (is_write || read_word(&line, "READ")) && skip_blanks(&line) &&
            read_digits(&line, 10, &cycle) && at_end(line);
    if (!sound)
        return "expected ADDRESS READ CYCLE or ADDRESS WRITE CYCLE";
    if (cycle > UINT64_MAX / 2 / import->cycle_ps)
        return "the cycle is too late to be told in picoseconds";
    uint64_t time_ps = cycle * import->cycle_ps;
    if (time_ps < import->time_ps)
        return "the cycle is before that of the line above";
    if (time_ps > import->time_ps)
        pf_trace_writer_add(import->writer, &(PfRecord){.kind = PF_RECORD_TIME,
                                                        .context = PF_TRACE_NO_CONTEXT,
                                                        .count = time_ps,
                                                        .content = PF_TRACE_NO_CONTENT});
    import->time_ps = time_ps;
    return add_access(import, is_write ? PF_RECORD_WRITE : PF_RECORD_READ, 0,
                      address / REQUEST_BYTES * REQUEST_BYTES, REQUEST_BYTES);
}

static const char *take_lackey(Import *import, const char *line)
{
    if (g_str_has_prefix(line, "=="))
        return NULL;
    skip_blanks(&line);
    char kind = *line;
    uint64_t address;
    uint64_t size;
    if (kind == '\0' || strchr("ILSM", kind) == NULL)
        return "expected I, L, S or M, an address and a size";
    line++;
    if (!skip_blanks(&line) || !read_digits(&line, 16, &address) || *line++ != ',' ||
        !read_digits(&line, 10, &size) || !at_end(line))
        return "expected ADDRESS,SIZE behind I, L, S or M";
    const char *problem = NULL;
    if (kind == 'I')
        add(import, PF_RECORD_RUN, 0, 0, 1);
    if (kind != 'S')
        problem =
            add_access(import, kind == 'I' ? PF_RECORD_FETCH : PF_RECORD_READ, 0, address, size);
    if (problem == NULL && (kind == 'S' || kind == 'M'))
        problem = add_access(import, PF_RECORD_WRITE, kind == 'M' ? PF_RECORD_MODIFIES : 0, address,
                             size);
    return problem;
}

static const PfImportFormat formats[] = {
    {"dramsim3", true, take_dramsim3},
    {"lackey", false, take_lackey},
    {"ramulator", true, take_ramulator},
};
const char *const pf_import_names[] = {"dramsim3", "lackey", "ramulator", NULL};

const PfImportFormat *pf_import_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (g_str_equal(formats[i].name, name))
            return &formats[i];
    return NULL;
}

/* Copies the next line, without its end, to LINE. False at the end of the input and, with ERROR
 * set, where it cannot be read or is too long. */
static bool next_line(PfInput *input, uint64_t number, char line[LINE_BYTES_MAX], GError **error)
{
    if (!pf_input_fill(input, LINE_BYTES_MAX, error))
        return false;
    size_t length;
    const uint8_t *window = pf_input_window(input, &length);
    if (length == 0)
        return false;
    const uint8_t *end = memchr(window, '\n', MIN(length, LINE_BYTES_MAX));
    size_t bytes = end != NULL ? (size_t)(end - window) : length;
    if (bytes >= LINE_BYTES_MAX || memchr(window, '\0', bytes) != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s:%" G_GUINT64_FORMAT ": not a line of text of at most %d bytes",
                    pf_input_name(input), number, LINE_BYTES_MAX - 1);
        return false;
    }
    memcpy(line, window, bytes);
    pf_input_consume(input, bytes + (end != NULL));
    bytes -= bytes > 0 && line[bytes - 1] == '\r';
    line[bytes] = '\0';
    return true;
}

static void open_context(const Import *import)
{
    g_autofree char *name = g_strdup_printf("t%u", import->context);
    PfTraceDetail detail = {
        .name = name, .node = -1, .core = -1, .context_kind = PF_CONTEXT_PROCESS};
    pf_trace_writer_add(import->writer, &(PfRecord){.kind = PF_RECORD_CONTEXT,
                                                    .context = import->context,
                                                    .content = PF_TRACE_NO_CONTENT,
                                                    .detail = &detail});
}

bool pf_import(const PfImportFormat *format, PfInput *input, uint32_t context, uint64_t cycle_ps,
               PfTraceWriter *writer, const int *interrupted, GError **error)
{
    enum { LINES_A_LOOK = 4096 };
    g_assert(cycle_ps > 0);
    g_autoptr(GHashTable) chunks = g_hash_table_new(NULL, NULL);
    Import import = {.writer = writer,
                     .chunks = chunks,
                     .last_chunk = UINT64_MAX,
                     .context = context,
                     .cycle_ps = cycle_ps};
    open_context(&import);
    g_autoptr(GError) cause = NULL;
    char line[LINE_BYTES_MAX];
    for (uint64_t number = 1; next_line(input, number, line, &cause); number++) {
        if (line[strspn(line, " \t")] == '\0' || (format->has_comments && line[0] == '#'))
            continue;
        const char *problem = format->take(&import, line);
        if (problem != NULL) {
            g_autofree char *shown = g_strescape(line, NULL);
            g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:%" G_GUINT64_FORMAT ": '%s': %s",
                        pf_input_name(input), number, shown, problem);
            return false;
        }
        if (number % LINES_A_LOOK == 0 && interrupted != NULL &&
            __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0) {
            g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
            return false;
        }
    }
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}
