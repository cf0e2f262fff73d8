/* esx under random stores, unmaps, forks, moves, pins and scans: no byte changes, the status table
 * adds up, and what it says was freed was freed. */
#include "esx_fixture.h"

enum { CONTEXTS = 3, PAGES = 40, FRAMES = CONTEXTS * PAGES + 8, CONTENTS = 6, ROUNDS = 6000 };

#define SEED ((uint64_t)6789156)

/* What each page must hold. */
typedef struct {
    bool is_present[CONTEXTS][PAGES];
    uint64_t content[CONTEXTS][PAGES];
} Model;

static bool draw(const Model *model, PfRng *rng, bool is_present, PfPage *ret_page)
{
    PfPage page = mock_page((uint32_t)pf_rng_below(rng, CONTEXTS), pf_rng_below(rng, PAGES));
    *ret_page = page;
    return model->is_present[page.context][page.cpn.number] == is_present;
}

static void fill(PfHost *host, Model *model, PfRng *rng)
{
    PfPage page;
    (void)draw(model, rng, true, &page);
    uint64_t content = pf_rng_below(rng, CONTENTS);
    mock_fill(host, page, content);
    model->is_present[page.context][page.cpn.number] = true;
    model->content[page.context][page.cpn.number] = content;
}

static void unmap(PfHost *host, Model *model, PfRng *rng)
{
    PfPage page;
    if (!draw(model, rng, true, &page))
        return;
    mock_unmap(host, page);
    model->is_present[page.context][page.cpn.number] = false;
}

static void fork_page(PfHost *host, Model *model, PfRng *rng)
{
    PfPage of;
    PfPage page;
    if (!draw(model, rng, true, &of) || !draw(model, rng, false, &page))
        return;
    mock_alias(host, page, of);
    model->is_present[page.context][page.cpn.number] = true;
    model->content[page.context][page.cpn.number] = model->content[of.context][of.cpn.number];
}

static void move(PfHost *host, Model *model, PfRng *rng)
{
    enum { MOVED = 4 };
    uint32_t context = (uint32_t)pf_rng_below(rng, CONTEXTS);
    uint64_t first = pf_rng_below(rng, PAGES / 2 - MOVED);
    uint64_t target = PAGES / 2 + pf_rng_below(rng, PAGES / 2 - MOVED);
    mock_move(host, context, first, target, MOVED);
    for (uint64_t i = 0; i < MOVED; i++) {
        model->is_present[context][target + i] = model->is_present[context][first + i];
        model->content[context][target + i] = model->content[context][first + i];
        model->is_present[context][first + i] = false;
    }
}

static void pin(PfHost *host, const Model *model, PfRng *rng)
{
    PfPage page;
    if (draw(model, rng, true, &page))
        mock_pin(host, page, pf_rng_below(rng, 4) == 0);
}

static bool holds_all(const PfHost *host, const Model *model)
{
    for (uint32_t context = 0; context < CONTEXTS; context++)
        for (uint64_t i = 0; i < PAGES; i++)
            if (model->is_present[context][i] &&
                !mock_holds(host, mock_page(context, i), model->content[context][i]))
                return false;
    return true;
}

static void step(PfHost *host, Model *model, PfRng *rng, bool has_forks)
{
    switch (pf_rng_below(rng, 10)) {
    case 0:
        unmap(host, model, rng);
        break;
    case 1:
        if (has_forks)
            fork_page(host, model, rng);
        break;
    case 2:
        if (has_forks)
            move(host, model, rng);
        break;
    case 3:
        pin(host, model, rng);
        break;
    case 4:
    case 5:
        fill(host, model, rng);
        break;
    default:
        esx_look(host, 1 + pf_rng_below(rng, 8));
    }
}

static void play(const char *finder, unsigned hash_bits, const char *const *assignments,
                 bool has_forks)
{
    g_autoptr(PfHost) host = esx_new(FRAMES, hash_bits, finder, assignments);
    for (unsigned i = 0; i < CONTEXTS; i++)
        mock_add_context(host);
    g_autofree Model *model = g_new0(Model, 1);
    PfRng rng = pf_rng_derive(SEED, finder);
    unsigned wrong = 0;
    uint64_t freed_most = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        step(host, model, &rng, has_forks);
        uint64_t freed = mock_stat(host, "esx.shared");
        uint64_t mapped = mock_stat(host, "esx.used") - mock_used_frames(host);
        wrong += has_forks ? freed > mapped : freed != mapped;
        wrong += !esx_is_consistent(host);
        wrong += !holds_all(host, model);
        freed_most = MAX(freed_most, freed);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(freed_most > PAGES / 2);
}

static void play_all(bool has_forks)
{
    static const char *const choices[][3] = {
        {"policy.marking=\"hint\"", "policy.keep_frame_at_one=true", NULL},
        {"policy.marking=\"hint\"", "policy.keep_frame_at_one=false", NULL},
        {"policy.marking=\"cow\"", "policy.keep_frame_at_one=true", NULL},
        {"policy.marking=\"cow\"", "policy.keep_frame_at_one=false", NULL},
    };

    printf("# seed %" G_GUINT64_FORMAT "\n", SEED);
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        play("table", 64, choices[i], has_forks);
        play("table", 2, choices[i], has_forks);
        play("brute", 64, choices[i], has_forks);
    }
}

static void what_is_said_to_be_freed_is_freed(void)
{
    play_all(false);
}

static void forks_and_moves_upset_no_count(void)
{
    play_all(true);
}

static const PfCheck checks[] = {
    {"what is said to be freed is freed", what_is_said_to_be_freed_is_freed},
    {"forks and moves upset no count", forks_and_moves_upset_no_count},
};

PF_CHECK_MAIN("esx_random", checks)
