/* The Pareto front of points of which x costs and y is wanted. */
#pragma once

#include "chart.h"

typedef struct PfFront PfFront;

/* Without points. */
PfFront *pf_front_new(void);
void pf_front_free(PfFront *front);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfFront, pf_front_free)

/* A point that costs X and is worth Y. */
void pf_front_add(PfFront *front, double x, double y);

/* Adds to PANEL a series `Pareto front` of the points that no other has as much y for as little x
 * as. */
void pf_front_draw(PfFront *front, PfPanel *panel, PfNaming naming);
