#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "card.h"
#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "measure.h"
#include "trace_output.h"

/* "Linux 6.18.44, AMD EPYC", without what would end a comment. */
static char *host_name(void)
{
    struct utsname system;
    g_autofree char *text = NULL;
    g_autofree char *model = NULL;
    if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL)) {
        const char *line = strstr(text, "model name");
        const char *colon = line != NULL ? strchr(line, ':') : NULL;
        if (colon != NULL)
            model = g_strndup(colon + 1, strcspn(colon + 1, "\n"));
    }
    if (uname(&system) != 0)
        return g_strdup("an unknown host");
    return g_strdup_printf("%s %s,%s", system.sysname, system.release,
                           model != NULL ? model : " an unknown processor");
}

static bool tell(const PfApp *app, const char *what, GError **error)
{
    if (app->interrupted != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
        return false;
    }
    fprintf(stderr, "pagefold: measuring %s\n", what);
    return true;
}

static bool measure(PfApp *app, PfSamples *samples, bool with_ksm, char **ret_obstacle,
                    GError **error)
{
    if (!tell(app, "memory", error))
        return false;
    pf_measure_bytes(samples);
    if (!tell(app, "faults", error))
        return false;
    pf_measure_faults(samples);
    if (!tell(app, "interrupts between processors", error))
        return false;
    pf_measure_calls(samples);
    if (!with_ksm) {
        *ret_obstacle = g_strdup("--no-ksm");
        return true;
    }
    if (!tell(app, "ksmd", error))
        return false;
    pf_measure_ksm(samples, ret_obstacle);
    return true;
}

static bool write_card(PfOutput *output, const char *text, GError **error)
{
    pf_output_write(output, text, strlen(text));
    return pf_output_finish(output, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    g_autofree char *path = NULL;
    gboolean no_ksm = FALSE;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "where the card goes (default: stdout)",
         "FILE"},
        {"no-ksm", 0, 0, G_OPTION_ARG_NONE, &no_ksm, "leave the kernel's ksmd alone", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    /* A place that cannot be written is told before the measuring. */
    g_autoptr(PfOutput) output = pf_output_open(path != NULL ? path : "-", error);
    if (output == NULL)
        return 1;
    PfSamples samples;
    g_autofree char *obstacle = NULL;
    pf_interrupt_watch(&app->interrupted);
    pf_samples_init(&samples, &app->interrupted);
    bool is_done = measure(app, &samples, !no_ksm, &obstacle, error);
    if (is_done && obstacle != NULL)
        pf_options_warn(app, "ksmd is not measured: %s", obstacle);
    g_autofree char *host = host_name();
    g_autofree char *text = is_done ? pf_card_format(&samples, host, obstacle) : NULL;
    pf_samples_clear(&samples);
    return is_done && write_card(output, text, error) ? 0 : 1;
}

const PfCommand pf_command_calibrate = {
    .name = "calibrate",
    .arguments = "",
    .summary = "Measure what this host takes, and write a cost card of it",
    .examples =
        "  pagefold calibrate -o mine.cfg                     a few seconds; ksmd as root only\n"
        "  pagefold run CONFIG -s machine.costs.preset=mine.cfg\n",
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
