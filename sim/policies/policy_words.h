/* The words in which a policy and its host speak of pages and of what happens to them; part of
 * policy.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/* A page of a context: all that a policy may keep about it. */
typedef struct {
    uint32_t context;
    PfCpn cpn;
} PfPage;

/* Whether A and B are the same page. */
static inline bool pf_page_equal(PfPage a, PfPage b)
{
    return a.context == b.context && a.cpn.number == b.cpn.number;
}

/* What pf_host_flags tells of a page. */
enum {
    PF_FLAG_PRESENT = 1 << 0,   /* mapped to a frame; the others count only if it is set */
    PF_FLAG_SHARED = 1 << 1,    /* its frame is mapped by another page too */
    PF_FLAG_WRITABLE = 1 << 2,  /* a store would not fault */
    PF_FLAG_ZERO = 1 << 3,      /* maps the shared zero page */
    PF_FLAG_ANON = 1 << 4,      /* anonymous, or made private by a write */
    PF_FLAG_FILE = 1 << 5,      /* maps a frame of the page cache (shared memory included) */
    PF_FLAG_MERGEABLE = 1 << 6, /* advised mergeable */
    PF_FLAG_PINNED = 1 << 7,
    PF_FLAG_LOCKED = 1 << 8,
    PF_FLAG_EXECUTED = 1 << 9,
    PF_FLAG_READONLY = 1 << 10,
    PF_FLAG_MERGED = 1 << 11, /* shared by this policy's own doing */
    PF_FLAG_IN_SCOPE = 1 << 12, /* inside the policy's scope, pinned or not */
    PF_FLAG_OPEN = 1 << 13,   /* writable, dirty, or its frame was never shared */
};

typedef enum {
    PF_MERGED,       /* the page now maps the keeper's frame */
    PF_SAME,         /* it did so already */
    PF_DIFFERS,      /* the bytes are not equal; nothing changed */
    PF_NOT_ADMITTED, /* scope, filters or classes forbid it, or what it maps */
    PF_BUSY,         /* not present, pinned while it is open, or not to be touched now */
} PfMergeResult;

/* How a page came to have new bytes. */
typedef enum {
    PF_CHANGE_STORE, /* a program's store, whatever its size */
    PF_CHANGE_FILL,  /* a store of the whole page */
    PF_CHANGE_STATE, /* told by the trace between two pictures of memory: no store, no cost */
    PF_CHANGE_INIT,  /* initialised by request */
    PF_CHANGE_DMA,   /* written by a device */
} PfChange;

/* Why the policy's latest look at a page has not shared it. */
typedef enum {
    PF_WHY_NOT_REACHED,   /* there was none since the page was mapped */
    PF_WHY_UNIQUE,        /* no other page known to the policy has its bytes */
    PF_WHY_VOLATILE,      /* it changes too often, or was not seen unchanged for long enough yet */
    PF_WHY_KIND,          /* a kind of memory that the policy does not share */
    PF_WHY_NOT_MERGEABLE, /* nobody has offered it for sharing */
    PF_WHY_PINNED,        /* pinned, or under input or output */
    PF_WHY_CLASS,         /* an equal page was there, in a class that it may not share with */
    PF_WHY_LIMIT,         /* a limit of the policy: a full table or CAM, too many sharers, a rate */
    PF_WHY_LARGE,         /* a part of a large page that the policy may not split */
    PF_WHY_COUNT
} PfWhy;

typedef enum {
    PF_CONTEXT_CREATED,
    PF_CONTEXT_FORKED, /* `other` is the parent */
    PF_CONTEXT_EXITED,
    PF_CONTEXT_ADVISED, /* pages first .. first + pages - 1; `number` is the PfAdvice */
    PF_CONTEXT_REMAPPED, /* moved from first to `target`, whose own pages were unmapped before */
    PF_CONTEXT_ATTRIBUTE, /* `number` is the PfAttribute */
    PF_CONTEXT_MAPPED, /* pages first .. first + pages - 1, in place of what lay there */
} PfContextEventKind;

/* PfContextEvent.number of PF_CONTEXT_ADVISED. */
typedef enum {
    PF_ADVISED_MERGEABLE,
    PF_ADVISED_UNMERGEABLE,
    PF_ADVISED_HUGE,
    PF_ADVISED_NOHUGE,
    PF_ADVISED_DONTNEED,
    PF_ADVISED_DISCARDABLE,
    PF_ADVISED_SUSPEND,
    PF_ADVISED_RESUME,
} PfAdvised;

/* What a trace says that changes no memory, and that a policy may use. The last three are known
 * from its ops and its pacing. */
enum {
    PF_USES_DISCARDABLE = 1 << 0, /* pages may be thrown away */
    PF_USES_SUSPEND = 1 << 1,     /* sharing of pages stops for a while, and goes on */
    PF_USES_READONLY = 1 << 2,
    PF_USES_EXECUTED = 1 << 3,
    PF_USES_LOCKED = 1 << 4,
    PF_USES_DEVICES = 1 << 5,  /* from where a device's pages come */
    PF_USES_SCANS = 1 << 6,    /* pages are to be looked at now */
    PF_USES_CONTROLS = 1 << 7, /* a parameter changes */
};

typedef struct {
    PfContextEventKind kind;
    uint32_t context;
    uint32_t other;
    PfCpn first;
    PfCpn target;
    uint64_t pages;
    unsigned number;
} PfContextEvent;
