#include "import_words.h"

#include <string.h>

#include "error.h"

bool pf_import_line(PfInput *input, uint64_t number, char line[PF_IMPORT_LINE_BYTES_MAX],
                    GError **error)
{
    if (!pf_input_fill(input, PF_IMPORT_LINE_BYTES_MAX, error))
        return false;
    size_t length;
    const uint8_t *window = pf_input_window(input, &length);
    if (length == 0)
        return false;
    const uint8_t *end = memchr(window, '\n', MIN(length, PF_IMPORT_LINE_BYTES_MAX));
    size_t bytes = end != NULL ? (size_t)(end - window) : length;
    if (bytes >= PF_IMPORT_LINE_BYTES_MAX || memchr(window, '\0', bytes) != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s:%" G_GUINT64_FORMAT ": not a line of text of at most %d bytes",
                    pf_input_name(input), number, PF_IMPORT_LINE_BYTES_MAX - 1);
        return false;
    }
    memcpy(line, window, bytes);
    pf_input_consume(input, bytes + (end != NULL));
    bytes -= bytes > 0 && line[bytes - 1] == '\r';
    line[bytes] = '\0';
    return true;
}

void pf_import_line_error(const PfInput *input, uint64_t number, const char *line,
                          const char *problem, GError **error)
{
    g_autofree char *shown = g_strescape(line, NULL);
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s:%" G_GUINT64_FORMAT ": '%s': %s",
                pf_input_name(input), number, shown, problem);
}

bool pf_import_digits(const char **text, int base, uint64_t *ret_number)
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

bool pf_import_number(const char **text, int base, uint64_t *ret_number)
{
    bool prefixed = g_str_has_prefix(*text, "0x");
    *text += prefixed ? 2 : 0;
    return pf_import_digits(text, prefixed ? 16 : base, ret_number);
}

bool pf_import_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || g_ascii_isalpha((*text)[length]))
        return false;
    *text += length;
    return true;
}

bool pf_import_blanks(const char **text)
{
    const char *start = *text;
    while (**text == ' ' || **text == '\t')
        (*text)++;
    return *text > start;
}

bool pf_import_at_end(const char *text)
{
    pf_import_blanks(&text);
    return *text == '\0';
}
