#include "esx_sharing.h"

#include "error.h"

/* An entry of the overflow table: a 24-bit frame number and 24 bits of count beyond the 16. */
enum { OVERFLOW_ENTRY_BYTES = 6 };

/* What came of a candidate and one frame of its key. */
typedef enum {
    TRIAL_SHARED, /* the page belongs to that frame now, or maps it anyway: done */
    TRIAL_STALE,
    TRIAL_FALSE,
    TRIAL_REFUSED, /* not now, or not with this frame */
} Trial;

static void unfile(PfEsxSharing *self, uint64_t key, uint32_t number)
{
    uint64_t since = pf_esx_locks_take_frames(&self->locks);
    pf_host_unfile(self->host, key, number);
    pf_esx_locks_drop_frames(&self->locks, since);
}

/* PAGE loses its frame in the table's view; the frame is taken out of the finder when it is gone or
 * not worth keeping. */
static void leave(PfEsxSharing *self, PfPage page)
{
    uint32_t number = pf_esx_frames_of_page(&self->frames, page);
    g_assert(number != 0);
    const PfEsxFrame *frame = pf_esx_frame(&self->frames, number);
    uint64_t key = frame->key;
    bool was_hint = pf_esx_frame_is_hint(frame);
    bool was_shared = pf_esx_frame_is_shared(frame);
    /* The count is a line of the frame, and another of its overflow entry. */
    if (was_shared)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP,
                             frame->references > PF_ESX_COUNT_MAX ? 2 : 1);
    uint32_t left = pf_esx_frames_leave(&self->frames, page);
    if (was_hint || (was_shared && left == 0)) {
        unfile(self, key, number);
    } else if (was_shared && left == 1 && !self->config->keep_frame_at_one) {
        pf_esx_frames_drop(&self->frames, number);
        unfile(self, key, number);
    }
}

/* PAGE maps the machine page of shared frame NUMBER and is counted there from now on. */
static void join(PfEsxSharing *self, uint32_t number, PfPage page)
{
    if (pf_esx_frames_of_page(&self->frames, page) != 0)
        leave(self, page);
    if (pf_esx_frame(&self->frames, number)->references >= PF_ESX_COUNT_MAX)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
    pf_esx_frames_join(&self->frames, number, page);
}

/* Whether the host will tell when PAGE stops mapping its frame: not if only a fork or an alias made
 * it share. */
static bool is_merged(const PfEsxSharing *self, PfPage page)
{
    return (pf_host_flags(self->host, page) & PF_FLAG_MERGED) != 0;
}

static Trial try_shared(PfEsxSharing *self, uint32_t number, PfPage page)
{
    PfMpn mpn = pf_esx_frame_mpn(pf_esx_frame(&self->frames, number));
    switch (pf_host_merge_frame(self->host, page, mpn)) {
    case PF_MERGED:
        join(self, number, page);
        return TRIAL_SHARED;
    case PF_SAME:
        if (is_merged(self, page))
            join(self, number, page);
        return TRIAL_SHARED;
    case PF_DIFFERS:
        return TRIAL_FALSE;
    case PF_NOT_ADMITTED:
    case PF_BUSY:
        return TRIAL_REFUSED;
    }
    return TRIAL_REFUSED;
}

/* FIRST, the page of hint NUMBER, and PAGE map one machine page. If a frame of the table has that
 * already (forks can bring two first pages onto one), the hint gives way to it. */
static void join_both(PfEsxSharing *self, uint32_t number, PfPage first, PfPage page)
{
    PfMpn mpn;
    bool is_present = pf_host_frame(self->host, first, &mpn);
    g_assert(is_present);
    uint32_t shared = pf_esx_frames_of_mpn(&self->frames, mpn);
    if (shared == 0) {
        pf_esx_frames_share(&self->frames, number, mpn);
        shared = number;
    } else {
        join(self, shared, first);
    }
    join(self, shared, page);
}

/* Which of the classes that do not share with each other PAGE belongs to. */
static PfRng salt_of(const PfEsxSharing *self, PfPage page)
{
    PfMpn frame = {0};
    switch (self->config->salting) {
    case PF_ESX_SALT_LABEL:
        return pf_rng_derive(0, pf_host_label(self->host, page.context));
    case PF_ESX_SALT_COLOR:
        pf_host_frame(self->host, page, &frame);
        return (PfRng){pf_host_color(self->host, frame)};
    case PF_ESX_SALT_NODE:
        pf_host_frame(self->host, page, &frame);
        return (PfRng){pf_host_node(self->host, frame)};
    default:
        return (PfRng){page.context};
    }
}

/* The key of PAGE, which is present: its HASH with a salt of its class, so that equal bytes under
 * other salts have other keys. All 64 bits are salted, however few the hash has: two salts never
 * meet by chance. */
static uint64_t key_of(const PfEsxSharing *self, PfPage page, uint64_t hash)
{
    if (self->config->salting == PF_ESX_NO_SALT)
        return hash;
    PfRng salt = salt_of(self, page);
    return hash ^ pf_rng_next(&salt);
}

static Trial try_hint(PfEsxSharing *self, uint32_t number, uint64_t key, PfPage page)
{
    PfPage first = pf_esx_frame_page(pf_esx_frame(&self->frames, number));
    if (key_of(self, first, pf_host_hash_page(self->host, first)) != key)
        return TRIAL_STALE;
    if (pf_esx_rules_is_busy(self->rules, first) || pf_esx_rules_excludes(self->rules, first))
        return TRIAL_REFUSED;
    switch (pf_host_merge(self->host, page, first)) {
    case PF_MERGED:
        self->stats.hint_matches++;
        join_both(self, number, first, page);
        return TRIAL_SHARED;
    case PF_SAME:
        return TRIAL_SHARED;
    case PF_DIFFERS:
        return TRIAL_FALSE;
    case PF_NOT_ADMITTED:
    case PF_BUSY:
        return TRIAL_REFUSED;
    }
    return TRIAL_REFUSED;
}

/* Enters PAGE under KEY as the first of its content, MARKED copy-on-write or as a hint. */
static void enter(PfEsxSharing *self, uint64_t key, PfPage page, bool marked)
{
    if (self->frames.hint_count + self->frames.shared_count >= self->frame_capacity) {
        pf_host_verdict(self->host, page, PF_WHY_LIMIT);
        return;
    }
    PfMpn mpn = {0};
    if (marked) {
        bool is_present = pf_host_frame(self->host, page, &mpn);
        /* A frame that other pages of the table map already is not entered twice. */
        if (!is_present || pf_esx_frames_of_mpn(&self->frames, mpn) != 0 ||
            !pf_host_protect(self->host, page))
            return;
    }
    uint32_t number = pf_esx_frames_add_hint(&self->frames, key, page);
    if (marked)
        pf_esx_frames_share(&self->frames, number, mpn);
    uint64_t since = pf_esx_locks_take_frames(&self->locks);
    pf_host_file(self->host, key, page, number);
    pf_esx_locks_drop_frames(&self->locks, since);
}

/* Tries PAGE with each frame of KEY but OWN, its own hint, until one takes it. True if the page
 * must not be entered: it is shared, or its key is that of other bytes. */
static bool look_up(PfEsxSharing *self, uint64_t key, PfPage page, uint32_t own)
{
    uint64_t cursor = 0;
    uint64_t value;
    bool is_false = false;
    bool is_shared = false;
    while (!is_shared && pf_host_find(self->host, key, page, &cursor, &value)) {
        uint32_t number = (uint32_t)value;
        if (number == own)
            continue;
        self->stats.key_matches++;
        Trial trial = pf_esx_frame_is_hint(pf_esx_frame(&self->frames, number))
                          ? try_hint(self, number, key, page)
                          : try_shared(self, number, page);
        is_shared = trial == TRIAL_SHARED;
        is_false |= trial == TRIAL_FALSE;
        self->stats.shares += is_shared;
        self->stats.false_matches += trial == TRIAL_FALSE;
        if (trial == TRIAL_REFUSED)
            pf_host_verdict(self->host, page, PF_WHY_PINNED);
        if (trial == TRIAL_STALE)
            g_array_append_val(self->stale, number);
    }
    /* Taking them out before would disturb the search. */
    for (guint i = 0; i < self->stale->len; i++) {
        uint32_t number = g_array_index(self->stale, uint32_t, i);
        PfPage first = pf_esx_frame_page(pf_esx_frame(&self->frames, number));
        self->stats.hint_stale++;
        pf_host_verdict(self->host, first, PF_WHY_VOLATILE);
        leave(self, first);
    }
    g_array_set_size(self->stale, 0);
    return is_shared || is_false;
}

/* Whether the policy may look at the bytes of PAGE; says why not. */
static bool is_candidate(PfEsxSharing *self, PfPage page)
{
    if (!pf_host_admits(self->host, page))
        return false; /* its mapping tells why */
    bool is_busy = pf_esx_rules_is_busy(self->rules, page);
    bool is_excluded = pf_esx_rules_excludes(self->rules, page);
    self->stats.busy += is_busy;
    self->stats.excluded += is_excluded;
    if (is_busy || is_excluded)
        pf_host_verdict(self->host, page, is_busy ? PF_WHY_PINNED : PF_WHY_KIND);
    return !is_busy && !is_excluded;
}

static bool is_known(PfEsxSharing *self, uint64_t hash)
{
    if (pf_esx_bloom_bytes(&self->known) > 0)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, self->known.hash_count);
    return pf_esx_bloom_has(&self->known, hash);
}

/* Whether PAGE of KEY has stayed the same long enough; else puts it into the queue, or passes it
 * over if it comes from there. */
static bool is_ripe(PfEsxSharing *self, PfPage page, uint64_t key, const PfEsxEntry *aged)
{
    if (self->age_cycles == 0)
        return true;
    if (aged != NULL) {
        self->stats.aged_changed += aged->key != key;
        if (aged->key != key)
            pf_host_verdict(self->host, page, PF_WHY_VOLATILE);
        return aged->key == key;
    }
    PfEsxEntry entry = {page, key, pf_host_now(self->host) + self->age_cycles};
    bool is_pushed = pf_esx_queue_push(&self->aging, entry);
    pf_host_verdict(self->host, page, is_pushed ? PF_WHY_VOLATILE : PF_WHY_LIMIT);
    return false;
}

void pf_esx_sharing_consider(PfEsxSharing *self, PfPage page, const PfEsxEntry *aged)
{
    pf_host_count_scanned(self->host);
    /* Its entry in the map from guest pages to machine pages. */
    pf_host_charge_lines(self->host, PF_ACCOUNT_SCAN, 1);
    uint32_t own = pf_esx_frames_of_page(&self->frames, page);
    if (own != 0 && pf_esx_frame_is_shared(pf_esx_frame(&self->frames, own)))
        return;
    if (!is_candidate(self, page))
        return;
    uint64_t hash = pf_host_hash_page(self->host, page);
    uint64_t key = key_of(self, page, hash);
    if (own != 0) {
        const PfEsxFrame *frame = pf_esx_frame(&self->frames, own);
        bool is_hint = pf_esx_frame_is_hint(frame);
        if (!is_hint || frame->key != key) {
            self->stats.hint_stale += is_hint;
            leave(self, page);
            own = 0;
        }
    }
    bool known = is_known(self, hash);
    if (own == 0 && !known && !is_ripe(self, page, key, aged))
        return;
    uint64_t since = pf_esx_locks_take(&self->locks, key);
    pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
    if (!look_up(self, key, page, own) && own == 0)
        enter(self, key, page, known || self->config->marking == PF_ESX_MARK_COW);
    pf_esx_locks_drop(&self->locks, key, since);
}

/* The keys of known_good, as 0x... */
static bool read_known(PfEsxSharing *self, GError **error)
{
    for (char **text = self->config->known_good; text != NULL && *text != NULL; text++) {
        uint64_t key;
        if (!g_str_has_prefix(*text, "0x") ||
            !g_ascii_string_to_unsigned(*text + 2, 16, 0, UINT64_MAX, &key, NULL)) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                        "esx: known_good: '%s' is no key; write 0x and 16 hexadecimal digits",
                        *text);
            return false;
        }
        pf_esx_bloom_add(&self->known, key);
    }
    return true;
}

bool pf_esx_sharing_init(PfEsxSharing *self, PfHost *host, const PfEsxConfig *config,
                         const PfEsxRules *rules, GError **error)
{
    *self = (PfEsxSharing){.host = host,
                           .config = config,
                           .rules = rules,
                           .frame_capacity = pf_host_frame_capacity(host),
                           .age_cycles = pf_host_cycles(host, config->age_ps)};
    self->stale = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    pf_esx_frames_init(&self->frames, self->frame_capacity);
    pf_esx_queue_init(&self->aging, config->queue_pages);
    pf_esx_locks_init(&self->locks, host, config->locks);
    pf_esx_bloom_init(&self->known, config->known_bits, (unsigned)config->known_hashes);
    return read_known(self, error);
}

void pf_esx_sharing_pin(PfEsxSharing *self, PfPage page)
{
    uint32_t number = pf_esx_frames_of_page(&self->frames, page);
    if (number != 0 && !pf_esx_frame_is_hint(pf_esx_frame(&self->frames, number)) &&
        pf_host_unshare(self->host, page))
        leave(self, page);
}

uint64_t pf_esx_sharing_bytes(const PfEsxSharing *self)
{
    return self->frames.overflow_count * OVERFLOW_ENTRY_BYTES + pf_esx_queue_bytes(&self->aging) +
           pf_esx_bloom_bytes(&self->known) + pf_esx_locks_bytes(&self->locks);
}

void pf_esx_sharing_clear(PfEsxSharing *self)
{
    if (self->host == NULL)
        return;
    pf_esx_frames_clear(&self->frames);
    pf_esx_queue_clear(&self->aging);
    pf_esx_bloom_clear(&self->known);
    g_array_free(self->stale, TRUE);
}

void pf_esx_sharing_mapped(PfEsxSharing *self, PfPage page)
{
    PfMpn mpn;
    if (!is_merged(self, page) || !pf_host_frame(self->host, page, &mpn))
        return;
    uint32_t number = pf_esx_frames_of_mpn(&self->frames, mpn);
    if (number != 0 && pf_esx_frames_of_page(&self->frames, page) != number)
        join(self, number, page);
}

void pf_esx_sharing_unmapped(PfEsxSharing *self, PfPage page)
{
    if (pf_esx_frames_of_page(&self->frames, page) != 0)
        leave(self, page);
}

/* A hint stays: nothing in the simulated system tells of the write, the next hash will. */
void pf_esx_sharing_broken(PfEsxSharing *self, PfPage page)
{
    uint32_t number = pf_esx_frames_of_page(&self->frames, page);
    if (number != 0 && !pf_esx_frame_is_hint(pf_esx_frame(&self->frames, number)))
        leave(self, page);
}

void pf_esx_sharing_moved(PfEsxSharing *self, uint32_t context, PfCpn first, PfCpn target,
                          uint64_t pages)
{
    bool is_upward = target.number > first.number;
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t offset = is_upward ? pages - 1 - i : i;
        PfPage from = {context, pf_cpn_plus(first, offset)};
        PfPage to = {context, pf_cpn_plus(target, offset)};
        pf_esx_frames_move(&self->frames, from, to);
    }
}
