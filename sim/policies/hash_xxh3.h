/* XXH3 of pages that change a little from one time to the next. */
#pragma once

#include "policy.h"

/* For pages of whole KiB. */
extern const PfHashFollowOps pf_hash_xxh3_follow;
