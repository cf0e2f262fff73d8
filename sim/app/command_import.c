#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "import_options.h"
#include "interrupt.h"
#include "progress.h"
#include "version.h"

/* One import. */
typedef struct {
    PfApp *app;
    const PfImportOptions *options;
    PfTraceWriter *writer;
    GHashTable *names;       /* of contexts so far; borrowed by none */
    PfImageContext *context; /* of all epochs */
    uint32_t contexts;
    PfGrain grain; /* of the records that follow */
    bool has_images;
    bool has_cycles;
    PfProgressLine line;
    double start_seconds;
    uint32_t number; /* of the input at hand */
    uint32_t inputs;
    PfImageSummary summary;
} Import;

/* The name of the next context: as given, else the input's own without folder and endings, or for
 * accesses t0, t1 ...; a number is added where it is there already. Free with g_free. */
static char *name_context(Import *import, const char *path, bool is_image)
{
    if (import->options->names != NULL)
        return g_strdup(import->options->names[import->contexts]);
    if (!is_image)
        return g_strdup_printf("t%u", import->contexts);
    g_autofree char *stem = pf_import_stem(path);
    return pf_import_new_name(import->names, stem);
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
    const PfImportOptions *options = import->options;
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
    uint64_t pages_before = import->summary.pages + import->summary.skipped_pages;
    if (!pf_image_context_tell(import->context, reader, &how, &import->summary, error))
        return false;
    if (import->summary.pages + import->summary.skipped_pages == pages_before) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: holds no page of memory", path);
        return false;
    }
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
    const PfImportOptions *options = import->options;
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
    /* Images are read faster than contents can be pressed small. */
    if (import->number == 0 && pf_import_is_image(format))
        pf_trace_writer_hurry(import->writer, PF_HASTE_MOST);
    import->has_images |= pf_import_is_image(format);
    import->has_cycles |= pf_import_has_cycles(format);
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
static char *describe(const PfImportOptions *options)
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
    /* Policies that scan need time to do it. */
    uint64_t epochs = import->options->is_epochs ? import->inputs : 1;
    if (good && import->grain == PF_GRAIN_PAGE)
        tell_simple(import, PF_RECORD_TIME, epochs * import->options->interval_ps, NULL);
    pf_progress_finish(&import->line);
    g_clear_pointer(&import->context, pf_image_context_free);
    good = good && pf_import_options_fit(import->options, import->has_images, import->has_cycles,
                                         error);
    return good && pf_trace_writer_finish(import->writer, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_auto(PfImportOptions) options = {0};
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_import_options_parse(app, command, argc, argv, &options, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (!pf_import_options_check(&options, arguments, error))
        return 2;
    g_autofree char *description = describe(&options);
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES, .description = description};
    PfTraceForm form = g_str_has_suffix(options.output, ".trace") ? PF_TRACE_TEXT : PF_TRACE_BINARY;
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(options.output, form, &header, error);
    if (writer == NULL)
        return 1;
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
    .examples = "  pagefold trace import auto vm1.vmem vm2.core.gz -o a.pft    each a context\n"
                "  pagefold trace import raw t0 t1 -o a.pft --as epochs        one, in time\n"
                "  pagefold trace import elfcore core.1234 -o a.pft            gcore, QEMU\n"
                "  pagefold trace import hashes list.txt -o a.pft              a page a line\n"
                "  pagefold trace import champsim gcc.xz -o a.pft              instructions\n"
                "  pagefold trace import lackey cp.txt -o a.pft                valgrind\n",
    .arguments_min = 2,
    .arguments_max = 1000,
    .run = run,
};
