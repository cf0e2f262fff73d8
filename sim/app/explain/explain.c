#include "explain.h"

#include <inttypes.h>
#include <stdio.h>

#include "explain_diagram.h"
#include "explain_key.h"
#include "explain_words.h"
#include "trace_names.h"

/* Steps of one record that are told, and of one that stores whole pages, which are all treated
 * alike; the others are counted. */
enum { STEPS_MAX = 100, STEPS_OF_PAGES_MAX = 16 };

struct PfExplain {
    PfExplainOptions options;
    PfObserver observer;
    PfExplainDiagram diagram;
    GArray *steps;  /* of PfStep, since the last record: the first STEPS_MAX */
    uint64_t unsaid; /* further ones */
    PfLedger before; /* when the last record was done */
    uint64_t refused; /* changes of parameters, by then */
    PfRun *run;       /* that is watched; NULL before the first record */
    bool has_quit;
};

static void take_step(void *user, const PfStep *step)
{
    PfExplain *explain = user;
    pf_explain_diagram_step(&explain->diagram, step);
    PfStep *last = explain->steps->len > 0
                       ? &g_array_index(explain->steps, PfStep, explain->steps->len - 1)
                       : NULL;
    /* A policy that wakes up and finds nothing to do is worth no line. */
    if (last != NULL && last->kind == PF_STEP_WAKE && step->kind == PF_STEP_WAKE)
        *last = *step;
    else if (explain->steps->len < STEPS_MAX)
        g_array_append_val(explain->steps, *step);
    else
        explain->unsaid++;
}

/* Whether step INDEX, a verdict, was not the last word of this look at the page: another one
 * follows, or it shares meanwhile and is not in want of an equal one. */
static bool is_overtaken(const PfExplain *explain, const PfRun *run, guint index)
{
    const PfStep *step = &g_array_index(explain->steps, PfStep, index);
    if (step->kind != PF_STEP_VERDICT)
        return false;
    for (guint i = index + 1; i < explain->steps->len; i++) {
        const PfStep *later = &g_array_index(explain->steps, PfStep, i);
        bool is_same = pf_page_equal(later->page, step->page);
        if (later->kind == PF_STEP_VERDICT && is_same)
            return true;
        if (later->kind == PF_STEP_PASS || (later->kind == PF_STEP_HASH && is_same))
            break;
    }
    return step->number == PF_WHY_UNIQUE &&
           (pf_host_flags(run->host, step->page) & PF_FLAG_SHARED) != 0;
}

static void tell_steps(const PfExplain *explain, GString *out, const PfRun *run, guint limit)
{
    const PfExplainStyle *style = &explain->options.style;
    guint count = MIN(explain->steps->len, limit);
    uint64_t unsaid = explain->unsaid + explain->steps->len - count;
    for (guint i = 0; i < count; i++) {
        const PfStep *step = &g_array_index(explain->steps, PfStep, i);
        bool is_idle = step->kind == PF_STEP_WAKE && i + 1 == explain->steps->len;
        if (is_idle || is_overtaken(explain, run, i))
            continue;
        g_autoptr(GString) sentence = g_string_new(NULL);
        pf_explain_step(sentence, style, run, step);
        pf_explain_wrap(out, "- ", 7, sentence->str);
    }
    if (unsaid > 0) {
        g_autoptr(GString) sentence = g_string_new("... and ");
        pf_explain_count(sentence, unsaid, "more step");
        pf_explain_wrap(out, "- ", 7, sentence->str);
    }
}

/* What became of RECORD, which sets a parameter. */
static const char *tell_control(const PfExplain *explain, const PfRun *run, const PfRecord *record)
{
    const PfPolicyCommon *common = &run->setup->common;
    g_auto(GStrv) words = g_strsplit(record->detail->name, ".", 2);
    if (!g_str_equal(words[0], common->label) && !g_str_equal(words[0], common->name))
        return "That is no parameter of this policy: nothing changes.";
    return run->host->stats.refused_controls > explain->refused
               ? "The policy refuses that: nothing changes."
               : "The policy obeys.";
}

/* What there is to be said where nothing happened; NULL if something did. */
static const char *tell_nothing(const PfExplain *explain, const PfRun *run, const PfRecord *record)
{
    bool is_look = false;
    bool is_remapped = false;
    for (guint i = 0; i < explain->steps->len; i++) {
        PfStepKind kind = g_array_index(explain->steps, PfStep, i).kind;
        is_remapped |= kind == PF_STEP_FAULT || kind == PF_STEP_REDIRECTED;
        is_look |= kind != PF_STEP_PASS;
    }
    if (record->kind == PF_RECORD_WRITE && !is_remapped)
        return "Nobody else has that frame: the bytes are stored in place.";
    if (record->kind == PF_RECORD_CONTROL)
        return tell_control(explain, run, record);
    if (record->kind != PF_RECORD_SCAN || is_look)
        return NULL;
    if (run->setup->ops->scan == NULL)
        return "This policy never scans.";
    if (run->setup->common.pacing != PF_PACING_TRACE)
        return "This one does not obey: its pacing is not \"trace\".";
    if (run->setup->common.scope == PF_SCOPE_MERGEABLE)
        return "It finds no page to look at: its scope is what was offered for sharing.";
    return "It finds no page to look at: none is new to it.";
}

static void tell_record(const PfExplain *explain, GString *out, PfRun *run, const PfRecord *record,
                        uint64_t number)
{
    const PfExplainStyle *style = &explain->options.style;
    g_autofree char *label = g_strdup_printf("%5" PRIu64 "  ", number);
    g_autoptr(GString) sentence = g_string_new(NULL);
    pf_explain_record(sentence, style, run, record);
    g_string_append(out, style->has_color ? "\033[36m" : "");
    pf_explain_wrap(out, label, 7, sentence->str);
    g_string_append(out, style->has_color ? "\033[0m" : "");
    bool is_pages = pf_record_traits((PfRecordKind)record->kind)->has_content;
    tell_steps(explain, out, run, is_pages ? STEPS_OF_PAGES_MAX : STEPS_MAX);
    const char *nothing = tell_nothing(explain, run, record);
    if (nothing != NULL)
        pf_explain_wrap(out, "- ", 7, nothing);
    g_string_truncate(sentence, 0);
    pf_explain_cost(sentence, &run->ledger, &explain->before);
    if (sentence->len > 0)
        pf_explain_wrap(out, "", 7, sentence->str);
}

static bool tell(void *user, PfRun *run, const PfRecord *record, uint64_t number)
{
    PfExplain *explain = user;
    const PfExplainOptions *options = &explain->options;
    explain->run = run;
    if (number >= options->first && number <= options->last) {
        g_autoptr(GString) out = g_string_new(NULL);
        tell_record(explain, out, run, record, number);
        pf_explain_diagram_draw(&explain->diagram, out, &options->style, run);
        g_string_append_c(out, '\n');
        fwrite(out->str, 1, out->len, stdout);
    }
    pf_table_clear(&explain->diagram.touched);
    explain->before = run->ledger;
    explain->refused = run->host->stats.refused_controls;
    g_array_set_size(explain->steps, 0);
    explain->unsaid = 0;
    if (!options->waits || number < options->first || number >= options->last)
        return true;
    PfKey key = pf_explain_wait(options->interrupted);
    explain->has_quit = key == PF_KEY_QUIT;
    return key == PF_KEY_NEXT;
}

PfExplain *pf_explain_new(const PfExplainOptions *options)
{
    PfExplain *explain = g_new0(PfExplain, 1);
    explain->options = *options;
    explain->observer = (PfObserver){take_step, tell, explain};
    explain->steps = g_array_new(FALSE, FALSE, sizeof(PfStep));
    pf_explain_diagram_init(&explain->diagram);
    return explain;
}

void pf_explain_free(PfExplain *explain)
{
    if (explain == NULL)
        return;
    g_array_unref(explain->steps);
    pf_explain_diagram_clear(&explain->diagram);
    g_free(explain);
}

const PfObserver *pf_explain_observer(PfExplain *explain)
{
    return &explain->observer;
}

void pf_explain_finish(PfExplain *explain, const PfRun *run)
{
    if (explain->has_quit)
        return;
    g_autoptr(GString) out = g_string_new(NULL);
    tell_steps(explain, out, run, STEPS_MAX);
    if (explain->steps->len > 0 && explain->run != NULL)
        pf_explain_diagram_draw(&explain->diagram, out, &explain->options.style, explain->run);
    g_autoptr(GString) sentence = g_string_new("In the end, ");
    pf_explain_count(sentence, run->memory.populated_pages, "page");
    g_string_append(sentence, " that got bytes in ");
    pf_explain_count(sentence, run->memory.frames.used_frames, "frame");
    g_string_append(sentence, "; ");
    pf_explain_count(sentence, run->ledger.payer_cycles[PF_PAYER_APP], "cycle");
    g_string_append(sentence, " of the contexts, ");
    pf_explain_number(sentence, run->ledger.payer_cycles[PF_PAYER_POLICY]);
    g_string_append(sentence, " of the policy.");
    PfStatValue least;
    if ((run->setup->ops->flags & PF_POLICY_BOUND) != 0 &&
        pf_stats_find(pf_run_stats(run), "memory.used_frames", &least)) {
        g_string_append_c(sentence, ' ');
        pf_explain_count(sentence, least.u, "frame");
        g_string_append(sentence, " would do.");
    }
    pf_explain_wrap(out, "", 0, sentence->str);
    fwrite(out->str, 1, out->len, stdout);
}

bool pf_explain_has_quit(const PfExplain *explain)
{
    return explain->has_quit;
}
