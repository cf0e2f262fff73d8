/* A struct with a field of every type, and helpers that the tests of the configuration share. */
#pragma once

#include <math.h>
#include <string.h>

#include "check.h"
#include "config.h"
#include "error.h"

typedef struct {
    bool flag;
    uint64_t channels;
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

static const char *const sample_modes[] = {"open", "closed", "adaptive", NULL};

static const PfConfigField sample_fields[] = {
    {.key = "flag", .type = PF_CONFIG_BOOL, .offset = offsetof(Sample, flag), .standard = "true"},
    {.key = "channels",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(Sample, channels),
     .standard = "2",
     .min = 1,
     .max = 64,
     .power_of_two = true,
     .unit = "channels"},
    {.key = "size",
     .type = PF_CONFIG_SIZE,
     .offset = offsetof(Sample, size_bytes),
     .standard = "32KiB",
     .automatic = true},
    {.key = "delay",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(Sample, delay_ps),
     .standard = "13.75ns",
     .max = 1000000},
    {.key = "clock",
     .type = PF_CONFIG_FREQUENCY,
     .offset = offsetof(Sample, clock_hz),
     .standard = "2.6GHz"},
    {.key = "rate", .type = PF_CONFIG_BANDWIDTH, .offset = offsetof(Sample, rate)},
    {.key = "share",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(Sample, share),
     .standard = "0.1",
     .max = 1,
     .automatic = true},
    {.key = "name", .type = PF_CONFIG_STRING, .offset = offsetof(Sample, name)},
    {.key = "mode",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(Sample, mode),
     .standard = "closed",
     .choices = sample_modes},
    {.key = "filters",
     .type = PF_CONFIG_STRINGS,
     .offset = offsetof(Sample, filters),
     .standard = "flagged, scope"},
    {.key = "values", .type = PF_CONFIG_VALUES, .offset = offsetof(Sample, values)},
};

static inline void bind_sample(PfConfigSection *section, Sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    pf_config_bind(section, sample_fields, G_N_ELEMENTS(sample_fields), sample);
}

/* The configuration of TEXT, called "t.cfg". Fails the test and gives an empty one if it is wrong.
 */
static inline PfConfig *load_sample(const char *text)
{
    g_autoptr(GError) error = NULL;
    PfConfig *config = pf_config_load_text(text, strlen(text), "t.cfg", NULL, &error);
    if (config == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL(config);
    return config != NULL ? config : pf_config_new(NULL);
}

/* All of ERROR is EXPECTED. */
static inline void check_message(const GError *error, const char *expected)
{
    bool matches =
        g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG) && strcmp(error->message, expected) == 0;
    if (!matches)
        printf("# got      %s\n# expected %s\n", error != NULL ? error->message : "no error",
               expected);
    CU_ASSERT_TRUE(matches);
}

/* CONFIG does not finish, for the reasons EXPECTED. */
static inline void check_unfinished(PfConfig *config, const char *expected)
{
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_config_finish(config, &error));
    check_message(error, expected);
}

static inline void check_finished(PfConfig *config)
{
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(pf_config_finish(config, &error));
    if (error != NULL)
        printf("# %s\n", error->message);
}
