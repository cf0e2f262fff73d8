/* The text form, line by line. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "error.h"
#include "text_reader.h"
#include "trace_block.h"
#include "trace_names.h"
#include "units.h"

static const char usage_first[] = "pagefold-trace 1";

/* Room for a page in hexadecimal beside everything else. */
static const size_t line_bytes_slack = (size_t)1 << 20;

static bool fail_line(PfTextReader *reader, GError **error)
{
    /* What is quoted may hold line ends; a message is one line. */
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:%" PRIu64 ": %s",
                pf_input_name(reader->trace->input), reader->line,
                g_strdelimit(reader->problem, "\n\r", ' '));
    return false;
}

/* Finds the next line in the window: *RET_LENGTH is SIZE_MAX at the end. */
static bool find_line(PfTextReader *reader, const char **ret_line, size_t *ret_length,
                      GError **error)
{
    size_t length_max = line_bytes_slack + 2 * (size_t)reader->trace->header.page_bytes;
    size_t searched = 0;
    for (size_t wanted = 4096;; wanted *= 2) {
        if (!pf_input_fill(reader->trace->input, wanted, error))
            return false;
        size_t length;
        const char *window = (const char *)pf_input_window(reader->trace->input, &length);
        *ret_line = window;
        const char *end = NULL;
        if (length > searched)
            end = memchr(window + searched, '\n', length - searched);
        size_t line_length = end != NULL ? (size_t)(end - window) : length;
        if (line_length > length_max) {
            reader->line++;
            pf_text_complain(reader, "a line of more than %zu bytes; split it", length_max);
            return fail_line(reader, error);
        }
        if (end != NULL || length < wanted) {
            *ret_length = length == 0 ? SIZE_MAX : line_length;
            return true;
        }
        searched = length;
    }
}

/* Cuts the next line that has words into `words`; RET_HAS_LINE is false at the end. */
static bool next_line(PfTextReader *reader, bool *ret_has_line, GError **error)
{
    *ret_has_line = true;
    if (reader->has_pending) {
        reader->has_pending = false;
        return true;
    }
    do {
        const char *line = NULL;
        size_t length = 0;
        if (!find_line(reader, &line, &length, error))
            return false;
        if (length == SIZE_MAX) {
            *ret_has_line = false;
            return true;
        }
        reader->line++;
        reader->problem = pf_words_split(&reader->words, line, length);
        size_t available;
        pf_input_window(reader->trace->input, &available);
        pf_input_consume(reader->trace->input, MIN(length + 1, available));
        if (reader->problem != NULL)
            return fail_line(reader, error);
    } while (reader->words.count == 0);
    return true;
}

/* What a line before the first event sets. */
typedef struct {
    bool has_page;
    bool has_clock;
    GString *description; /* NULL until told */
} Preamble;

static bool take_page(PfTextReader *reader, Preamble *preamble)
{
    uint64_t bytes;
    const PfWord *word = pf_text_take_word(reader, "page size");
    if (word == NULL || !pf_text_size(reader, "page", word->text, &bytes))
        return false;
    if (preamble->has_page)
        return pf_text_complain(reader, "page a second time; a trace has one page size");
    if (!pf_is_power_of_two(bytes) || bytes < PF_TRACE_PAGE_BYTES_MIN ||
        bytes > PF_TRACE_PAGE_BYTES_MAX)
        return pf_text_complain(reader,
                                "page size %" PRIu64 "; choose a power of two from %u to %u", bytes,
                                PF_TRACE_PAGE_BYTES_MIN, PF_TRACE_PAGE_BYTES_MAX);
    preamble->has_page = true;
    reader->trace->header.page_bytes = (uint32_t)bytes;
    return true;
}

static bool take_clock(PfTextReader *reader, Preamble *preamble)
{
    const PfWord *word = pf_text_take_word(reader, "clock rate");
    g_autoptr(GError) error = NULL;
    if (word == NULL)
        return false;
    if (preamble->has_clock)
        return pf_text_complain(reader, "clock a second time; a trace has one clock");
    preamble->has_clock = true;
    uint64_t *clock_hz = &reader->trace->header.clock_hz;
    if (!pf_parse_quantity(word->text, PF_CONFIG_FREQUENCY, clock_hz, &error))
        return pf_text_complain(reader, "clock: %s", error->message);
    return *clock_hz > 0 || pf_text_complain(reader, "clock: 0; leave the line out instead");
}

static bool take_description(PfTextReader *reader, Preamble *preamble)
{
    const PfWord *word = pf_text_take_word(reader, "description");
    if (word == NULL)
        return false;
    if (preamble->description == NULL)
        preamble->description = g_string_new(NULL);
    g_string_append_len(preamble->description, word->text, (gssize)word->length);
    if (preamble->description->len > PF_TRACE_DESCRIPTION_MAX)
        return pf_text_complain(reader, "a description of more than %u bytes; shorten it",
                                PF_TRACE_DESCRIPTION_MAX);
    return true;
}

/* The lines that may stand only before the first event. */
static const struct {
    const char *name;
    bool (*take)(PfTextReader *reader, Preamble *preamble);
    const char *usage;
} settings[] = {
    {"page", take_page, "page SIZE"},
    {"clock", take_clock, "clock RATE"},
    {"description", take_description, "description \"JSON\""},
};

/* Index of the setting called NAME, or -1. */
static int find_setting(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(settings[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool read_first_line(PfTextReader *reader, GError **error)
{
    bool has_line;
    if (!next_line(reader, &has_line, error))
        return false;
    const PfWord *words = reader->words.words;
    if (!has_line) {
        reader->line = 1;
        pf_text_complain(reader, "no trace: it is empty; begin with: %s", usage_first);
    } else if (reader->line != 1 || strcmp(words[0].text, "pagefold-trace") != 0) {
        reader->line = 1;
        pf_text_complain(reader, "no trace of pagefold; its first line is: %s", usage_first);
    } else if (reader->words.count != 2 || strcmp(words[1].text, "1") != 0) {
        g_autofree char *version = pf_text_shortened(reader->words.count > 1 ? words[1].text : "");
        pf_text_complain(reader, "version '%s' of the trace format; this program reads: %s",
                         version, usage_first);
    } else {
        return true;
    }
    return fail_line(reader, error);
}

/* Reads settings up to the first event, which stays pending. */
static bool read_settings(PfTextReader *reader, Preamble *preamble, GError **error)
{
    for (;;) {
        bool has_line;
        if (!next_line(reader, &has_line, error))
            return false;
        int setting = has_line ? find_setting(reader->words.words[0].text) : -1;
        if (setting < 0) {
            reader->has_pending = has_line;
            return true;
        }
        reader->next_word = 1;
        reader->usage = settings[setting].usage;
        if (!settings[setting].take(reader, preamble) || !pf_text_take_end(reader))
            return fail_line(reader, error);
    }
}

static bool take_over_description(PfTextReader *reader, GString *description, GError **error)
{
    bool is_text = strlen(description->str) == description->len &&
                   g_utf8_validate(description->str, (gssize)description->len, NULL);
    reader->trace->description = g_string_free(description, FALSE);
    reader->trace->header.description = reader->trace->description;
    if (is_text)
        return true;
    pf_text_complain(reader, "the description is not UTF-8; write it in UTF-8, without NUL");
    return fail_line(reader, error);
}

static void close_text(PfTrace *trace)
{
    PfTextReader *reader = trace->form;
    if (reader == NULL)
        return;
    if (reader->blob >= 0)
        close(reader->blob);
    g_free(reader->blob_name);
    g_free(reader->problem);
    pf_words_clear(&reader->words);
    pf_content_pool_free(reader->contents);
    g_free(reader);
}

static bool open_text(PfTrace *trace, GError **error)
{
    PfTextReader *reader = g_new0(PfTextReader, 1);
    trace->form = reader;
    trace->header.page_bytes = 4 * (uint32_t)PF_KIB;
    reader->trace = trace;
    reader->blob = -1;
    reader->contents = pf_content_pool_new(false);
    if (!read_first_line(reader, error))
        return false;
    Preamble preamble = {.description = NULL};
    bool is_read = read_settings(reader, &preamble, error);
    if (preamble.description != NULL && is_read)
        is_read = take_over_description(reader, preamble.description, error);
    else if (preamble.description != NULL)
        g_string_free(preamble.description, TRUE);
    trace->rules = pf_trace_rules_new(trace->header.page_bytes);
    return is_read;
}

/* Parses the line in `words` into RECORD, which is then a part of the block. */
static bool parse_line(PfTextReader *reader, PfRecord *record)
{
    const char *name = reader->words.words[0].text;
    if (find_setting(name) >= 0)
        return pf_text_complain(reader,
                                "%s after the first event; move it to the trace's "
                                "beginning",
                                name);
    const PfTextEvent *event = pf_text_event(reader, name);
    if (event == NULL)
        return false;
    *record = (PfRecord){.kind = (uint8_t)event->kind,
                         .content = PF_TRACE_NO_CONTENT,
                         .context = PF_TRACE_NO_CONTEXT,
                         .line = (uint32_t)reader->line};
    reader->next_word = 1;
    reader->usage = event->usage;
    if (pf_record_traits(event->kind)->has_context &&
        !pf_text_take_context(reader, &record->context))
        return false;
    if (!event->parse(reader, record) || !pf_text_take_end(reader))
        return false;
    reader->problem = pf_trace_rules_apply(reader->trace->rules, record);
    return reader->problem == NULL;
}

static PfTraceStatus read_text(PfTrace *trace, PfRecordBlock *block, GError **error)
{
    PfTextReader *reader = trace->form;
    reader->block = block;
    while (block->count < PF_TRACE_BLOCK_RECORDS &&
           pf_record_block_bytes(block) < PF_BLOCK_BYTES_FULL) {
        bool has_line;
        if (!next_line(reader, &has_line, error))
            return PF_TRACE_ERROR;
        if (!has_line)
            return PF_TRACE_END;
        if (!parse_line(reader, &block->records[block->count])) {
            fail_line(reader, error);
            return PF_TRACE_ERROR;
        }
        block->count++;
    }
    return PF_TRACE_RECORDS;
}

const PfTraceSource pf_trace_source_text = {
    .open = open_text,
    .read = read_text,
    .close = close_text,
};
