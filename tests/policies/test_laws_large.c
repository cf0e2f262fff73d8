/* What must hold for every policy of the registry where pages are mapped large (sim/app/check).
 *
 * `test_laws_large [FIRST [COUNT [RECORDS]]]` tries other seeds than the usual ones. */
#include "check.h"

#include <glib/gstdio.h>

#include "laws_check.h"
#include "laws_large.h"

enum { SEED_FIRST = 1, SEED_COUNT = 5, RECORD_COUNT = 200 };

static struct {
    unsigned first;
    unsigned count;
    unsigned records;
} seeds = {SEED_FIRST, SEED_COUNT, RECORD_COUNT};

static char *directory;

static void test_laws(void)
{
    PfRegistry *registry = laws_registry();
    PfLawsTally tally = {0};
    for (unsigned seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        g_autoptr(GString) problems = g_string_new(NULL);
        PfLawsTrial trial = {.registry = registry,
                             .settings = "",
                             .directory = directory,
                             .seed = seed,
                             .records = seeds.records,
                             .tally = tally};
        bool holds = pf_laws_large_hold(&trial, problems);
        printf("# seed %u %s\n", seed, problems->str);
        CU_ASSERT_TRUE(holds);
        tally = trial.tally;
    }
    /* No law shall hold because nothing happened. */
    for (unsigned i = 0; i < PF_LAWS_LARGE_DEEDS && seeds.count >= SEED_COUNT; i++) {
        if (tally.large[i] == 0)
            printf("# %s is 0\n", pf_laws_large_deeds[i]);
        CU_ASSERT_TRUE(tally.large[i] > 0);
    }
    CU_ASSERT_TRUE(seeds.count < SEED_COUNT || tally.shared > 0);
    pf_registry_free(registry);
}

static const PfCheck checks[] = {
    {"every policy obeys the identities where pages are mapped large", test_laws},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        seeds.first = (unsigned)g_ascii_strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds.count = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
    if (argc > 3)
        seeds.records = (unsigned)g_ascii_strtoull(argv[3], NULL, 10);
    directory = g_dir_make_tmp("pagefold-laws-XXXXXX", NULL);
    int status = pf_check_main("laws_large", checks, G_N_ELEMENTS(checks));
    g_rmdir(directory);
    g_free(directory);
    return status;
}
