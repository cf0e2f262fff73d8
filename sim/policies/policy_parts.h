/* What else plugs in beside policies: finders, filters and hash functions, and what a shared object
 * exports; part of policy.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "policy_words.h"

typedef struct PfHost PfHost;
typedef struct PfPolicyOps PfPolicyOps;

/* ---- Finders: find a value filed under a key, or under a page's content. Orthogonal to policies:
 * on the same candidates a policy makes the same sharings with each. ---- */

typedef struct {
    const char *name;
    const char *summary;
    const PfConfigField *fields;
    size_t field_count;
    size_t config_bytes;

    /* FRAMES is how many values there may be at most (the machine's frames). May register counters
     * in the policy's group. All ops but `check` and `finds_all` are mandatory. */
    void *(*create)(PfHost *host, const void *config, uint64_t frames, GError **error);
    void (*free)(void *self);
    /* As pf_host_find, _file, _unfile; each charges what it touches through HOST. Between two steps
     * of one search nothing is filed or unfiled. */
    bool (*find)(void *self, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value);
    void (*file)(void *self, uint64_t key, PfPage page, uint64_t value);
    void (*unfile)(void *self, uint64_t key, uint64_t value);
    uint64_t (*metadata_bytes)(const void *self);
    void (*check)(void *self);
    /* Whether nothing that was filed is lost; NULL: it never is. */
    bool (*finds_all)(const void *self);
    bool uses_cam;
} PfFinderOps;

/* ---- Filters: leave pages out that some rule says are not worth a look now. ---- */

typedef struct {
    const char *name;
    const char *summary;
    const PfConfigField *fields;
    size_t field_count;
    size_t config_bytes;

    /* FRAMES is how many frames the machine has. All ops but `check` are mandatory. They charge
     * what they touch through HOST, at the place that is at work. */
    void *(*create)(PfHost *host, const void *config, uint64_t frames, GError **error);
    void (*free)(void *self);
    /* PAGE, which is present, was read or fetched from, or (IS_WRITE) has new bytes. */
    void (*page_accessed)(void *self, PfPage page, bool is_write);
    /* Whether PAGE, which is present, is left out now. */
    bool (*is_left_out)(void *self, PfPage page);
    /* Takes a page that it has let go from its queue; false if there is none. */
    bool (*next_expired)(void *self, PfPage *ret_page);
    /* The cycle at which the next page is in that queue, unless accesses come before;
     * PF_HOST_NEVER if time alone does not bring one. */
    uint64_t (*due)(const void *self);
    /* Bytes that the simulated system spends on it. */
    uint64_t (*metadata_bytes)(const void *self);
    void (*check)(void *self);
} PfFilterOps;

/* ---- Hashes: how a policy's keys are made in software, and what it costs. ---- */

/* The hash of a page of which a word changes now and then, without hashing all of it again. The
 * simulated system does not know of this. */
typedef struct {
    /* What is kept for a page of BYTES; 0 where such pages cannot be followed. */
    size_t (*state_bytes)(size_t bytes);
    /* STATE, aligned for 64-bit words, becomes that of the page DATA. */
    void (*begin)(void *state, const uint8_t *data, size_t bytes);
    /* The eight bytes from OFFSET on, a multiple of eight, go from OLD to NEW. */
    void (*change)(void *state, size_t bytes, size_t offset, const uint8_t *old,
                   const uint8_t *new);
    /* The hash of the whole page. */
    uint64_t (*hash)(const void *state, size_t bytes);
} PfHashFollowOps;

typedef struct {
    const char *name;
    const char *summary;
    unsigned bits; /* width of the result */
    /* The hash of BYTES bytes at DATA. */
    uint64_t (*hash)(const uint8_t *data, size_t bytes);
    uint64_t cycles_per_kib; /* compute cost beside reading the page, at the default card's core */
    const PfHashFollowOps *follow; /* NULL: pages are hashed as a whole each time */
} PfHashOps;

/* What a shared object exports as `pf_plugin`: NULL-terminated lists, each may be NULL. */
typedef struct {
    unsigned abi; /* PF_POLICY_ABI */
    const PfPolicyOps *const *policies;
    const PfFinderOps *const *finders;
    const PfHashOps *const *hashes;
    const PfFilterOps *const *filters;
} PfPlugin;
