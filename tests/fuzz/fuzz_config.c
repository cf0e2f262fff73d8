/* Feeds bytes to the configuration as a file's text would be: load, bind fields of every type,
 * finish, and dump; a dump must load again and dump to the same text. */
#include <stdint.h>
#include <string.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    bool flag;
    uint64_t count;
    uint64_t size_bytes;
    uint64_t delay_ps;
    uint64_t clock_hz;
    uint64_t rate;
    double share;
    const char *name;
    int mode;
    char **filters;
    char **values;
} Sample;

static const char *const modes[] = {"grid", "zip", "list", NULL};

static const PfConfigField fields[] = {
    {.key = "flag", .type = PF_CONFIG_BOOL, .offset = offsetof(Sample, flag), .standard = "true"},
    {.key = "count",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(Sample, count),
     .standard = "8",
     .min = 1,
     .power_of_two = true,
     .automatic = true},
    {.key = "size",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(Sample, size_bytes),
     .standard = "32KiB"},
    {.key = "delay",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(Sample, delay_ps),
     .standard = "5ns"},
    {.key = "clock",
     .type = PF_CONFIG_FREQUENCY,
     .offset = offsetof(Sample, clock_hz),
     .standard = "2.6GHz"},
    {.key = "rate", .type = PF_CONFIG_BANDWIDTH, .offset = offsetof(Sample, rate)},
    {.key = "share",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(Sample, share),
     .standard = "0.5",
     .max = 1},
    {.key = "name", .type = PF_CONFIG_STRING, .offset = offsetof(Sample, name)},
    {.key = "mode",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(Sample, mode),
     .standard = "grid",
     .choices = modes},
    {.key = "filters",
     .type = PF_CONFIG_STRINGS,
     .offset = offsetof(Sample, filters),
     .standard = ""},
    {.key = "values",
     .type = PF_CONFIG_VALUES,
     .offset = offsetof(Sample, values),
     .standard = "1"},
};

static const char *preset(const char *name)
{
    return strcmp(name, "loop") == 0   ? "extends = \"loop\";"
           : strcmp(name, "base") == 0 ? "machine = { count = 2; inner = { deep = 1; }; };"
                                       : NULL;
}

static void bind_all(PfConfig *config)
{
    Sample sample = {.flag = false};
    pf_config_bind(pf_config_section(config, ""), fields, G_N_ELEMENTS(fields), &sample);
    pf_config_bind(pf_config_section(config, "machine"), fields, G_N_ELEMENTS(fields), &sample);
    PfConfigSection *root = pf_config_section(config, "");
    size_t count = pf_config_list_length(root, "policies");
    for (size_t i = 0; i < count; i++)
        pf_config_bind(pf_config_list_section(root, "policies", i), fields, G_N_ELEMENTS(fields),
                       &sample);
}

/* Dumping CONFIG, loading that and dumping it again gives the same text. */
static void check_round_trip(PfConfig *config)
{
    g_autofree char *once = pf_config_dump(config, false, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) again = pf_config_load_text(once, strlen(once), "dump", NULL, &error);
    if (again == NULL)
        g_error("a dump does not load: %s\n%s", error->message, once);
    g_autofree char *twice = pf_config_dump(again, false, NULL);
    if (strcmp(once, twice) != 0)
        g_error("a dump changes:\n%s\n%s", once, twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config =
        pf_config_load_text((const char *)data, size, "fuzz", preset, &error);
    if (config == NULL) {
        g_assert(error != NULL && error->message[0] != '\0');
        return 0;
    }
    check_round_trip(config);
    g_autofree char *assignment = g_strndup((const char *)data, MIN(size, 100));
    pf_config_override(config, assignment, NULL);
    pf_config_override(config, "policies.esx.count=4", NULL);
    bind_all(config);
    pf_config_finish(config, NULL);
    check_round_trip(config);
    return 0;
}
