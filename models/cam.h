/* A content-addressable memory: searched by key, it answers with the values of all entries that
 * have that key, one after the other in order of priority.
 *
 * An entry is a key of up to 64 bits that count, a class that is compared beside it, a value and
 * the number of the frame that it is about. Entries lie in banks, and in sets of `ways` in a bank
 * (0: the bank is one set); a hash of the key says in which. A full set loses an entry to a new
 * one, or refuses that.
 *
 * Time is kept by reservation: an operation takes the port of its bank that is free first, waits
 * for it if need be (a conflict), and holds it for a cycle if the port is pipelined, else until it
 * is done. Operations are handed over in the order of the trace, which may not be that of time: one
 * that was asked for before the last on its port takes no notice of that and leaves it as it is, so
 * that clocks that are apart do not wait for each other; conflicts are understated there. A
 * further match of the same search takes a cycle more each, and no port.
 *
 * On the host a search is one probe of a hash table, whatever the geometry. */
#pragma once

#include "addr.h"
#include "cam_config.h"
#include "stats.h"

typedef struct {
    uint64_t bits;
    uint64_t class;
} PfCamKey;

/* What is in an entry. */
typedef struct {
    PfCamKey key;
    uint64_t value;
    PfMpn frame;  /* that it is about, PF_CAM_NO_FRAME: none */
    bool was_hit; /* some search has found it */
} PfCamItem;

#define PF_CAM_NO_FRAME ((PfMpn){UINT32_MAX})

/* What became of an insertion. */
typedef enum {
    PF_CAM_STORED,
    PF_CAM_EVICTED, /* stored in place of another */
    PF_CAM_REFUSED
} PfCamInsertion;

/* Of all the CAMs of a machine. `false_hits`, `false_merges` and `lost` are counted by those who
 * use it. */
typedef struct {
    uint64_t searches;
    uint64_t hits;         /* searches that found an entry */
    uint64_t matches;      /* entries found */
    uint64_t false_hits;   /* found, but of other bytes */
    uint64_t false_merges; /* ... and believed */
    uint64_t inserts;
    uint64_t deletes;
    uint64_t marks; /* searched by frame, to mark or clear */
    uint64_t stale; /* entries marked or cleared so */
    uint64_t evictions;
    uint64_t refusals;
    uint64_t wasted_inserts; /* never found by any search until they went */
    uint64_t lost;
    uint64_t remote_searches;
    uint64_t remote_updates;
    uint64_t port_conflicts;
    uint64_t conflict_cycles;
    uint64_t energy_fJ; /* of operations */
    uint64_t occupancy; /* entries in use */
} PfCamStats;

typedef struct PfCam PfCam;

/* An empty CAM. SEED is for random replacement. Statistics are registered in STATS, which may be
 * NULL. NULL with PF_ERROR_CONFIG as pf_cam_figures says. */
PfCam *pf_cam_new(const PfCamConfig *config, uint64_t clock_hz, uint32_t page_bytes, uint64_t seed,
                  PfStatsGroup *stats, GError **error);
void pf_cam_free(PfCam *cam);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCam, pf_cam_free)

/* From now on CAM, which is new, counts what it does in OWNER's statistics. */
void pf_cam_count_into(PfCam *cam, PfCam *owner);

/* Copies, of one geometry: CAM holds what all of them hold. Its next operation takes a port of
 * COPY, which may be CAM itself. */
void pf_cam_work_at(PfCam *cam, const PfCam *copy);
/* What CAM's last operation did is done to COPY as well, which nobody waits for: it takes a port
 * there and as much energy again. */
void pf_cam_repeat(const PfCam *cam, PfCam *copy);

/* Borrowed; those who use it count in it too. */
PfCamStats *pf_cam_stats(PfCam *cam);
const PfCamFigures *pf_cam_figures_of(const PfCam *cam);

/* Searches for KEY. Returns the first match, 0 if there is none; it is good until the CAM changes.
 * RET_DONE gets the cycle of the answer. */
uint32_t pf_cam_search(PfCam *cam, const PfCamKey *key, uint64_t now_cycles, uint64_t *ret_done);
/* The match after MATCH of the same search, asked for when that one is known. */
uint32_t pf_cam_next(PfCam *cam, uint32_t match, uint64_t now_cycles, uint64_t *ret_done);
/* What MATCH, or another entry in use, holds. */
PfCamItem pf_cam_item(const PfCam *cam, uint32_t match);

/* Stores ITEM. RET_EVICTED gets what had to go for it. */
PfCamInsertion pf_cam_insert(PfCam *cam, const PfCamItem *item, uint64_t now_cycles,
                             PfCamItem *ret_evicted, uint64_t *ret_done);
/* Clears the entry of KEY and VALUE; RET_ITEM gets what it held. False if there is none; a search
 * for it has taken its time. */
bool pf_cam_delete(PfCam *cam, const PfCamKey *key, uint64_t value, uint64_t now_cycles,
                   PfCamItem *ret_item, uint64_t *ret_done);
/* FRAME has been stored to: its entries are marked and match no more, or (CLEAR) they are cleared,
 * and TOLD of it each. The CAM is searched for the frame's number, in all banks. Entries of a CAM
 * with `stale = verify` are not found by their frames. */
void pf_cam_invalidate(PfCam *cam, PfMpn frame, bool clear, uint64_t now_cycles,
                       void (*told)(const PfCamItem *item, void *user), void *user);
/* Whether some entry is about FRAME, is found by that, and not marked. */
bool pf_cam_has_frame(const PfCam *cam, PfMpn frame);

/* Forgets reservations; what is stored and the statistics stay. */
void pf_cam_reset_state(PfCam *cam);

/* Asserts: every entry is in its set, in the chain of its key and, if any, of its frame, once; and
 * counts agree. */
void pf_cam_check(const PfCam *cam);
