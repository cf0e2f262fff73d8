/* What must hold where pages are kept apart by the labels of their contexts. */
#pragma once

#include "simulation.h"

/* Whether RUN, of a trace that makes no page show another label's by itself, maps no frame under
 * two labels, the zero page and the page cache apart. True where RUN has no such rule; PROBLEMS get
 * what is wrong. */
bool pf_laws_classes_hold(const PfRun *run, GString *problems);
