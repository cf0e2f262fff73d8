/* A first look over a whole trace: how much memory it touches, and whether it is sound. */
#pragma once

#include "trace.h"

/* Counts the distinct pages of the trace at PATH that any record touches: as many frames as no run
 * can need more. False with the trace's error if it is damaged and not to be salvaged. */
bool pf_prescan_pages(const char *path, const PfTraceOptions *options, uint64_t *ret_pages,
                      GError **error);
