/* Puts a source's text together: reads files and expands @include.
 *
 * libconfig could follow @include itself, but version 1.5 resolves it against one directory only
 * and ends the process when the file is a directory. So it never sees one: includes are expanded
 * here, by the same rule (first on its line, outside strings and comments), and each line of the
 * result remembers where it came from. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_tree.h"
#include "error.h"

typedef enum {
    STATE_PLAIN,
    STATE_STRING,
    STATE_BLOCK_COMMENT,
    STATE_LINE_COMMENT,
} State;

/* One source being copied to the text. */
typedef struct {
    PfConfigText *text;
    const PfSource *source;
    const char *at;
    const char *end;
    unsigned line;        /* from 1; 0 for a source without lines */
    unsigned opened_line; /* of the string or comment we are in */
    State state;
    unsigned depth;
} Copier;

void pf_config_text_init(PfConfigText *text, PfConfig *config)
{
    text->config = config;
    text->text = g_string_new(NULL);
    text->lines = g_array_new(FALSE, FALSE, sizeof(PfTextLine));
    text->integers_refused = false;
}

void pf_config_text_clear(PfConfigText *text)
{
    g_clear_pointer(&text->lines, g_array_unref);
    if (text->text != NULL)
        g_string_free(text->text, TRUE);
    text->text = NULL;
}

static void set_error(GError **error, const PfSource *source, unsigned line, const char *message)
{
    if (line == 0)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: %s", source->name, message);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s:%u: %s", source->name, line, message);
}

void pf_config_text_error(const PfConfigText *text, unsigned index, GError **error,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    index = MIN(index, text->lines->len - 1);
    const PfTextLine *line = &g_array_index(text->lines, PfTextLine, index);
    set_error(error, line->source, line->line, message);
}

static bool read_all(int file, const char *path, GString *bytes, GError **error)
{
    for (;;) {
        char block[65536];
        ssize_t got = read(file, block, sizeof(block));
        if (got == 0)
            return true;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
            return false;
        }
        g_string_append_len(bytes, block, got);
        if (bytes->len > PF_CONFIG_TEXT_BYTES_MAX) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                        "%s: larger than 16 MiB; this is no configuration", path);
            return false;
        }
    }
}

bool pf_config_read_file(const char *path, char **ret_bytes, size_t *ret_length, GError **error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: %s", path, g_strerror(errno));
        if (file >= 0)
            close(file);
        return false;
    }
    bool done = false;
    g_autoptr(GString) bytes = g_string_new(NULL);
    if (S_ISDIR(status.st_mode))
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: is a directory, not a file", path);
    else
        done = read_all(file, path, bytes, error);
    close(file);
    if (!done)
        return false;
    *ret_length = bytes->len;
    *ret_bytes = g_string_free(g_steal_pointer(&bytes), FALSE);
    return true;
}

static bool copy(Copier *copier, GError **error);

/* Takes COUNT bytes over to the text. */
static void take(Copier *copier, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (copier->at[i] != '\n')
            continue;
        copier->line += copier->line != 0;
        PfTextLine line = {copier->source, copier->line};
        g_array_append_val(copier->text->lines, line);
    }
    g_string_append_len(copier->text->text, copier->at, (gssize)count);
    copier->at += count;
}

/* If an @include stands at AT, skips it and gives its file name; RET_BAD if it is malformed. */
static char *skip_include(Copier *copier, bool *ret_bad)
{
    const char *p = copier->at;
    size_t left = (size_t)(copier->end - p);
    *ret_bad = false;
    while (left > 0 && (*p == ' ' || *p == '\t'))
        p++, left--;
    if (left < strlen("@include") || memcmp(p, "@include", strlen("@include")) != 0)
        return NULL;
    *ret_bad = true;
    for (p += strlen("@include"); p < copier->end && (*p == ' ' || *p == '\t'); p++)
        ;
    if (p == copier->end || *p != '"' || !g_ascii_isspace(p[-1]))
        return NULL;
    g_autoptr(GString) name = g_string_new(NULL);
    for (p++; p < copier->end && *p != '"' && *p != '\n'; p++) {
        bool escaped = *p == '\\' && p + 1 < copier->end && (p[1] == '"' || p[1] == '\\');
        if (*p == '\\' && !escaped)
            return NULL;
        p += escaped;
        g_string_append_c(name, *p);
    }
    if (p == copier->end || *p != '"' || name->len == 0)
        return NULL;
    *ret_bad = false;
    copier->at = p + 1;
    return g_string_free(g_steal_pointer(&name), FALSE);
}

static bool include(Copier *copier, const char *name, GError **error)
{
    PfConfig *config = copier->text->config;
    if (copier->source->kind != PF_SOURCE_FILE) {
        set_error(error, copier->source, copier->line, "only files can have @include");
        return false;
    }
    if (copier->depth == PF_CONFIG_INCLUDE_DEPTH_MAX) {
        set_error(error, copier->source, copier->line,
                  "@include nested more than 10 deep; does the file include itself?");
        return false;
    }
    if (config->sources->len >= PF_CONFIG_SOURCES_MAX) {
        set_error(error, copier->source, copier->line, "more than 256 files and presets in all");
        return false;
    }
    g_autofree char *path = g_path_is_absolute(name) || strcmp(copier->source->directory, ".") == 0
                                ? g_strdup(name)
                                : g_build_filename(copier->source->directory, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *bytes = NULL;
    size_t length;
    g_autoptr(GError) cause = NULL;
    if (!pf_config_read_file(path, &bytes, &length, &cause)) {
        g_autofree char *message = g_strdup_printf("@include of %s", cause->message);
        set_error(error, copier->source, copier->line, message);
        return false;
    }
    Copier inner = {.text = copier->text,
                    .source = pf_config_source(config, PF_SOURCE_FILE, path, directory),
                    .at = bytes,
                    .end = bytes + length,
                    .line = 1,
                    .depth = copier->depth + 1};
    /* Nothing of the line with the @include has been taken: it gives way to the inner first line.
     */
    g_array_set_size(copier->text->lines, copier->text->lines->len - 1);
    if (!copy(&inner, error))
        return false;
    PfTextLine back = {copier->source, copier->line};
    g_array_append_val(copier->text->lines, back);
    return true;
}

static void step_plain(Copier *copier)
{
    const char *p = copier->at;
    bool two = p + 1 < copier->end;
    copier->opened_line = copier->line;
    if (*p == '"') {
        copier->state = STATE_STRING;
        take(copier, 1);
    } else if (*p == '#' || (*p == '/' && two && p[1] == '/')) {
        copier->state = STATE_LINE_COMMENT;
        take(copier, 1);
    } else if (*p == '/' && two && p[1] == '*') {
        copier->state = STATE_BLOCK_COMMENT;
        take(copier, 2);
    } else {
        take(copier, 1);
    }
}

/* One step inside a string or comment. */
static void step_inside(Copier *copier)
{
    const char *p = copier->at;
    bool two = p + 1 < copier->end;
    size_t count = 1;
    if (copier->state == STATE_STRING) {
        if (*p == '"')
            copier->state = STATE_PLAIN;
        count += *p == '\\' && two;
    } else if (copier->state == STATE_LINE_COMMENT) {
        if (*p == '\n')
            copier->state = STATE_PLAIN;
    } else if (*p == '*' && two && p[1] == '/') {
        copier->state = STATE_PLAIN;
        count = 2;
    }
    take(copier, count);
}

static bool check_encoding(const Copier *copier, GError **error)
{
    const char *zero = memchr(copier->at, '\0', (size_t)(copier->end - copier->at));
    if (zero != NULL) {
        set_error(error, copier->source, 0, "holds a NUL byte; this is no text file");
        return false;
    }
    const char *valid_end;
    if (!g_utf8_validate_len(copier->at, (gsize)(copier->end - copier->at), &valid_end)) {
        unsigned line = copier->line;
        for (const char *p = copier->at; p < valid_end; p++)
            line += *p == '\n';
        set_error(error, copier->source, line, "this is no UTF-8 text");
        return false;
    }
    return true;
}

/* Copies the source up to its end, and a newline: libconfig's scanner needs one after a comment. */
static bool copy(Copier *copier, GError **error)
{
    if (!check_encoding(copier, error))
        return false;
    PfTextLine first = {copier->source, copier->line};
    g_array_append_val(copier->text->lines, first);
    bool line_start = true;
    while (copier->at < copier->end) {
        if (line_start && copier->state == STATE_PLAIN) {
            bool bad;
            g_autofree char *name = skip_include(copier, &bad);
            if (bad) {
                set_error(error, copier->source, copier->line, "write @include \"FILE\"");
                return false;
            }
            if (name != NULL && !include(copier, name, error))
                return false;
            if (copier->at == copier->end)
                break;
        }
        line_start = *copier->at == '\n';
        if (copier->state == STATE_PLAIN)
            step_plain(copier);
        else
            step_inside(copier);
        if (copier->text->text->len > PF_CONFIG_TEXT_BYTES_MAX) {
            set_error(error, copier->source, 0, "larger than 16 MiB with what it includes");
            return false;
        }
    }
    if (copier->state == STATE_STRING || copier->state == STATE_BLOCK_COMMENT) {
        set_error(error, copier->source, copier->opened_line,
                  copier->state == STATE_STRING ? "this string never ends; it lacks a closing quote"
                                                : "this comment never ends; it lacks */");
        return false;
    }
    g_string_append_c(copier->text->text, '\n');
    return true;
}

bool pf_config_text_add(PfConfigText *text, const char *bytes, size_t length,
                        const PfSource *source, GError **error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    if (length > PF_CONFIG_TEXT_BYTES_MAX) {
        set_error(error, source, 0, "larger than 16 MiB; this is no configuration");
        return false;
    }
    size_t skip = length >= 3 && memcmp(bytes, byte_order_mark, 3) == 0 ? 3 : 0;
    Copier copier = {
        .text = text,
        .source = source,
        .at = bytes + skip,
        .end = bytes + length,
        .line = source->kind == PF_SOURCE_OVERRIDE || source->kind == PF_SOURCE_PROGRAM ? 0 : 1};
    return copy(&copier, error);
}
