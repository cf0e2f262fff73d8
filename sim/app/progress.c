#include "progress.h"

static const double terminal_interval_seconds = 0.2;
static const double plain_interval_seconds = 10.0;
static const double silent_seconds = 1.0;

void pf_progress_init(PfProgressLine *line, FILE *out, bool terminal)
{
    *line = (PfProgressLine){.out = out, .terminal = terminal};
}

double pf_progress_seconds(void)
{
    return (double)g_get_monotonic_time() / G_USEC_PER_SEC;
}

/* NUMBER with a decimal prefix, three to four significant digits. */
static void append_scaled(GString *text, double number, const char *unit)
{
    static const char *const prefixes[] = {"", " k", " M", " G", " T"};
    size_t prefix = 0;
    while (number >= 1000.0 && prefix + 1 < G_N_ELEMENTS(prefixes)) {
        number /= 1000.0;
        prefix++;
    }
    g_string_append_printf(text, "%.*f%s%s", prefix > 0 && number < 100.0 ? 1 : 0, number,
                           prefixes[prefix], unit);
}

static void append_duration(GString *text, double seconds)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        g_string_append_printf(text, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        g_string_append_printf(text, "%lu min %02lu s", whole / 60, whole % 60);
    else
        g_string_append_printf(text, "%lu s", whole);
}

bool pf_progress_is_due(const PfProgressLine *line, double seconds)
{
    double interval = line->terminal ? terminal_interval_seconds : plain_interval_seconds;
    double first = line->terminal ? silent_seconds : plain_interval_seconds;
    return seconds >= first && seconds - line->shown_seconds >= interval;
}

void pf_progress_tell(PfProgressLine *line, double seconds, double share_done, const char *what)
{
    if (!pf_progress_is_due(line, seconds))
        return;
    line->shown_seconds = seconds;
    g_autoptr(GString) text = g_string_new(NULL);
    if (share_done > 0)
        g_string_append_printf(text, "%3.0f %%, ", 100.0 * share_done);
    g_string_append(text, what);
    if (share_done > 0.001 && share_done <= 1.0) {
        g_string_append(text, ", ");
        append_duration(text, seconds * (1.0 / share_done - 1.0));
        g_string_append(text, " left");
    }
    if (line->terminal)
        fprintf(line->out, "\r%s\033[K", text->str);
    else
        fprintf(line->out, "pagefold: %s\n", text->str);
    fflush(line->out);
    line->drawn = line->terminal;
}

void pf_progress_update(const PfProgress *progress, void *user)
{
    PfProgressLine *line = user;
    if (!pf_progress_is_due(line, progress->seconds))
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    append_scaled(text, (double)progress->records / progress->seconds, " records/s");
    g_string_append_printf(text, ", simulated %.3f s", (double)progress->simulated_ps / 1e12);
    pf_progress_tell(line, progress->seconds, progress->share_done, text->str);
}

void pf_progress_finish(PfProgressLine *line)
{
    if (line->drawn)
        fprintf(line->out, "\r\033[K");
    fflush(line->out);
    line->drawn = false;
}
