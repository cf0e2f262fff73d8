#include "front.h"

#include <math.h>

typedef struct {
    double x;
    double y;
} Offer;

struct PfFront {
    GArray *offers;
};

PfFront *pf_front_new(void)
{
    PfFront *front = g_new0(PfFront, 1);
    front->offers = g_array_new(FALSE, FALSE, sizeof(Offer));
    return front;
}

void pf_front_free(PfFront *front)
{
    if (front == NULL)
        return;
    g_array_unref(front->offers);
    g_free(front);
}

void pf_front_add(PfFront *front, double x, double y)
{
    Offer offer = {x, y};
    g_array_append_val(front->offers, offer);
}

/* Cheapest first; of equal price the better. */
static int compare_offers(gconstpointer a, gconstpointer b)
{
    const Offer *first = a;
    const Offer *second = b;
    if (first->x < second->x || first->x > second->x)
        return first->x < second->x ? -1 : 1;
    return first->y > second->y ? -1 : first->y < second->y;
}

void pf_front_draw(PfFront *front, PfPanel *panel, PfNaming naming)
{
    PfSeries *series = pf_panel_add_series(panel, "Pareto front", "Pareto front", -1,
                                           PF_STYLE_FRONT, naming);
    g_array_sort(front->offers, compare_offers);
    double best = -HUGE_VAL;
    for (guint i = 0; i < front->offers->len; i++) {
        const Offer *offer = &g_array_index(front->offers, Offer, i);
        if (!(offer->y > best))
            continue;
        best = offer->y;
        pf_series_add(series, offer->x, offer->y);
    }
}
