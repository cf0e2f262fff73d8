/* Where does the energy go? */
#include <math.h>

#include "bars.h"

static const PfPart accounts[] = {
    {"cores.dynamic_J", "cores", "#8c8c8c"},
    {"cores.leakage_J", "cores' leakage", "#c9c9c9"},
    {"caches.dynamic_J", "caches", "#0072B2"},
    {"caches.leakage_J", "caches' leakage", "#9ecae1"},
    {"tlbs.dynamic_J", "TLBs", "#009E73"},
    {"tlbs.leakage_J", "TLBs' leakage", "#a6dbc9"},
    {"interconnect_J", "interconnect", "#000000"},
    {"cam.dynamic_J", "CAM", "#D55E00"},
    {"cam.leakage_J", "CAM's leakage", "#f4b183"},
    {"hash_engine.dynamic_J", "hash engines", "#CC79A7"},
    {"hash_engine.leakage_J", "hash engines' leakage", "#e8c4d8"},
    {"dram.activate_J", "DRAM: rows", "#E69F00"},
    {"dram.read_write_J", "DRAM: data", "#F0E442"},
    {"dram.refresh_J", "DRAM: refresh", "#b8a800"},
    {"dram.background_J", "DRAM: standby", "#f7eeb0"},
};

/* The accounts that RUN does not know, as many as there is room for. */
static char *tell_unknown(const PfSavedRun *run)
{
    enum { NAMES_MAX = 3 };
    GString *note = g_string_new(NULL);
    unsigned count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(accounts); i++) {
        g_autofree char *name = g_strconcat("energy.account.", accounts[i].name, NULL);
        if (isfinite(pf_sheet_stat(run, name)))
            continue;
        count++;
        g_string_append_printf(note, "%s %s", note->len > 0 ? "," : "; not known:",
                               accounts[i].title);
    }
    if (count > NAMES_MAX)
        g_string_printf(note, "; %u of %zu accounts are not known", count, G_N_ELEMENTS(accounts));
    return g_string_free(note, FALSE);
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(PfSaved) saved = pf_sheet_results(sheet, error);
    if (saved == NULL)
        return false;
    g_autofree char *title = pf_sheet_title("Where the energy goes", saved);
    g_autofree char *note = saved->runs->len > 0 ? tell_unknown(saved->runs->pdata[0]) : NULL;
    g_autoptr(PfBars) bars = pf_bars_new(&(PfBarsLook){
        .title = title,
        .columns = "policy,account,J",
        .axis = "energy",
        .axis_note = note,
        .unit = PF_UNIT_JOULES,
        .parts = accounts,
        .part_count = G_N_ELEMENTS(accounts),
    });
    for (guint i = 0; i < saved->runs->len; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        pf_bars_add_row(bars, run->policy, run->remark);
        for (size_t a = 0; a < G_N_ELEMENTS(accounts); a++) {
            g_autofree char *name = g_strconcat("energy.account.", accounts[a].name, NULL);
            pf_bars_add(bars, a, pf_sheet_stat(run, name));
        }
        pf_bars_end(bars, NULL);
    }
    if (!(pf_bars_most(bars) > 0.0))
        return pf_sheet_lacks(sheet, error,
                              "no energy is known; set extends = \"energy-45nm\", and a preset of "
                              "DRAM with currents");
    pf_bars_draw(bars, sheet);
    return true;
}

const PfFigure pf_figure_energy = {
    .name = "energy",
    .summary = "energy by account, one stacked bar a policy",
    .source = "stats.json",
    .draw = draw,
};
