/* The scenarios of a folder, each told twice and compared: `scenarios PAIR FOLDER [SECONDS]`, where
 * PAIR is as in `pagefold validate ksm --compare`. One TAP case a scenario; what is not told after
 * SECONDS, or cannot be by the fault of the host, is skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "error.h"
#include "live_validate.h"
#include "presets.h"

enum { LOCK_WAIT_SECONDS = 15 };

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the scenarios in FOLDER, in order. */
static GPtrArray *list_scenarios(const char *path)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_suffix(name, ".trace"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void tell(unsigned number, const PfValidator *validator, const PfKsmTeller pair[2],
                 const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_auto(PfVerdict) verdict = {0};
    bool is_told = pf_teller_compare(validator, pair, path, lines, &verdict, &error);
    /* A scenario that the program does not know by itself is not what users run. */
    bool is_built_in = pf_preset_scenario(name) != NULL;
    bool is_missed = !is_told && validator->ksm != NULL &&
                     !g_error_matches(error, PF_ERROR, PF_ERROR_TRACE);
    bool is_alike = is_told && lines->len == 0;
    printf("%s %u %s: %s and %s count alike%s%s\n",
           is_built_in && (is_alike || is_missed) ? "ok" : "not ok", number, name,
           pf_teller_name(pair[0]), pf_teller_name(pair[1]), is_missed ? " # SKIP " : "",
           is_missed ? error->message : "");
    if (!is_told && !is_missed)
        printf("# %s\n", error->message);
    if (is_alike && verdict.tries > 1)
        printf("# at try %u\n", verdict.tries);
    if (!is_built_in)
        printf("# not built in: add it to sim/app/pagefold.gresource.xml\n");
    for (guint i = 0; i < lines->len; i++)
        printf("# %s\n", (const char *)g_ptr_array_index(lines, i));
}

int main(int argc, char **argv)
{
    PfKsmTeller pair[2];
    static int interrupted;
    if (argc < 3 || !pf_teller_parse_pair(argv[1], pair)) {
        fprintf(stderr, "usage: scenarios PAIR FOLDER [SECONDS]\n");
        return 2;
    }
    Deadline deadline = {argc > 3 ? atoi(argv[3]) : 0, &interrupted};
    if (deadline.seconds > 0)
        deadline_start(&deadline);
    setvbuf(stdout, NULL, _IOLBF, 0);
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(GPtrArray) names = list_scenarios(argv[2]);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfKsm) ksm = NULL;
    if (pair[0] == PF_TELLER_LIVE || pair[1] == PF_TELLER_LIVE) {
        ksm = pf_ksm_open(LOCK_WAIT_SECONDS, &interrupted, &error);
        if (ksm == NULL) {
            printf("1..0 # SKIP %s\n", error->message);
            return 0;
        }
    }
    bool is_without = (pair[0] == PF_TELLER_MODEL || pair[1] == PF_TELLER_MODEL) &&
                      pf_registry_find_policy(registry, "ksm") == NULL;
    if (is_without) {
        printf("1..0 # SKIP there is no policy `ksm`\n");
        return 0;
    }
    PfValidator validator = {.ksm = ksm, .registry = registry, .interrupted = &interrupted};
    printf("1..%u\n", names->len);
    for (guint i = 0; i < names->len; i++)
        tell(i + 1, &validator, pair, argv[2], g_ptr_array_index(names, i));
    return 0;
}
