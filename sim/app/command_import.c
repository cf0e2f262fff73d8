#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "error.h"
#include "image_import.h"
#include "import.h"
#include "interrupt.h"
#include "progress.h"
#include "version.h"

/* Each option as stored by GOption, and what it means; strings are owned. */
typedef struct {
    char *output;
    char *cycle;
    char *as;
    char *interval;
    char *content;
    char **names;
    char **skips;
    gboolean fast;
    const PfImportFormat *format; /* NULL: what each input looks like */
    uint64_t cycle_ps;
    uint64_t interval_ps;
    bool is_epochs;
    bool is_hashed;
    GArray *ranges; /* PfAddressRange to skip */
} ImportOptions;

static void clear_options(ImportOptions *options)
{
    g_free(options->output);
    g_free(options->cycle);
    g_free(options->as);
    g_free(options->interval);
    g_free(options->content);
    g_strfreev(options->names);
    g_strfreev(options->skips);
    if (options->ranges != NULL)
        g_array_unref(options->ranges);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImportOptions, clear_options)

/* One import. */
typedef struct {
    PfApp *app;
    const ImportOptions *options;
    PfTraceWriter *writer;
    GHashTable *names;       /* of contexts so far; borrowed by none */
    PfImageContext *context; /* of all epochs */
    uint32_t contexts;
    PfGrain grain; /* of the records that follow */
    PfProgressLine line;
    double start_seconds;
    uint32_t number; /* of the input at hand */
    uint32_t inputs;
    PfImageSummary summary;
} Import;

static PfParse parse_options(PfApp *app, const PfCommand *command, int argc, char **argv,
                             ImportOptions *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"as", 0, 0, G_OPTION_ARG_STRING, &options->as,
         "what several images are: contexts (default), or epochs of one", "WHAT"},
        {"interval", 0, 0, G_OPTION_ARG_STRING, &options->interval,
         "time from one epoch to the next, as 500ms (default: 1s)", "TIME"},
        {"name", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->names,
         "name of the context; once for each (default: the file's name, or t0, t1 ...)", "NAME"},
        {"skip", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->skips,
         "images: leave out these addresses, as 0xa0000-0xc0000", "START-END"},
        {"content", 0, 0, G_OPTION_ARG_STRING, &options->content,
         "images: keep bytes (default) or hash, a 64-bit number a page", "WHAT"},
        {"fast", 0, 0, G_OPTION_ARG_NONE, &options->fast,
         "images: write as fast as possible; the file is two to three times as large", NULL},
        {"cycle", 0, 0, G_OPTION_ARG_STRING, &options->cycle,
         "dramsim3: what a cycle lasts (833ps, that of DDR4-2400)", "TIME"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    return pf_options_parse(app, command, entries, argc, argv, ret_arguments, error);
}

/* The names of all formats, with a comma between. Free with g_free. */
static char *list_names(void)
{
    g_autoptr(GString) names = g_string_new("auto");
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        g_string_append_printf(names, ", %s", pf_import_name(format));
    return g_strdup(names->str);
}

/* Which of two WORDS the value TEXT of OPTION is; without one the first. */
static bool parse_choice(const char *option, const char *text, const char *const words[2],
                         bool *ret_second, GError **error)
{
    *ret_second = text != NULL && strcmp(text, words[1]) == 0;
    if (text == NULL || *ret_second || strcmp(text, words[0]) == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s %s: must be %s or %s", option, text, words[0],
                words[1]);
    return false;
}

static bool parse_time(const char *option, const char *text, uint64_t otherwise_ps,
                       uint64_t *ret_time_ps, GError **error)
{
    *ret_time_ps = otherwise_ps;
    if (text != NULL && !pf_parse_quantity(text, PF_CONFIG_TIME, ret_time_ps, error)) {
        g_prefix_error(error, "%s: ", option);
        return false;
    }
    if (*ret_time_ps > 0 && *ret_time_ps <= (uint64_t)1 << 52)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: it must be more than 0 and at most 1 h",
                option);
    return false;
}

static int compare_ranges(const void *a, const void *b)
{
    const PfAddressRange *first = a;
    const PfAddressRange *second = b;
    return first->start < second->start ? -1 : first->start > second->start;
}

/* START-END, decimal or 0x and hexadecimal, or with units; both multiples of the page size. */
static bool parse_skip(const char *text, PfAddressRange *ret_range)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    return g_strv_length(ends) == 2 &&
           pf_parse_quantity(ends[0], PF_CONFIG_SIZE, &ret_range->start, NULL) &&
           pf_parse_quantity(ends[1], PF_CONFIG_SIZE, &ret_range->end, NULL) &&
           ret_range->start < ret_range->end && ret_range->start % PF_IMPORT_PAGE_BYTES == 0 &&
           ret_range->end % PF_IMPORT_PAGE_BYTES == 0;
}

static bool parse_skips(ImportOptions *options, GError **error)
{
    options->ranges = g_array_new(FALSE, FALSE, sizeof(PfAddressRange));
    for (char **text = options->skips; text != NULL && *text != NULL; text++) {
        PfAddressRange range;
        if (!parse_skip(*text, &range)) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                        "--skip %s: must be START-END, both multiples of 4 KiB, as 0xa0000-0xc0000",
                        *text);
            return false;
        }
        g_array_append_val(options->ranges, range);
    }
    g_array_sort(options->ranges, compare_ranges);
    for (guint i = 1; i < options->ranges->len; i++)
        if (g_array_index(options->ranges, PfAddressRange, i - 1).end >
            g_array_index(options->ranges, PfAddressRange, i).start) {
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--skip: two ranges overlap");
            return false;
        }
    return true;
}

static bool check(ImportOptions *options, char **arguments, GError **error)
{
    static const char *const ways[2] = {"contexts", "epochs"};
    static const char *const contents[2] = {"bytes", "hash"};
    bool is_auto = strcmp(arguments[0], "auto") == 0;
    options->format = is_auto ? NULL : pf_import_find(arguments[0]);
    if (options->format == NULL && !is_auto) {
        g_autofree char *names = list_names();
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "'%s' is no format; there are %s",
                    arguments[0], names);
        return false;
    }
    if (options->output == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-o FILE is missing");
        return false;
    }
    guint inputs = g_strv_length(arguments + 1);
    for (char **path = arguments + 1; *path != NULL; path++)
        if (!pf_options_keep_input("-o", options->output, *path, error))
            return false;
    if (!parse_choice("--as", options->as, ways, &options->is_epochs, error) ||
        !parse_choice("--content", options->content, contents, &options->is_hashed, error) ||
        !parse_time("--cycle", options->cycle, 833, &options->cycle_ps, error) ||
        !parse_time("--interval", options->interval, (uint64_t)1000000000000, &options->interval_ps,
                    error) ||
        !parse_skips(options, error))
        return false;
    guint contexts = options->is_epochs ? 1 : inputs;
    if (options->names == NULL || g_strv_length(options->names) == contexts)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--name: %u names for %u contexts",
                g_strv_length(options->names), contexts);
    return false;
}

/* Takes .gz, .xz or .zst off NAME, then one ending more, but not the number of gcore's core.1234.
 */
static void strip_endings(char *name)
{
    static const char *const packings[] = {".gz", ".xz", ".zst"};
    for (size_t i = 0; i < G_N_ELEMENTS(packings); i++)
        if (g_str_has_suffix(name, packings[i]))
            *strrchr(name, '.') = '\0';
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name && strspn(dot + 1, "0123456789") != strlen(dot + 1))
        *dot = '\0';
}

/* The name of the next context: as given, else the input's own without folder and endings, or for
 * accesses t0, t1 ...; a number is added where it is there already. Free with g_free. */
static char *name_context(Import *import, const char *path, bool is_image)
{
    if (import->options->names != NULL)
        return g_strdup(import->options->names[import->contexts]);
    if (!is_image)
        return g_strdup_printf("t%u", import->contexts);
    g_autofree char *base = g_path_get_basename(strcmp(path, "-") == 0 ? "image" : path);
    strip_endings(base);
    g_autofree char *valid = g_utf8_make_valid(base, -1);
    g_strdelimit(valid, " \t\n\r\"#=", '-');
    char *name = g_strdup(valid);
    for (unsigned n = 2; g_hash_table_contains(import->names, name); n++) {
        g_free(name);
        name = g_strdup_printf("%s-%u", valid, n);
    }
    g_hash_table_add(import->names, g_strdup(name));
    return name;
}

static void tell_simple(const Import *import, PfRecordKind kind, uint64_t count,
                        const PfTraceDetail *detail)
{
    PfRecord record = {.kind = (uint8_t)kind,
                       .count = count,
                       .context = PF_TRACE_NO_CONTEXT,
                       .content = PF_TRACE_NO_CONTENT};
    if (detail != NULL)
        record.detail = detail;
    pf_trace_writer_add(import->writer, &record);
}

static void tell_progress(const PfImageReader *image, void *user)
{
    Import *import = user;
    double seconds = pf_progress_seconds() - import->start_seconds;
    if (!pf_progress_is_due(&import->line, seconds))
        return;
    g_autofree char *what = g_strdup_printf("%" G_GUINT64_FORMAT " pages", import->summary.pages);
    double share = (import->number + pf_image_reader_progress(image)) / import->inputs;
    pf_progress_tell(&import->line, seconds, share, what);
}

/* An epoch is told as a snapshot's: a `time`, what has changed, a `mark`. */
static bool import_epoch(Import *import, PfImageReader *reader, const char *path, GError **error)
{
    const ImportOptions *options = import->options;
    const char *remark = pf_image_reader_remark(reader);
    if (remark != NULL)
        pf_options_warn(import->app, "%s: %s", path, remark);
    if (import->context == NULL) {
        g_autofree char *name = name_context(import, path, true);
        import->context = pf_image_context_new(import->writer, import->contexts++, name,
                                               pf_image_reader_context_kind(reader));
    }
    PfImageOptions how = {.skips = (const PfAddressRange *)(const void *)options->ranges->data,
                          .skip_count = options->ranges->len,
                          .is_hashed = options->is_hashed,
                          .is_last = !options->is_epochs || import->number + 1 == import->inputs,
                          .interrupted = &import->app->interrupted,
                          .progress = tell_progress,
                          .user = import};
    if (options->is_epochs)
        tell_simple(import, PF_RECORD_TIME, import->number * options->interval_ps, NULL);
    if (!pf_image_context_tell(import->context, reader, &how, &import->summary, error))
        return false;
    if (options->is_epochs) {
        g_autofree char *label = g_strdup_printf("epoch %u", import->number);
        PfTraceDetail detail = {.name = label, .node = -1, .core = -1};
        tell_simple(import, PF_RECORD_MARK, 0, &detail);
    } else {
        g_clear_pointer(&import->context, pf_image_context_free);
    }
    return true;
}

static bool import_accesses(Import *import, const PfImportFormat *format, PfInput *input,
                            const char *path, GError **error)
{
    const ImportOptions *options = import->options;
    if (options->is_epochs || options->is_hashed || options->ranges->len > 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: %s is accesses; --as epochs, --skip and --content are for images", path,
                    pf_import_name(format));
        return false;
    }
    g_autofree char *name = name_context(import, path, false);
    return pf_import(format, input, name, import->contexts++, options->cycle_ps, import->writer,
                     &import->app->interrupted, error);
}

static bool import_one(Import *import, const char *path, GError **error)
{
    g_autoptr(PfInput) input = pf_import_open(path, error);
    if (input == NULL)
        return false;
    const PfImportFormat *format = import->options->format;
    if (format == NULL)
        format = pf_import_sniff(input, error);
    if (format == NULL)
        return false;
    PfGrain grain = pf_import_is_image(format) ? PF_GRAIN_PAGE : PF_GRAIN_ACCESS;
    if (grain != import->grain)
        tell_simple(import, PF_RECORD_GRAIN, grain, NULL);
    import->grain = grain;
    if (!pf_import_is_image(format))
        return import_accesses(import, format, input, path, error);
    g_autoptr(PfImageReader) reader = pf_image_reader_new(g_steal_pointer(&input), format, error);
    return reader != NULL && import_epoch(import, reader, path, error);
}

static void print_summary(const Import *import, const char *path)
{
    const PfImageSummary *summary = &import->summary;
    if (summary->pages > 0)
        fprintf(stderr,
                "pagefold: %s: %" G_GUINT64_FORMAT " pages (%" G_GUINT64_FORMAT
                " of zeros), %" G_GUINT64_FORMAT " told\n",
                path, summary->pages, summary->zero_pages, summary->told_pages);
    if (summary->skipped_pages > 0)
        fprintf(stderr, "pagefold: %" G_GUINT64_FORMAT " pages were skipped, as asked\n",
                summary->skipped_pages);
    if (summary->partial_pages > 0)
        fprintf(stderr,
                "pagefold: %" G_GUINT64_FORMAT
                " pages that are only in part in the image are left out\n",
                summary->partial_pages);
}

/* What the trace says of where it comes from. */
static char *describe(const ImportOptions *options)
{
    return g_strdup_printf("{\"source\": \"%s\", \"program\": \"pagefold " PF_VERSION "\"}",
                           options->format != NULL ? pf_import_name(options->format) : "auto");
}

static bool import_all(Import *import, char **paths, GError **error)
{
    bool good = true;
    import->inputs = g_strv_length(paths);
    for (; import->number < import->inputs && good; import->number++)
        good = import_one(import, paths[import->number], error);
    pf_progress_finish(&import->line);
    g_clear_pointer(&import->context, pf_image_context_free);
    return good && pf_trace_writer_finish(import->writer, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(ImportOptions) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = parse_options(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!check(&options, arguments, error))
        return 2;
    g_autofree char *description = describe(&options);
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES, .description = description};
    PfTraceForm form = g_str_has_suffix(options.output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(options.output, form, &header, error);
    if (writer == NULL)
        return 1;
    /* Images are read faster than contents are pressed small. */
    pf_trace_writer_hurry(writer, options.fast ? PF_HASTE_MOST : PF_HASTE_SOME);
    pf_interrupt_watch(&app->interrupted);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Import import = {.app = app, .options = &options, .writer = writer, .names = names};
    pf_progress_init(&import.line, stderr, isatty(STDERR_FILENO) != 0);
    import.start_seconds = pf_progress_seconds();
    if (!import_all(&import, arguments + 1, error))
        return 3;
    print_summary(&import, options.output);
    return 0;
}

const PfCommand pf_command_trace_import = {
    .name = "trace import",
    .arguments = "FORMAT INPUT...",
    .summary = "Turn memory images, or traces of other programs, into one of pagefold's",
    .examples =
        "  pagefold trace import auto vm1.core.gz vm2.vmem -o vms.pft     each a context\n"
        "  pagefold trace import raw t0.raw t1.raw -o vm.pft --as epochs  one, in time\n"
        "  pagefold trace import elfcore core.1234 -o a.pft               gcore, QEMU's dump\n"
        "  pagefold trace import hashes list.txt -o a.pft                 HASH[,MAPPINGS[,KIND]]\n"
        "  pagefold trace import champsim gcc.trace.xz -o gcc.pft\n"
        "  pagefold trace import lackey cp.lackey -o cp.pft               valgrind --tool=lackey\n",
    .arguments_min = 2,
    .arguments_max = 1000,
    .run = run,
};
