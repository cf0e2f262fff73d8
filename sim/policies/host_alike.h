/* What a policy deems identical beside equal bytes, for the parts of the host. */
#pragma once

#include "host.h"

/* Forgets the rule; there may be none. */
void pf_host_free_alike(PfHost *host);
/* What of a page of BYTES is hashed, where there is such a rule; until the next call. */
const uint8_t *pf_host_what_counts(const PfHost *host, const uint8_t *bytes);
/* Whether the policy's rule makes A and B, or what two frames hold, identical. */
bool pf_host_are_alike(PfHost *host, PfContent a, PfContent b);
bool pf_host_frames_alike(PfHost *host, PfMpn a, PfMpn b);
/* The pages that were compared last by that rule share a frame now. */
void pf_host_count_damage(PfHost *host);
