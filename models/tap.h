/* A port that shows who wants to know the lines which caches write back, and passes all on. It
 * takes no time. */
#pragma once

#include "port.h"

/* Told of each WRITE before the next level is. Caches write whole lines, for nothing else is stored
 * to memory by them. */
typedef void (*PfTapListener)(void *user, const PfRequest *request);

typedef struct {
    PfPort port;
    PfPort *next;
    PfTapListener listener; /* NULL: nobody */
    void *user;
} PfTap;

/* In front of NEXT (borrowed); TAP must not move while it is used. */
void pf_tap_init(PfTap *tap, PfPort *next);
