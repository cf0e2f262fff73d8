/* The nearest name, and figures of speech that commands share. */
#include "check.h"
#include "options.h"
#include "presets.h"

static const char *const names[] = {"run", "compare", "plot", "trace info", "config check", NULL};

static void nearest_found(void)
{
    /* One edit is allowed in three letters, and a swap is one. */
    CU_ASSERT_STRING_EQUAL(pf_options_nearest("rnu", names), "run");
    CU_ASSERT_STRING_EQUAL(pf_options_nearest("compere", names), "compare");
    CU_ASSERT_STRING_EQUAL(pf_options_nearest("trace inof", names), "trace info");
    CU_ASSERT_STRING_EQUAL(pf_options_nearest("rin", names), "run");
}

static void nearest_not_found(void)
{
    CU_ASSERT_PTR_NULL(pf_options_nearest("elephant", names));
    CU_ASSERT_PTR_NULL(pf_options_nearest("", names));
    CU_ASSERT_PTR_NULL(pf_options_nearest("ron!", (const char *const[]){"x", "abcd", NULL}));
    /* Two edits in three letters are one too many. */
    CU_ASSERT_PTR_NULL(pf_options_nearest("rin", (const char *const[]){"ron!", NULL}));
}

static void presets_found(void)
{
    g_auto(GStrv) found = pf_preset_names();
    CU_ASSERT_FATAL(g_strv_length(found) >= 2);
    CU_ASSERT(g_strv_contains((const char *const *)found, "tiny"));
    CU_ASSERT(g_strv_contains((const char *const *)found, "ddr4-1socket"));
    for (char **name = found; *name != NULL; name++) {
        g_autofree char *summary = pf_preset_summary(*name);
        CU_ASSERT_PTR_NOT_NULL(pf_preset_text(*name));
        CU_ASSERT(g_str_has_suffix(summary, "."));
    }
}

static void presets_not_found(void)
{
    CU_ASSERT_PTR_NULL(pf_preset_text("no-such-preset"));
    CU_ASSERT_PTR_NULL(pf_preset_text("../plots/savings"));
    CU_ASSERT_PTR_NULL(pf_preset_plot("no-such-figure"));
}

static const PfCheck checks[] = {
    {"a misspelt name is recognised", nearest_found},
    {"a name unlike any other is not", nearest_not_found},
    {"each preset is compiled in, with a sentence", presets_found},
    {"a preset that is not there is not found", presets_not_found},
};

PF_CHECK_MAIN("options", checks)
