#include "text_words.h"

#include <string.h>

/* Reads a line from `at`, writes words to `out`; an unescaped word is never longer than it was. */
typedef struct {
    const char *at;
    const char *end;
    char *out;
} Cutter;

void pf_words_clear(PfWords *words)
{
    g_free(words->store);
    *words = (PfWords){.count = 0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static char *cut_escape(Cutter *cutter)
{
    char c = cutter->at < cutter->end ? *cutter->at++ : '\0';
    switch (c) {
    case '"':
    case '\\':
        *cutter->out++ = c;
        return NULL;
    case 'n':
        *cutter->out++ = '\n';
        return NULL;
    case 't':
        *cutter->out++ = '\t';
        return NULL;
    case 'x':
        if (cutter->end - cutter->at >= 2 && g_ascii_isxdigit(cutter->at[0]) &&
            g_ascii_isxdigit(cutter->at[1])) {
            int byte =
                g_ascii_xdigit_value(cutter->at[0]) * 16 + g_ascii_xdigit_value(cutter->at[1]);
            *cutter->out++ = (char)byte;
            cutter->at += 2;
            return NULL;
        }
        return g_strdup("\\x needs two hexadecimal digits; write \\x0a, for example");
    default:
        return g_strdup("an unknown escape after \\; there are \\\" \\\\ \\n \\t and \\xNN");
    }
}

/* Cuts the string that `at` is behind the opening quote of. */
static char *cut_string(Cutter *cutter)
{
    while (cutter->at < cutter->end) {
        char c = *cutter->at++;
        if (c == '"')
            return NULL;
        if (c != '\\') {
            *cutter->out++ = c;
            continue;
        }
        char *problem = cut_escape(cutter);
        if (problem != NULL)
            return problem;
    }
    return g_strdup("a string without its closing quote; add a \"");
}

static char *cut_word(Cutter *cutter, PfWord *word)
{
    *word = (PfWord){.text = cutter->out, .is_quoted = *cutter->at == '"'};
    while (cutter->at < cutter->end && !is_blank(*cutter->at) && *cutter->at != '#') {
        char c = *cutter->at++;
        if (c == '\0')
            return g_strdup("a NUL byte; a trace of text has none (write \\x00 in a string)");
        if (c != '"') {
            *cutter->out++ = c;
            word->is_quoted = false;
            continue;
        }
        char *problem = cut_string(cutter);
        if (problem != NULL)
            return problem;
    }
    word->length = (size_t)(cutter->out - word->text);
    *cutter->out++ = '\0';
    return NULL;
}

char *pf_words_split(PfWords *words, const char *line, size_t length)
{
    words->count = 0;
    /* Each word but the first has a blank or a quote before it that makes room for its NUL. */
    if (words->store_bytes < length + 2) {
        words->store_bytes = MAX(length + 2, words->store_bytes * 2);
        g_free(words->store);
        words->store = g_malloc(words->store_bytes);
    }
    Cutter cutter = {.at = line, .end = line + length, .out = words->store};
    for (;;) {
        while (cutter.at < cutter.end && is_blank(*cutter.at))
            cutter.at++;
        if (cutter.at == cutter.end || *cutter.at == '#')
            return NULL;
        if (words->count == PF_WORDS_MAX)
            return g_strdup_printf("more than %d words; no event has so many", PF_WORDS_MAX);
        char *problem = cut_word(&cutter, &words->words[words->count]);
        if (problem != NULL)
            return problem;
        words->count++;
    }
}
