#include "card.h"

#include "cost_card.h"

/* The standard machine's clock. */
#define CYCLES_PER_NS 2.6

enum { TERMS_MAX = 4 };

/* A row is the sum of medians; + 1, and negative where one is taken away. 0: no more. */
#define PLUS(measure)  (PF_MEASURE_##measure + 1)
#define MINUS(measure) (-(PF_MEASURE_##measure + 1))

typedef struct {
    const char *key;
    int terms[TERMS_MAX];
} Recipe;

/* As docs/model.md explains the rows of zen4-vm; the others are not measured. */
static const Recipe recipes[] = {
    {"trap", {PLUS(REUSE)}},
    {"allocate", {PLUS(FIRST_TOUCH), MINUS(REUSE), MINUS(FILL_PAGE)}},
    {"map_zero", {PLUS(ZERO_READ), MINUS(REUSE)}},
    {"fork_page", {PLUS(FORK)}},
    {"unmap_page", {PLUS(UNMAP)}},
    {"remap_page", {PLUS(REMAP)}},
    {"merge", {PLUS(UNMAP), PLUS(FORK)}},
    {"visit", {PLUS(KSM_FIRST), PLUS(HASH_HOT), MINUS(HASH_COLD), MINUS(XXH64_HOT)}},
    {"flush_local", {PLUS(SYSTEM_CALL)}},
    {"flush_remote", {PLUS(CALL_OTHERS), MINUS(CALL_ALONE)}},
    {"lock", {PLUS(LOCK)}},
    {"near_line", {PLUS(NEAR_LINE)}},
    {"fill_page", {PLUS(FILL_PAGE)}},
    {"copy_page", {PLUS(COPY_PAGE)}},
    {"read_page", {PLUS(HASH_COLD), MINUS(HASH_HOT)}},
    {"compare_page", {PLUS(COMPARE_COLD)}},
    {"compare_near", {PLUS(COMPARE_HOT)}},
    {"line", {PLUS(LINE)}},
};

static const Recipe *find_recipe(const char *key)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(recipes); i++)
        if (g_str_equal(recipes[i].key, key))
            return &recipes[i];
    return NULL;
}

/* Whether each term of RECIPE was measured; RET_NS is their sum, which noise may make negative. */
static bool derive(const PfSamples *samples, const Recipe *recipe, double *ret_ns, GString *how)
{
    double ns = 0;
    for (unsigned i = 0; i < TERMS_MAX && recipe->terms[i] != 0; i++) {
        bool is_added = recipe->terms[i] > 0;
        PfMeasure measure = (PfMeasure)(ABS(recipe->terms[i]) - 1);
        double median;
        if (!pf_samples_quartile(samples, measure, 2, &median))
            return false;
        ns += is_added ? median : -median;
        if (!is_added || i > 0)
            g_string_append(how, is_added ? " + " : " - ");
        g_string_append(how, pf_samples_name(measure));
    }
    *ret_ns = ns;
    return true;
}

static void write_samples(const PfSamples *samples, GString *text)
{
    g_string_append(text, "# Nanoseconds: median, minimum, quartiles.\n");
    for (unsigned i = 0; i < PF_MEASURE_COUNT; i++) {
        double quartiles[4];
        bool is_measured = true;
        for (unsigned quartile = 0; quartile < 4; quartile++)
            is_measured &=
                pf_samples_quartile(samples, (PfMeasure)i, quartile, &quartiles[quartile]);
        g_string_append_printf(text, "#   %-50s ", pf_samples_name((PfMeasure)i));
        if (!is_measured)
            g_string_append(text, "not measured\n");
        else
            g_string_append_printf(text, "%8.1f %8.1f %8.1f %8.1f\n", quartiles[2], quartiles[0],
                                   quartiles[1], quartiles[3]);
    }
}

/* What the card says of a fault that no row was made from, beside what it takes. */
static void write_held_out(const PfSamples *samples, const PfCosts *costs, PfMeasure measure,
                           uint64_t bytes_cycles, GString *text)
{
    double measured;
    uint64_t cycles =
        costs->trap_cycles + costs->allocate_cycles + bytes_cycles + costs->flush_local_cycles;
    if (pf_samples_quartile(samples, measure, 2, &measured))
        g_string_append_printf(text, "# Held out: %s, %.0f ns by these rows, %.0f measured.\n",
                               pf_samples_name(measure), (double)cycles / CYCLES_PER_NS, measured);
}

char *pf_card_format(const PfSamples *samples, const char *host, const char *obstacle)
{
    PfCosts costs;
    g_autoptr(PfConfig) empty = pf_config_new(NULL);
    pf_cost_card_bind(pf_config_section(empty, "machine.costs"), &costs);
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text, "# Costs measured by `pagefold calibrate`, cycles at 2.6 GHz: %s.\n", host);
    write_samples(samples, text);
    if (obstacle != NULL)
        g_string_append_printf(text, "# ksmd was not measured: %s.\n", obstacle);
    g_string_append(text, "machine = { costs = {\n");
    for (unsigned i = 0; i < PF_COSTS_FIELDS; i++) {
        const Recipe *recipe = find_recipe(pf_costs_fields[i].key);
        uint64_t *cycles = (uint64_t *)(void *)((char *)&costs + pf_costs_fields[i].offset);
        g_autoptr(GString) how = g_string_new(NULL);
        double ns;
        if (recipe != NULL && derive(samples, recipe, &ns, how))
            *cycles = (uint64_t)(MAX(ns, 0) * CYCLES_PER_NS + 0.5);
        else
            g_string_assign(how, "not measured here: the standard card's");
        g_autofree char *row =
            g_strdup_printf("%s = %" G_GUINT64_FORMAT ";", pf_costs_fields[i].key, *cycles);
        g_string_append_printf(text, "  %-22s # %s\n", row, how->str);
    }
    g_string_append(text, "}; };\n");
    write_held_out(samples, &costs, PF_MEASURE_COPY, costs.copy_page_cycles, text);
    write_held_out(samples, &costs, PF_MEASURE_ZERO_WRITE, costs.fill_page_cycles, text);
    return g_string_free(text, FALSE);
}
