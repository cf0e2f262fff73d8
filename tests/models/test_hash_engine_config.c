/* What of a hash engine's parameters goes together. */
#include "check.h"

#include <string.h>

#include "hash_engine.h"

/* Binds TEXT: NULL, or the error. Free with g_free. */
static char *bind(const char *text, PfHashEngineConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) tree = pf_config_load_text(text, strlen(text), "test", NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
    pf_hash_engine_bind(pf_config_section(tree, "hash_engine"), config);
    return pf_config_finish(tree, &error) ? NULL : g_strdup(error->message);
}

static void default_is_no_engine(void)
{
    PfHashEngineConfig config;
    g_autofree char *error = bind("", &config);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(config.kind, PF_HASH_SOFTWARE);
    CU_ASSERT_EQUAL(config.at, PF_HASH_AT_CORE);
}

static void auto_dirty_follows_the_kind(void)
{
    PfHashEngineConfig config;
    g_autofree char *full =
        bind("hash_engine = { at = \"controller\"; kind = \"full\"; };", &config);
    CU_ASSERT_PTR_NULL(full);
    CU_ASSERT_EQUAL(config.dirty, PF_DIRTY_SNOOP);
    g_autofree char *incremental =
        bind("hash_engine = { at = \"controller\"; kind = \"incremental\"; };", &config);
    CU_ASSERT_PTR_NULL(incremental);
    CU_ASSERT_EQUAL(config.dirty, PF_DIRTY_STALE);
}

static void what_does_not_go_together_is_refused(void)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"at = \"controller\";", "software runs on a core"},
        {"kind = \"ecc\";", "does not see the check bits"},
        {"kind = \"full\"; dirty = \"skip\";", "leave dirty out"},
        {"kind = \"full\"; slices = \"channel\";", "no slices"},
        {"kind = \"incremental\"; at = \"controller\"; dirty = \"snoop\";", "asks no cache"},
        {"kind = \"full\"; at = \"controller\"; dirty = \"stale\";", "only an incremental engine"},
        {"kind = \"incremental\"; digest_bits = 8;", "digests serve"},
        {"kind = \"full\"; at = \"controller\"; digest_bits = 8;", "digests serve"},
        {"kind = \"incremental\"; function = \"xor\";", "does not tell words by their places"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        PfHashEngineConfig config;
        g_autofree char *text = g_strdup_printf("hash_engine = { %s };", cases[i].text);
        g_autofree char *error = bind(text, &config);
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        if (strstr(error, cases[i].said) == NULL)
            printf("# %s: %s\n", cases[i].text, error);
        CU_ASSERT_PTR_NOT_NULL(strstr(error, cases[i].said));
    }
}

static const PfCheck checks[] = {
    {"by default there is no engine", default_is_no_engine},
    {"dirty lines are snooped, or left stale by an incremental engine, unless it is said",
     auto_dirty_follows_the_kind},
    {"what does not go together is refused, an exclusive-or too",
     what_does_not_go_together_is_refused},
};

PF_CHECK_MAIN("hash_engine_config", checks)
