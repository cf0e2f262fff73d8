#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "live_curve.h"

enum { LOCK_WAIT_SECONDS = 600, PAGES_TO_SCAN = 100 };

/* What docs/validation.md promises. */
static const double sharing_percent_max = 5;
static const double cpu_percent_max = 25;

static void print_curves(const GArray *live, const GArray *model)
{
    printf("second,kernel_pages_sharing,model_pages_sharing,kernel_pages_scanned,"
           "model_pages_scanned,kernel_cpu_ms,model_cpu_ms\n");
    for (guint i = 0; i < live->len; i++) {
        const PfCurvePoint *left = &g_array_index(live, PfCurvePoint, i);
        const PfCurvePoint *right = &g_array_index(model, PfCurvePoint, i);
        printf("%.2f,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
               ",%" G_GINT64_FORMAT ",%.1f,%.1f\n",
               left->seconds, left->sharing_pages, right->sharing_pages, left->scanned_pages,
               right->scanned_pages, left->cpu_ms, right->cpu_ms);
    }
}

/* Says how far apart they are; an error where that is too far. */
static bool judge(const PfCurveDistance *distance, GError **error)
{
    fprintf(stderr,
            "pages_sharing at the same second: %.1f %% of the final value apart at most\n"
            "pages_sharing after the same pages scanned: %.1f %% at most, %+.1f %% at the end\n"
            "ksmd's time on a processor for the pages scanned: %+.1f %%\n",
            distance->time_percent, distance->scanned_percent, distance->final_percent,
            distance->cpu_percent);
    if (distance->time_percent <= sharing_percent_max &&
        fabs(distance->cpu_percent) <= cpu_percent_max)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_DIFFERENCE,
                "the model differs by more than %.0f %% (pages_sharing) or %.0f %% (time)",
                sharing_percent_max, cpu_percent_max);
    return false;
}

static bool compare(PfKsm *ksm, const PfCurveCase *of, GError **error)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(GArray) live = pf_curve_live(ksm, of, error);
    if (live == NULL)
        return false;
    double seconds = g_array_index(live, PfCurvePoint, live->len - 1).seconds;
    /* The model may be slower, and is asked what it has after as many pages. */
    g_autoptr(GArray) model = pf_curve_model(registry, of, 1.5 * seconds, error);
    if (model == NULL)
        return false;
    g_autoptr(GArray) then = pf_curve_at_times(model, live);
    PfCurveDistance distance = pf_curve_compare(model, live);
    print_curves(live, then);
    return judge(&distance, error);
}

static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    int pages_to_scan = PAGES_TO_SCAN;
    g_autofree char *costs = g_strdup("zen4-vm");
    const GOptionEntry entries[] = {
        {"pages-to-scan", 0, 0, G_OPTION_ARG_INT, &pages_to_scan, "pages of a batch (default: 100)",
         "N"},
        {"costs", 0, 0, G_OPTION_ARG_FILENAME, &costs,
         "cost card of the model, a name or a file (default: zen4-vm)", "CARD"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) arguments = NULL;
    PfParse parsed = pf_options_parse(app, command, entries, argc, argv, &arguments, error);
    if (parsed != PF_PARSE_GO)
        return parsed == PF_PARSE_DONE ? 0 : 2;
    if (pages_to_scan < 1) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "--pages-to-scan %d: must be 1 at least",
                    pages_to_scan);
        return 2;
    }
    PfCurveCase of = {.trace = arguments[0],
                      .pages_to_scan = (uint64_t)pages_to_scan,
                      .costs = costs,
                      .interrupted = &app->interrupted};
    pf_interrupt_watch(&app->interrupted);
    g_autoptr(PfKsm) ksm = pf_ksm_open(LOCK_WAIT_SECONDS, &app->interrupted, error);
    return ksm != NULL && compare(ksm, &of, error) ? 0 : 1;
}

const PfCommand pf_command_validate_curve = {
    .name = "validate curve",
    .arguments = "TRACE",
    .summary = "Compare the policy ksm with the running kernel second by second, as root",
    .examples =
        "  pagefold validate curve four.pft                   real processes, three passes\n"
        "  pagefold validate curve --pages-to-scan 1000 --costs mine.cfg four.pft\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
