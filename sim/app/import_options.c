#include "import_options.h"

#include <string.h>

#include "config.h"
#include "error.h"
#include "units.h"

/* What a cycle of dramsim3's lasts unless told: that of DDR4-2400. */
static const uint64_t standard_cycle_ps = 833;
/* Times that are given by options are shorter. */
static const uint64_t time_max_ps = 3600 * PF_PS_PER_SECOND;

void pf_import_options_clear(PfImportOptions *options)
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

PfParse pf_import_options_parse(PfApp *app, const PfCommand *command, int argc, char **argv,
                                PfImportOptions *options, char ***ret_arguments, GError **error)
{
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
         "write the trace here; as text if it ends in .trace", "FILE"},
        {"as", 0, 0, G_OPTION_ARG_STRING, &options->as,
         "what several images are: contexts (default), or epochs of one", "WHAT"},
        {"interval", 0, 0, G_OPTION_ARG_STRING, &options->interval,
         "time between epochs, and behind the last image (default: 1s)", "TIME"},
        {"name", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->names,
         "name of the context, once for each (default: the file's)", "NAME"},
        {"skip", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->skips,
         "images: leave out these addresses, as 0xa0000-0xc0000", "START-END"},
        {"content", 0, 0, G_OPTION_ARG_STRING, &options->content,
         "images: keep bytes (default) or hash, a 64-bit number a page", "WHAT"},
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
    if (*ret_time_ps > 0 && *ret_time_ps <= time_max_ps)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: it must be more than 0 and at most 1h",
                option);
    return false;
}

static int compare_ranges(const void *a, const void *b)
{
    const PfAddressRange *first = a;
    const PfAddressRange *second = b;
    return first->start < second->start ? -1 : first->start > second->start;
}

/* Decimal, or 0x and hexadecimal, or with a unit as 640KiB; a multiple of the page size. */
static bool parse_address(const char *text, uint64_t *ret_address)
{
    bool is_hexadecimal = g_str_has_prefix(text, "0x");
    guint64 number = 0;
    bool good = is_hexadecimal
                    ? g_ascii_string_to_unsigned(text + 2, 16, 0, G_MAXUINT64, &number, NULL)
                    : pf_parse_quantity(text, PF_CONFIG_SIZE, ret_address, NULL);
    if (is_hexadecimal)
        *ret_address = number;
    return good && *ret_address % PF_IMPORT_PAGE_BYTES == 0;
}

static bool parse_skip(const char *text, PfAddressRange *ret_range)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    return g_strv_length(ends) == 2 && parse_address(ends[0], &ret_range->start) &&
           parse_address(ends[1], &ret_range->end) && ret_range->start < ret_range->end;
}

static bool parse_skips(PfImportOptions *options, GError **error)
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

static bool check_names(char **names, GError **error)
{
    for (char **name = names; *name != NULL; name++) {
        bool is_twice = g_strv_contains((const char *const *)(name + 1), *name);
        if ((*name)[0] != '\0' && g_utf8_validate(*name, -1, NULL) && !is_twice)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--name '%s': %s", *name,
                    is_twice ? "is given twice" : "must be text, and not empty");
        return false;
    }
    return true;
}

bool pf_import_options_fit(const PfImportOptions *options, bool has_images, bool has_cycles,
                           GError **error)
{
    if (options->interval != NULL && !has_images)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--interval %s: is for images; accesses have their own time",
                    options->interval);
    else if (options->cycle != NULL && !has_cycles)
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--cycle %s: is for dramsim3, the only format whose cycles are times",
                    options->cycle);
    else
        return true;
    return false;
}

bool pf_import_options_check(PfImportOptions *options, char **arguments, GError **error)
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
    if (!pf_options_need_output(options->output, error))
        return false;
    guint inputs = g_strv_length(arguments + 1);
    for (char **path = arguments + 1; *path != NULL; path++)
        if (!pf_options_keep_input("-o", options->output, *path, error))
            return false;
    if (!parse_choice("--as", options->as, ways, &options->is_epochs, error) ||
        !parse_choice("--content", options->content, contents, &options->is_hashed, error) ||
        !parse_time("--cycle", options->cycle, standard_cycle_ps, &options->cycle_ps, error) ||
        !parse_time("--interval", options->interval, PF_PS_PER_SECOND, &options->interval_ps,
                    error) ||
        !parse_skips(options, error))
        return false;
    if (!is_auto && !pf_import_options_fit(options, pf_import_is_image(options->format),
                                           pf_import_has_cycles(options->format), error))
        return false;
    guint contexts = options->is_epochs ? 1 : inputs;
    if (options->names == NULL)
        return true;
    if (!check_names(options->names, error))
        return false;
    if (g_strv_length(options->names) == contexts)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--name: %u names for %u contexts",
                g_strv_length(options->names), contexts);
    return false;
}
