/* What a step was, and what all of it cost. */
#include "explain_words.h"

#include <inttypes.h>

static void explain_fault(GString *out, const char *page, const PfStep *step)
{
    uint32_t to = step->frame.number;
    uint32_t from = step->other.number;
    switch ((PfFault)step->number) {
    case PF_FAULT_ZERO:
        g_string_append_printf(out, "%s is read for the first time: it maps the zero page.", page);
        return;
    case PF_FAULT_FILE:
        g_string_append_printf(out, "%s maps frame %" PRIu32 " of the page cache.", page, to);
        return;
    case PF_FAULT_FIRST:
        g_string_append_printf(out, "%s had no frame: it gets frame %" PRIu32 ".", page, to);
        return;
    case PF_FAULT_COPY_ZERO:
        g_string_append_printf(out, "A store to the zero page faults: %s gets frame %" PRIu32
                               ", cleared.", page, to);
        return;
    case PF_FAULT_COPY_FILE:
        g_string_append_printf(out, "A store to a file's page faults: %s gets a copy, in frame %"
                               PRIu32 ".", page, to);
        return;
    case PF_FAULT_COPY:
        g_string_append_printf(out, "Frame %" PRIu32 " is copy-on-write: the store faults, and %s "
                               "gets a copy, in frame %" PRIu32 ".", from, page, to);
        return;
    case PF_FAULT_REUSE:
        g_string_append_printf(out, "The store faults, but nobody else maps frame %" PRIu32
                               ": %s takes it back without a copy.", to, page);
        return;
    case PF_FAULT_NONE:
    case PF_FAULT_NO_MEMORY:
        return;
    }
}

static void explain_verdict(GString *out, const char *page, PfWhy why)
{
    static const char *const reasons[PF_WHY_COUNT] = {
        [PF_WHY_NOT_REACHED] = "the policy has not looked at it yet",
        [PF_WHY_UNIQUE] = "the policy knows no other page of its bytes",
        [PF_WHY_VOLATILE] = "it has changed, or was not seen unchanged for long enough yet",
        [PF_WHY_KIND] = "it is of a kind that the policy does not share",
        [PF_WHY_NOT_MERGEABLE] = "nobody has offered it for sharing",
        [PF_WHY_PINNED] = "it is pinned or in use",
        [PF_WHY_CLASS] = "the equal page is in a class that it may not share with",
        [PF_WHY_LIMIT] = "there is a limit, of the policy or of its finder",
        [PF_WHY_LARGE] = "it is a part of a large page",
    };
    g_string_append_printf(out, "%s is not shared now: %s.", page, reasons[why]);
}

static void explain_merge(GString *out, const char *page, const PfStep *step)
{
    bool is_ahead = step->kind == PF_STEP_REDIRECTED;
    g_autofree char *frame = step->frame.number == PF_ZERO_FRAME.number
                                 ? g_strdup("the zero page")
                                 : g_strdup_printf("frame %" PRIu32, step->frame.number);
    switch ((PfMergeResult)step->number) {
    case PF_MERGED:
        if (is_ahead)
            g_string_append_printf(out, "%s is mapped onto %s, copy-on-write; nothing is stored.",
                                   page, frame);
        else
            g_string_append_printf(out, "%s is mapped onto %s, copy-on-write, in place of frame %"
                                   PRIu32 ".", page, frame, step->other.number);
        return;
    case PF_SAME:
        g_string_append_printf(out, "%s maps %s already%s.", page, frame,
                               is_ahead ? ", and the store would change nothing" : "");
        return;
    case PF_DIFFERS:
        g_string_append_printf(out, "%s is not mapped onto %s: that was a false match.", page,
                               frame);
        return;
    case PF_NOT_ADMITTED:
    case PF_BUSY:
        g_string_append_printf(out, "%s is not mapped onto %s: %s.", page, frame,
                               step->number == PF_BUSY ? "it is pinned or in use"
                                                       : "it is not to be shared");
        return;
    }
}

static void explain_compared(GString *out, const PfRun *run, const PfStep *step)
{
    uint32_t page_bytes = pf_image_page_bytes(run->image);
    if (step->kind == PF_STEP_COMPARED_AHEAD)
        g_string_append_printf(out, "It compares what is to be stored with frame %" PRIu32 ": ",
                               step->other.number);
    else
        g_string_append_printf(out, "It compares frames %" PRIu32 " and %" PRIu32 ": ",
                               step->frame.number, step->other.number);
    if (step->number >= page_bytes) {
        g_string_append(out, "equal, all ");
        pf_explain_count(out, page_bytes, "byte");
        g_string_append_c(out, '.');
    } else {
        g_string_append_printf(out, "they differ at byte %" PRIu64 ".", step->number);
    }
}

/* The policy's finder, by name. */
static const char *finder_of(const PfRun *run)
{
    const PfFinderOps *finder = run->setup->finder;
    return finder != NULL ? finder->name : "none";
}

void pf_explain_step(GString *out, const PfExplainStyle *style, const PfRun *run,
                     const PfStep *step)
{
    g_autoptr(GString) name = g_string_new(NULL);
    pf_explain_page(name, style, run, step->page);
    const char *page = name->str;
    switch (step->kind) {
    case PF_STEP_FAULT:
        explain_fault(out, page, step);
        return;
    case PF_STEP_WAKE:
        g_string_append(out, "The policy wakes up at cycle ");
        pf_explain_number(out, step->number);
        g_string_append_c(out, '.');
        return;
    case PF_STEP_HASH:
        g_string_append_printf(out, "The policy hashes %s: %" PRIx64 ".", page, step->key);
        return;
    case PF_STEP_HASH_AHEAD:
        g_string_append_printf(out, "The policy hashes what %s is going to hold: %" PRIx64 ".",
                               page, step->key);
        return;
    case PF_STEP_FOUND:
        g_string_append_printf(out, "Its finder (%s) has an entry for that.", finder_of(run));
        return;
    case PF_STEP_MISSED:
        g_string_append_printf(out, "Its finder (%s) has nothing for that.", finder_of(run));
        return;
    case PF_STEP_FILED:
        g_string_append_printf(out, "It files %s there, to be found by others.", page);
        return;
    case PF_STEP_UNFILED:
        g_string_append(out, "It takes an entry out of its finder.");
        return;
    case PF_STEP_LOST:
        g_string_append(out, "The CAM loses an entry: it has no room, or the page was stored to.");
        return;
    case PF_STEP_COMPARED:
    case PF_STEP_COMPARED_AHEAD:
        explain_compared(out, run, step);
        return;
    case PF_STEP_MERGED:
    case PF_STEP_REDIRECTED:
        explain_merge(out, page, step);
        return;
    case PF_STEP_PROTECTED:
        g_string_append_printf(out, "%s is write-protected: its next store faults.", page);
        return;
    case PF_STEP_UNSHARED:
        g_string_append_printf(out, "%s gets frame %" PRIu32 " for itself.", page,
                               step->frame.number);
        return;
    case PF_STEP_GIVEN_BACK:
        g_string_append_printf(out, "%s holds nothing but zeros: its frame is given back.", page);
        return;
    case PF_STEP_VERDICT:
        explain_verdict(out, page, (PfWhy)step->number);
        return;
    case PF_STEP_PASS:
        g_string_append(out, "A full pass is over.");
        return;
    case PF_STEP_KINDS:
        break;
    }
    g_assert_not_reached();
}

/* ---- Costs ---- */

static void append_share(GString *out, const PfLedger *ledger, const PfLedger *before,
                         PfPayer payer, const char *who)
{
    uint64_t cycles = ledger->payer_cycles[payer] - before->payer_cycles[payer];
    if (cycles == 0)
        return;
    g_string_append(out, out->len > 0 ? "; " : "");
    pf_explain_count(out, cycles, "cycle");
    g_string_append_printf(out, " %s (", who);
    const char *comma = "";
    for (unsigned account = 0; account < PF_ACCOUNT_COUNT; account++) {
        uint64_t part = ledger->by_payer_cycles[payer][account] -
                        before->by_payer_cycles[payer][account];
        if (part == 0)
            continue;
        g_string_append_printf(out, "%s%s ", comma, pf_account_info((PfAccount)account)->name);
        pf_explain_number(out, part);
        comma = ", ";
    }
    g_string_append_c(out, ')');
}

void pf_explain_cost(GString *out, const PfLedger *ledger, const PfLedger *before)
{
    g_autoptr(GString) text = g_string_new(NULL);
    append_share(text, ledger, before, PF_PAYER_APP, "of the contexts");
    append_share(text, ledger, before, PF_PAYER_POLICY, "of the policy");
    if (text->len > 0)
        g_string_append_printf(out, "Cost: %s.", text->str);
}
