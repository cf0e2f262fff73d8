/* Leaves out pages that were written, or accessed at all, within an interval: Overton, US 9,069,477
 * B1, "read/write flag".
 *
 * The interval is a time since the last write, a number of accesses to memory since then, of
 * whatever context and page, or a timer that each write sets anew and that counts down. A page
 * whose interval is over comes back through a queue in the order of last writes.
 *
 * Hardware keeps a table by frame, as bytes move with frames: for times and accesses a flag and a
 * stamp of as many bits as the interval needs, for the timer a counter of `bits` bits, which counts
 * down beside the table at no core's cost. To change a flag or to look at one costs a line of the
 * table, unless it lies on the line that was used last. So a timer that a write finds at its
 * beginning costs nothing, but a stamp is new at each write. In the queue a page takes eight
 * bytes. */
#include <inttypes.h>

#include "error.h"
#include "policy.h"
#include "seg_array.h"

enum { OF_WRITE, OF_ACCESS };
enum { TIMER_BITS = 8, QUEUED_BYTES = 8, LINE_BITS = 512 };

#define TIME_PS 10000

static const char *const ofs[] = {"write", "access", NULL};

typedef struct {
    uint64_t time_ps;
    uint64_t accesses;
    uint64_t timer_ps;
    uint64_t bits;
    int of;
} FlaggedConfig;

#define AT(member) .offset = offsetof(FlaggedConfig, member)

static const PfConfigField flagged_fields[] = {
    {.key = "time", .type = PF_CONFIG_TIME, AT(time_ps), .standard = "auto", .automatic = true,
     .min = 1,
     .description = "How long a page is left out after its last write; auto: 10 ns if the interval "
                    "is given neither by accesses nor by timer."},
    {.key = "accesses", .type = PF_CONFIG_UINT, AT(accesses), .min = 1, .max = UINT64_MAX / 4,
     .unit = "events",
     .description = "In its place: how many accesses, of any context to any page, it is left out "
                    "for."},
    {.key = "timer", .type = PF_CONFIG_TIME, AT(timer_ps), .min = 1,
     .description = "In its place: what a timer counts down from, in ticks, that each write sets "
                    "anew."},
    {.key = "of", .type = PF_CONFIG_ENUM, AT(of), .standard = "write", .choices = ofs,
     .description = "Whether only writes count, or reads and fetches too (access)."},
    {.key = "bits", .type = PF_CONFIG_UINT, AT(bits), .standard = "auto", .automatic = true,
     .min = 1, .max = 64, .unit = "bits",
     .description = "What a page's flag takes; auto: 8 with timer, which then counts 255 ticks, "
                    "else as many as hold the interval, and one."},
};

/* What is known of a frame; the queue is a list of those that were flagged, numbers from 1. */
typedef struct {
    uint64_t stamp; /* the clock at its last write */
    PfPage page;    /* that this was to */
    uint32_t previous;
    uint32_t next;
    bool is_listed;
} Flag;

typedef struct {
    PfHost *host;
    uint64_t frames;
    bool counts_accesses;
    uint64_t tick_cycles; /* of the clock, unless that counts accesses */
    uint64_t interval;    /* in units of the clock */
    uint64_t bits;
    bool of_access;
    PfSegArray flags; /* Flag by MPN + 1; 0 is the ends of the list */
    uint64_t limit;   /* of numbers in use */
    uint64_t listed;
    uint64_t near_line;
} Flagged;

static Flag *flag_at(const Flagged *self, uint32_t number)
{
    return pf_seg_array_at(&self->flags, number);
}

static uint64_t clock_now(const Flagged *self)
{
    return self->counts_accesses ? pf_host_accesses(self->host)
                                 : pf_host_now(self->host) / self->tick_cycles;
}

/* ---- The table ---- */

static void unlist(Flagged *self, uint32_t number)
{
    Flag *flag = flag_at(self, number);
    flag_at(self, flag->previous)->next = flag->next;
    flag_at(self, flag->next)->previous = flag->previous;
    flag->is_listed = false;
    self->listed--;
}

static void list_last(Flagged *self, uint32_t number)
{
    Flag *flag = flag_at(self, number);
    Flag *ends = flag_at(self, 0);
    flag->previous = ends->previous;
    flag->next = 0;
    flag_at(self, ends->previous)->next = number;
    ends->previous = number;
    flag->is_listed = true;
    self->listed++;
}

/* The table's line for flag NUMBER is used. */
static void charge(Flagged *self, uint32_t number)
{
    uint64_t line = number * self->bits / LINE_BITS;
    if (line != self->near_line)
        pf_host_charge_lines(self->host, PF_ACCOUNT_SCAN, 1);
    self->near_line = line;
}

static bool is_flagged(const Flagged *self, const Flag *flag)
{
    return flag->is_listed && clock_now(self) < flag->stamp + self->interval;
}

/* The number of the flag of what PAGE maps; 0 if it maps nothing. */
static uint32_t number_of(Flagged *self, PfPage page)
{
    PfMpn frame;
    if (!pf_host_frame(self->host, page, &frame))
        return 0;
    uint32_t number = frame.number + 1;
    if (number >= self->limit) {
        self->limit = (uint64_t)number + 1;
        pf_seg_array_reserve(&self->flags, self->limit);
    }
    return number;
}

static void flagged_page_accessed(void *user, PfPage page, bool is_write)
{
    Flagged *self = user;
    if (!is_write && !self->of_access)
        return;
    uint32_t number = number_of(self, page);
    if (number == 0)
        return;
    Flag *flag = flag_at(self, number);
    uint64_t now = clock_now(self);
    if (!flag->is_listed || flag->stamp != now)
        charge(self, number);
    if (flag->is_listed)
        unlist(self, number);
    flag->stamp = now;
    flag->page = page;
    list_last(self, number);
}

static bool flagged_is_left_out(void *user, PfPage page)
{
    Flagged *self = user;
    uint32_t number = number_of(self, page);
    if (number == 0)
        return false;
    charge(self, number);
    return is_flagged(self, flag_at(self, number));
}

static bool flagged_next_expired(void *user, PfPage *ret_page)
{
    Flagged *self = user;
    for (;;) {
        uint32_t number = flag_at(self, 0)->next;
        const Flag *flag = flag_at(self, number);
        if (number == 0 || is_flagged(self, flag))
            return false;
        unlist(self, number);
        /* A page that is elsewhere now has been unmapped, moved, or written again. */
        if (number_of(self, flag->page) != number)
            continue;
        charge(self, number);
        *ret_page = flag->page;
        return true;
    }
}

static uint64_t flagged_due(const void *user)
{
    const Flagged *self = user;
    const Flag *ends = flag_at(self, 0);
    if (ends->next == 0)
        return PF_HOST_NEVER;
    const Flag *first = flag_at(self, ends->next);
    if (self->counts_accesses)
        return is_flagged(self, first) ? PF_HOST_NEVER : pf_host_now(self->host);
    return (first->stamp + self->interval) * self->tick_cycles;
}

/* ---- Birth and death ---- */

static uint64_t bits_of(uint64_t number)
{
    uint64_t bits = 0;
    for (; number != 0; number >>= 1)
        bits++;
    return bits;
}

static void choose_timer(Flagged *self, const FlaggedConfig *config)
{
    self->bits = config->bits == PF_CONFIG_AUTO ? TIMER_BITS : config->bits;
    uint64_t cycles = MAX(1, pf_host_cycles(self->host, config->timer_ps));
    uint64_t ticks_max = UINT64_MAX >> (64 - self->bits);
    self->tick_cycles = (cycles - 1) / ticks_max + 1;
    self->interval = (cycles - 1) / self->tick_cycles + 1;
}

static bool choose_stamp(Flagged *self, const FlaggedConfig *config, GError **error)
{
    uint64_t time_ps = config->time_ps == PF_CONFIG_AUTO ? TIME_PS : config->time_ps;
    self->counts_accesses = config->accesses != 0;
    self->tick_cycles = 1;
    self->interval =
        self->counts_accesses ? config->accesses : MAX(1, pf_host_cycles(self->host, time_ps));
    uint64_t least = bits_of(self->interval) + 1;
    self->bits = config->bits == PF_CONFIG_AUTO ? least : config->bits;
    if (self->bits >= least)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "flagged: bits: %" PRIu64 " hold no flag and no stamp of an interval of %" PRIu64
                "; it takes %" PRIu64,
                self->bits, self->interval, least);
    return false;
}

static bool choose_interval(Flagged *self, const FlaggedConfig *config, GError **error)
{
    unsigned given = (unsigned)(config->time_ps != PF_CONFIG_AUTO) +
                     (unsigned)(config->accesses != 0) + (unsigned)(config->timer_ps != 0);
    if (given > 1) {
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG,
                            "flagged: time, accesses and timer are one interval; give one");
        return false;
    }
    if (config->timer_ps == 0)
        return choose_stamp(self, config, error);
    choose_timer(self, config);
    return true;
}

static void flagged_free(void *user)
{
    Flagged *self = user;
    if (self == NULL)
        return;
    pf_seg_array_clear(&self->flags);
    g_free(self);
}

static void *flagged_create(PfHost *host, const void *user_config, uint64_t frames, GError **error)
{
    const FlaggedConfig *config = user_config;
    Flagged *self = g_new0(Flagged, 1);
    self->host = host;
    self->frames = frames;
    self->of_access = config->of == OF_ACCESS;
    self->near_line = UINT64_MAX;
    if (!choose_interval(self, config, error)) {
        flagged_free(self);
        return NULL;
    }
    self->limit = 1;
    pf_seg_array_init(&self->flags, sizeof(Flag));
    pf_seg_array_reserve(&self->flags, self->limit);
    return self;
}

static uint64_t flagged_metadata_bytes(const void *user)
{
    const Flagged *self = user;
    return (self->frames * self->bits + 7) / 8 + self->listed * QUEUED_BYTES;
}

static void flagged_check(void *user)
{
    const Flagged *self = user;
    uint64_t count = 0;
    uint32_t previous = 0;
    for (uint32_t at = flag_at(self, 0)->next; at != 0; at = flag_at(self, at)->next) {
        g_assert(flag_at(self, at)->is_listed && flag_at(self, at)->previous == previous);
        previous = at;
        count++;
    }
    g_assert(flag_at(self, 0)->previous == previous && count == self->listed);
}

const PfFilterOps pf_filter_flagged = {
    .name = "flagged",
    .summary = "Leaves out pages written or accessed within an interval (US 9,069,477).",
    .fields = flagged_fields,
    .field_count = G_N_ELEMENTS(flagged_fields),
    .config_bytes = sizeof(FlaggedConfig),
    .create = flagged_create,
    .free = flagged_free,
    .page_accessed = flagged_page_accessed,
    .is_left_out = flagged_is_left_out,
    .next_expired = flagged_next_expired,
    .due = flagged_due,
    .metadata_bytes = flagged_metadata_bytes,
    .check = flagged_check,
};
