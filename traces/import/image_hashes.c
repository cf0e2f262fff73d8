#include <string.h>

#include "error.h"
#include "import_format.h"
#include "import_words.h"

enum { RUN_PAGES = 4096, HASH_BYTES = 4, MAPPINGS_MAX = 1 << 20 };

typedef struct {
    PfImageHash hashes[RUN_PAGES];
    uint64_t page;
    uint64_t line;
    bool is_binary;
} Hashes;

static bool is_text(uint8_t byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Bytes up to the first that is no text. */
static size_t text_length(const uint8_t *bytes, size_t length)
{
    size_t text = 0;
    while (text < length && is_text(bytes[text]))
        text++;
    return text;
}

/* Whether all of LENGTH bytes, which may end within a character, are text of UTF-8: a comment, or
 * the mark that some editors put in front. */
static bool is_utf8(const uint8_t *bytes, size_t length)
{
    const char *end;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x80 && !is_text(bytes[i]))
            return false;
    return g_utf8_validate_len((const char *)bytes, length, &end) ||
           (const char *)bytes + length - end < 4;
}

/* Hashes in binary stand behind the last line end of the text in front of them. */
static void *open_hashes(PfInput *input, GError **error)
{
    if (!pf_input_fill(input, PF_IMPORT_SIGHT_BYTES, error))
        return NULL;
    size_t length;
    const uint8_t *bytes = pf_input_window(input, &length);
    size_t text = text_length(bytes, length);
    Hashes *hashes = g_new0(Hashes, 1);
    hashes->is_binary = text < length && !is_utf8(bytes, length);
    while (hashes->is_binary && text > 0 && bytes[text - 1] != '\n')
        text--;
    if (hashes->is_binary)
        pf_input_consume(input, text);
    return hashes;
}

static bool read_kind(const char **line, uint8_t *ret_kind)
{
    static const char *const names[PF_PAGES_KINDS] = {"anon", "file", "shmem", "zero"};
    for (uint8_t kind = 0; kind < PF_PAGES_KINDS; kind++) {
        *ret_kind = kind;
        if (pf_import_word(line, names[kind]))
            return true;
    }
    return false;
}

/* Whether a comma, with blanks around it or not, is next. */
static bool read_comma(const char **line)
{
    pf_import_blanks(line);
    bool is_comma = **line == ',';
    *line += is_comma;
    pf_import_blanks(line);
    return is_comma;
}

/* What is wrong with LINE, or NULL. */
static const char *read_hash(const char *line, PfImageHash *ret_hash)
{
    *ret_hash = (PfImageHash){.mappings = 1, .kind = PF_PAGES_ANON};
    uint64_t mappings = 1;
    pf_import_blanks(&line);
    if (!pf_import_number(&line, 10, &ret_hash->identity))
        return "expected HASH[,MAPPINGS[,KIND]]: a hash is decimal, or 0x and hexadecimal, of at "
               "most 64 bits";
    if (read_comma(&line)) {
        if (!pf_import_digits(&line, 10, &mappings) || mappings == 0 || mappings > MAPPINGS_MAX)
            return "expected MAPPINGS, from 1 to 1048576, behind the hash";
        if (read_comma(&line) && !read_kind(&line, &ret_hash->kind))
            return "expected KIND, anon, file, shmem or zero, behind the mappings";
    }
    ret_hash->mappings = (uint32_t)mappings;
    return pf_import_at_end(line) ? NULL : "expected HASH[,MAPPINGS[,KIND]] and nothing more";
}

static bool next_lines(Hashes *hashes, PfInput *input, uint64_t *ret_pages, GError **error)
{
    char line[PF_IMPORT_LINE_BYTES_MAX];
    g_autoptr(GError) cause = NULL;
    while (*ret_pages < RUN_PAGES && pf_import_line(input, ++hashes->line, line, &cause)) {
        if (pf_import_at_end(line) || line[0] == '#')
            continue;
        const char *problem = read_hash(line, &hashes->hashes[*ret_pages]);
        if (problem != NULL) {
            pf_import_line_error(input, hashes->line, line, problem, error);
            return false;
        }
        (*ret_pages)++;
    }
    if (cause == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

static bool next_numbers(Hashes *hashes, PfInput *input, uint64_t *ret_pages, GError **error)
{
    if (!pf_input_fill(input, RUN_PAGES * HASH_BYTES, error))
        return false;
    size_t length;
    const uint8_t *bytes = pf_input_window(input, &length);
    length = MIN(length, RUN_PAGES * HASH_BYTES);
    *ret_pages = length / HASH_BYTES;
    if (length % HASH_BYTES != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: at byte %" G_GUINT64_FORMAT ": ends within a 32-bit hash",
                    pf_input_name(input), pf_input_offset(input) + length);
        return false;
    }
    for (uint64_t i = 0; i < *ret_pages; i++) {
        uint32_t number;
        memcpy(&number, bytes + i * HASH_BYTES, HASH_BYTES);
        hashes->hashes[i] = (PfImageHash){
            .identity = GUINT32_FROM_LE(number), .mappings = 1, .kind = PF_PAGES_ANON};
    }
    pf_input_consume(input, length);
    return true;
}

static PfTraceStatus next_hashes(void *self, PfInput *input, PfImageRun *ret_run, GError **error)
{
    Hashes *hashes = self;
    if (!(hashes->is_binary ? next_numbers : next_lines)(hashes, input, &ret_run->pages, error))
        return PF_TRACE_ERROR;
    ret_run->address = hashes->page * PF_IMPORT_PAGE_BYTES;
    ret_run->extent_pages = ret_run->pages;
    ret_run->hashes = hashes->hashes;
    hashes->page += ret_run->pages;
    return ret_run->pages > 0 ? PF_TRACE_RECORDS : PF_TRACE_END;
}

static bool line_looks(const char *line)
{
    PfImageHash hash;
    return read_hash(line, &hash) == NULL;
}

static bool looks(const PfImportSight *sight)
{
    return pf_import_first_line(sight, line_looks);
}

static const PfImageForm form = {.open = open_hashes, .next = next_hashes, .close = g_free};

const PfImportFormat pf_import_hashes = {
    .name = "hashes",
    .summary = "HASH[,MAPPINGS[,KIND]], a page a line, or 32-bit numbers (UMass)",
    .looks = looks,
    .image = &form,
};
