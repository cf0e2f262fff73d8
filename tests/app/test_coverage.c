/* How much of a virtual machine random scanning has looked at: US 6,789,156 B1 has its prototype
 * look at 50 random pages a second of each. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "spawn.h"

enum { VM_PAGES = 32768, PAGES_PER_SECOND = 50, SEEDS = 5 };

static const unsigned seconds[] = {100, 500, 1000, 2017, 4000};

/* Pages that were never drawn after TIME_SECONDS: of n pages, each of which x = rate * t / n draws
 * are to meet on average, n e^-x. */
static double expected_left(unsigned time_seconds)
{
    return VM_PAGES * exp(-(double)PAGES_PER_SECOND * time_seconds / VM_PAGES);
}

/* The standard deviation of that number of empty urns: sqrt(n e^-x (1 - (1 + x) e^-x)). */
static double deviation_of_left(unsigned time_seconds)
{
    double draws = (double)PAGES_PER_SECOND * time_seconds / VM_PAGES;
    return sqrt(VM_PAGES * exp(-draws) * (1 - (1 + draws) * exp(-draws)));
}

static void write_workload(const char *place)
{
    g_autoptr(GString) text = g_string_new("workload = { contexts = ( { name = \"vm\"; "
                                           "memory = \"128MiB\"; } );\n  phases = ( ");
    unsigned before = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_string_append_printf(text, "%s{ time = \"%us\"; mark = \"%u\"; }", i == 0 ? "" : ", ",
                               seconds[i] - before, seconds[i]);
        before = seconds[i];
    }
    g_string_append(text, " ); };\n");
    spawn_write(place, "w.cfg", text->str);
    spawn_write(place, "r.cfg", "trace = \"w.pft\"; policies = ( { name = \"esx\"; } );\n");
}

/* The pages that esx had not looked at, at the mark of TIME_SECONDS in MARKS, the file's rows. */
static double pages_left(const char *marks, unsigned time_seconds)
{
    g_autofree char *row = g_strdup_printf("\nesx,%u,reason.not_reached,", time_seconds);
    const char *found = strstr(marks, row);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return (double)g_ascii_strtoull(found + strlen(row), NULL, 10);
}

static void coverage_follows_the_law_of_random_draws(void)
{
    char *place = spawn_make_place();
    write_workload(place);
    g_auto(Spawned) generated = spawn(place, "trace", "generate", "w.cfg", "-o", "w.pft");
    CU_ASSERT_EQUAL_FATAL(generated.status, 0);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        g_autofree char *number = g_strdup_printf("seed=%u", seed);
        g_auto(Spawned) run = spawn(place, "run", "r.cfg", "-s", number, "-o", "out", "--force");
        CU_ASSERT_EQUAL_FATAL(run.status, 0);
        g_autofree char *marks = spawn_read(place, "out/marks.csv");
        CU_ASSERT_PTR_NOT_NULL_FATAL(marks);
        for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
            double far = pages_left(marks, seconds[i]) - expected_left(seconds[i]);
            CU_ASSERT(fabs(far) <= 4 * deviation_of_left(seconds[i]));
        }
    }
    spawn_clear_place(place);
}

/* As the numbers are told: 1 - e^(-2017 * 50 / 32768) = 0.95394, and 4 deviations are 0.43 %. */
static void the_law_gives_95_percent_after_2017_seconds(void)
{
    CU_ASSERT_DOUBLE_EQUAL(1 - expected_left(2017) / VM_PAGES, 0.95394, 0.00001);
    CU_ASSERT(4 * deviation_of_left(2017) < 0.0044 * VM_PAGES);
}

static const PfCheck checks[] = {
    {"coverage follows the law of random draws", coverage_follows_the_law_of_random_draws},
    {"the law gives 95 percent after 2017 seconds", the_law_gives_95_percent_after_2017_seconds},
};

PF_CHECK_MAIN("app-coverage", checks)
