/* results.csv of a sweep: one row for each point and policy. */
#pragma once

#include "sweep_plan.h"

/* Writes it from the points of which some run is done; RET_POINTS is how many that are. No more
 * than one run's results are in memory at a time. PF_ERROR_IO, PF_ERROR_TRACE. */
bool pf_sweep_collect(PfSweepPlan *plan, uint64_t *ret_points, GError **error);

/* The half width of the 95 % interval of a mean, in standard errors: the 0.975 quantile of
 * Student's t with DEGREES of freedom, from 1 on, to three decimals. */
double pf_sweep_student_t(uint64_t degrees);
