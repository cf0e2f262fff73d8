/* Plug-ins that must be refused: one a build, chosen by the macros BAD_*. */
#include "policy.h"

static void *create(PfHost *host, const void *config, GError **error)
{
    (void)host;
    (void)config;
    (void)error;
    return g_malloc(1);
}

static void *create_finder(PfHost *host, const void *config, uint64_t frames, GError **error)
{
    (void)frames;
    return create(host, config, error);
}

static uint64_t hash(const uint8_t *data, size_t bytes)
{
    (void)data;
    return bytes;
}

/* What the lists may hold; the first entry of each list is good. */
static const PfPolicyOps good = {
    .name = "good", .summary = "Fine.", .create = create, .free = g_free};
static const PfPolicyOps no_free = {.name = "no_free", .summary = "Leaks.", .create = create};
static const PfPolicyOps no_summary = {.name = "mute", .create = create, .free = g_free};
static const PfPolicyOps bad_name = {
    .name = "No Word", .summary = "Blank.", .create = create, .free = g_free};
static const PfPolicyOps taken = {
    .name = "esx", .summary = "Second.", .create = create, .free = g_free};
static const PfConfigField far_field = {.key = "far", .type = PF_CONFIG_UINT, .offset = 8};
static const PfPolicyOps bad_field = {.name = "far",
                                      .summary = "Writes beyond its configuration.",
                                      .create = create,
                                      .free = g_free,
                                      .fields = &far_field,
                                      .field_count = 1,
                                      .config_bytes = 8};
static const PfFinderOps no_find = {
    .name = "no_find", .summary = "Blind.", .create = create_finder, .free = g_free};
static const PfHashOps wide = {.name = "wide", .summary = "Too wide.", .bits = 65, .hash = hash};

const PfPolicyOps *const no_free_list[] = {&good, &no_free, NULL};
const PfPolicyOps *const no_summary_list[] = {&good, &no_summary, NULL};
const PfPolicyOps *const bad_name_list[] = {&good, &bad_name, NULL};
const PfPolicyOps *const taken_list[] = {&good, &taken, NULL};
const PfPolicyOps *const twice_list[] = {&good, &good, NULL};
const PfPolicyOps *const bad_field_list[] = {&good, &bad_field, NULL};
const PfPolicyOps *const good_list[] = {&good, NULL};
const PfFinderOps *const no_find_list[] = {&no_find, NULL};
const PfHashOps *const wide_list[] = {&wide, NULL};

const PfPlugin BAD_SYMBOL = {BAD_ABI, BAD_POLICIES, BAD_FINDERS, BAD_HASHES,
                               NULL};
