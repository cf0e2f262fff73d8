#include "events.h"

#include <string.h>

#include "error.h"
#include "report.h"
#include "trace_output.h"

struct PfEvents {
    PfOutput *output;
    char *directory;
};

PfEvents *pf_events_begin(const char *path, GError **error)
{
    g_autoptr(PfEvents) events = g_new0(PfEvents, 1);
    bool is_file = strcmp(path, "-") != 0 &&
                   (!g_file_test(path, G_FILE_TEST_EXISTS) ||
                    g_file_test(path, G_FILE_TEST_IS_REGULAR));
    events->directory = is_file ? g_path_get_dirname(path) : g_strdup(g_get_tmp_dir());
    events->output = pf_output_open(path, error);
    return events->output != NULL ? g_steal_pointer(&events) : NULL;
}

void pf_events_free(PfEvents *events)
{
    if (events == NULL)
        return;
    pf_output_free(events->output);
    g_free(events->directory);
    g_free(events);
}

const char *pf_events_directory(const PfEvents *events)
{
    return events->directory;
}

/* What the lines of a run are made with. */
typedef struct {
    PfOutput *output;
    const PfSimulation *simulation;
    const char *policy;
    GString *line;
} Writer;

static void append_page(Writer *writer, uint32_t context, PfCpn page)
{
    pf_report_append_field(writer->line,
                           pf_simulation_context_name(writer->simulation, context));
    g_string_append_printf(writer->line, ",%" G_GUINT64_FORMAT, page.number);
}

/* The last column is for the instruction that stored, which no trace tells of yet. */
static void write_event(const PfRunEvent *event, void *user)
{
    static const char *const kinds[] = {"share", "break", "end"};
    Writer *writer = user;
    GString *line = writer->line;
    g_string_truncate(line, 0);
    pf_report_append_field(line, writer->policy);
    g_string_append_printf(line, ",%" G_GUINT64_FORMAT ",%s,", event->cycle, kinds[event->kind]);
    append_page(writer, event->context, event->page);
    g_string_append_printf(line, ",%" G_GUINT32_FORMAT ",", event->frame.number);
    if (event->has_partner)
        append_page(writer, event->partner_context, event->partner_page);
    else
        g_string_append_c(line, ',');
    g_string_append_c(line, ',');
    if (event->kind != PF_RUN_EVENT_SHARE)
        g_string_append_printf(line, "%" G_GUINT64_FORMAT, event->lifetime_cycles);
    g_string_append(line, ",\n");
    pf_output_write(writer->output, line->str, line->len);
}

bool pf_events_write(PfEvents *events, const PfSimulation *simulation, GError **error)
{
    static const char head[] = "policy,cycle,event,context,page,frame,partner_context,"
                               "partner_page,lifetime_cycles,pc\n";
    g_autoptr(GString) line = g_string_new(NULL);
    Writer writer = {.output = events->output, .simulation = simulation, .line = line};
    pf_output_write(events->output, head, strlen(head));
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        writer.policy = pf_run_label(run);
        if (!pf_run_events_visit(run, write_event, &writer, error))
            return false;
    }
    return pf_output_finish(events->output, error);
}

bool pf_events_add(const char *directory, const PfSimulation *simulation, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "events.csv", NULL);
    g_autoptr(PfEvents) events = pf_events_begin(path, error);
    return events != NULL && pf_events_write(events, simulation, error);
}

/* A cycle, or a time with its unit. */
static bool parse_end(const char *text, uint64_t *ret_value, bool *ret_is_ps)
{
    *ret_is_ps = false;
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, ret_value, NULL))
        return true;
    *ret_is_ps = true;
    return pf_parse_quantity(text, PF_CONFIG_TIME, ret_value, NULL);
}

bool pf_events_window(const char *text, PfWindow *ret_window, GError **error)
{
    g_auto(GStrv) ends = g_strsplit(text, "..", 2);
    if (g_strv_length(ends) == 2 &&
        parse_end(ends[0], &ret_window->first, &ret_window->first_is_ps) &&
        parse_end(ends[1], &ret_window->last, &ret_window->last_is_ps))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                "--window %s: must be two times or cycles, as 10ms..20ms or 1000..2000", text);
    return false;
}
