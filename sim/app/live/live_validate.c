#include "live_validate.h"

#include <string.h>

#include "error.h"
#include "live_model.h"
#include "live_scenario.h"

/* Further tries. On two processors each of the first kind is right with a probability of about a
 * half. */
enum { WANDERING_TRIES_MAX = 9, PLAIN_TRIES = 2 };

static const char *const teller_names[PF_TELLER_COUNT] = {
    [PF_TELLER_MODEL] = "model",
    [PF_TELLER_LIVE] = "live",
    [PF_TELLER_STORED] = "stored",
};

const char *pf_teller_name(PfKsmTeller teller)
{
    return teller_names[teller];
}

bool pf_teller_parse_pair(const char *text, PfKsmTeller ret_pair[2])
{
    for (unsigned a = 0; a < PF_TELLER_COUNT; a++)
        for (unsigned b = 0; b < PF_TELLER_COUNT; b++) {
            g_autofree char *pair = g_strconcat(teller_names[a], "-", teller_names[b], NULL);
            if (strcmp(pair, text) != 0)
                continue;
            ret_pair[0] = (PfKsmTeller)a;
            ret_pair[1] = (PfKsmTeller)b;
            return true;
        }
    return false;
}

char *pf_teller_stored_path(const char *path)
{
    size_t length = strlen(path);
    if (g_str_has_suffix(path, ".trace"))
        length -= strlen(".trace");
    return g_strdup_printf("%.*s.live.jsonl", (int)length, path);
}

static GArray *load_stored(const PfValidator *validator, const char *path, GError **error)
{
    if (validator->stored != NULL)
        return pf_ksm_steps_parse(validator->stored, path, error);
    g_autofree char *stored = pf_teller_stored_path(path);
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (g_file_get_contents(stored, &text, NULL, &cause))
        return pf_ksm_steps_parse(text, stored, error);
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s", cause->message);
    return NULL;
}

GArray *pf_teller_tell(const PfValidator *validator, PfKsmTeller teller, const char *path,
                       GError **error)
{
    switch (teller) {
    case PF_TELLER_MODEL:
        return pf_live_model(validator->registry, path, validator->interrupted, error);
    case PF_TELLER_LIVE:
        g_assert(validator->ksm != NULL);
        return pf_live_play(validator->ksm, path, validator->interrupted, error);
    case PF_TELLER_STORED:
        return load_stored(validator, path, error);
    case PF_TELLER_COUNT:
        break;
    }
    g_assert_not_reached();
}

/* The running kernel's account once more; whether it is that of A, by RET_AGREES. */
static bool ask_again(const PfValidator *validator, const char *path, const GArray *a,
                      uint64_t seed, bool *ret_agrees, GError **error)
{
    pf_ksm_wander(validator->ksm, seed);
    g_autoptr(GArray) b = pf_teller_tell(validator, PF_TELLER_LIVE, path, error);
    pf_ksm_wander(validator->ksm, 0);
    if (b == NULL)
        return false;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    *ret_agrees = pf_ksm_steps_compare(a, "", b, "", lines) == 0;
    return true;
}

/* Whether the running kernel, which differed from A, agrees after all. */
static bool reconsider(const PfValidator *validator, const char *path, const GArray *a,
                       PfVerdict *verdict, bool *ret_agrees, GError **error)
{
    bool wanders = verdict->is_overlookable;
    unsigned tries = wanders ? WANDERING_TRIES_MAX : PLAIN_TRIES;
    *ret_agrees = !wanders;
    /* One agreement decides if it wanders, else one difference. */
    for (unsigned i = 1; i <= tries && *ret_agrees != wanders; i++) {
        if (!ask_again(validator, path, a, wanders ? i : 0, ret_agrees, error))
            return false;
        verdict->tries++;
    }
    return true;
}

static bool is_overlookable(const GArray *steps)
{
    return steps->len > 0 && g_array_index(steps, PfKsmStep, steps->len - 1).overlookable > 0;
}

bool pf_teller_compare(const PfValidator *validator, const PfKsmTeller pair[2], const char *path,
                       GPtrArray *lines, PfVerdict *ret_verdict, GError **error)
{
    g_assert(lines->len == 0);
    *ret_verdict = (PfVerdict){.steps = NULL, .tries = 1};
    GArray *a = pf_teller_tell(validator, pair[0], path, error);
    ret_verdict->steps = a;
    g_autoptr(GArray) b = a != NULL ? pf_teller_tell(validator, pair[1], path, error) : NULL;
    if (b == NULL)
        return false;
    pf_ksm_steps_compare(a, teller_names[pair[0]], b, teller_names[pair[1]], lines);
    ret_verdict->is_overlookable = is_overlookable(a);
    if (lines->len == 0 || pair[1] != PF_TELLER_LIVE)
        return true;
    bool agrees;
    if (!reconsider(validator, path, a, ret_verdict, &agrees, error))
        return false;
    if (agrees)
        g_ptr_array_set_size(lines, 0);
    return true;
}

void pf_verdict_clear(PfVerdict *verdict)
{
    if (verdict->steps != NULL)
        g_array_unref(verdict->steps);
    verdict->steps = NULL;
}
