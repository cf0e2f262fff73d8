#include "live_scenario.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "live_crew.h"
#include "live_host.h"
#include "trace.h"
#include "units.h"

enum { SLEEP_STEP_US = 50000, ATTEMPTS_MAX = 5 };

/* A player of one scenario. */
typedef struct {
    PfKsm *ksm;
    PfCrew *crew;
    PfTrace *trace;
    GArray *steps;
    GPtrArray *contents; /* of PfContentSpec, with bytes of their own, by number */
    uint64_t page_bytes;
    gint64 begun_us;
    int refusal; /* the last since the mark before */
    const int *interrupted;
} Player;

typedef bool (*Play)(Player *player, const PfRecord *record, GError **error);

static void free_content(gpointer data)
{
    PfContentSpec *spec = data;
    g_free((gpointer)(uintptr_t)spec->bytes);
    g_free(spec);
}

static void keep_contents(Player *player, const PfRecordBlock *block)
{
    for (guint i = 0; i < block->contents->len; i++) {
        const PfContentSpec *given = &g_array_index(block->contents, PfContentSpec, i);
        PfContentSpec *spec = g_memdup2(given, sizeof(*given));
        spec->bytes = g_memdup2(given->bytes, given->length);
        g_ptr_array_add(player->contents, spec);
    }
}

/* COMMAND over the record's pages; its refusal is an error unless it is TOLERATED. */
static bool command(Player *player, const PfRecord *record, PfLiveCommand what, uint64_t other,
                    int choice, int tolerated, GError **error)
{
    int refusal;
    if (!pf_crew_command(player->crew, record->context, what, record->address,
                         record->count * player->page_bytes, other, choice, &refusal, error))
        return false;
    if (refusal == 0 || refusal == tolerated)
        return true;
    bool is_short = refusal == EAGAIN || (refusal == ENOMEM && what == PF_LIVE_MAP);
    g_set_error(error, PF_ERROR, is_short ? PF_ERROR_IO : PF_ERROR_TRACE, "the kernel refuses: %s",
                g_strerror(refusal));
    return false;
}

static bool play_nothing(Player *player, const PfRecord *record, GError **error)
{
    (void)player;
    (void)record;
    (void)error;
    return true;
}

static bool play_context(Player *player, const PfRecord *record, GError **error)
{
    unsigned number;
    if (!pf_crew_spawn(player->crew, &number, error))
        return false;
    g_assert(number == record->context);
    return true;
}

static bool play_fork(Player *player, const PfRecord *record, GError **error)
{
    unsigned number;
    if (!pf_crew_fork(player->crew, record->context, &number, error))
        return false;
    g_assert(number == record->detail->other_context);
    return true;
}

static bool play_exit(Player *player, const PfRecord *record, GError **error)
{
    return pf_crew_exit(player->crew, record->context, error);
}

static bool play_map(Player *player, const PfRecord *record, GError **error)
{
    static const int protections[] = {
        [PF_PROTECTION_RW] = PROT_READ | PROT_WRITE,
        [PF_PROTECTION_RO] = PROT_READ,
        [PF_PROTECTION_RX] = PROT_READ | PROT_EXEC,
    };
    const PfTraceDetail *detail = record->detail;
    if (detail->backing != PF_BACKING_ANON || detail->huge_bytes != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "a live scenario maps anonymous memory in small pages only");
        return false;
    }
    if (!command(player, record, PF_LIVE_MAP, 0, protections[detail->protection], 0, error))
        return false;
    return !detail->mergeable ||
           command(player, record, PF_LIVE_ADVISE, 0, MADV_MERGEABLE, 0, error);
}

static bool play_unmap(Player *player, const PfRecord *record, GError **error)
{
    return command(player, record, PF_LIVE_UNMAP, 0, 0, 0, error);
}

static bool play_remap(Player *player, const PfRecord *record, GError **error)
{
    return command(player, record, PF_LIVE_REMAP, record->detail->other_address, 0, 0, error);
}

static bool play_fill(Player *player, const PfRecord *record, GError **error)
{
    const PfContentSpec *spec = g_ptr_array_index(player->contents, record->content);
    if (spec->form == PF_CONTENT_HASH) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "a content known by its hash has no bytes");
        return false;
    }
    uint64_t pages_at_once = PF_LIVE_DATA_BYTES / player->page_bytes;
    PfRecord part = *record;
    for (uint64_t done = 0; done < record->count; done += part.count) {
        part.address = record->address + done * player->page_bytes;
        part.count = MIN(pages_at_once, record->count - done);
        for (uint64_t page = 0; page < part.count; page++) {
            PfContentSpec content = pf_content_spec_step(spec, record->value, done + page);
            pf_content_spec_expand(&content, (uint32_t)player->page_bytes,
                                   pf_crew_data(player->crew) + page * player->page_bytes);
        }
        if (!command(player, &part, PF_LIVE_COPY, 0, 0, 0, error))
            return false;
    }
    return true;
}

/* COMMAND over the record's bytes. */
static bool access_bytes(Player *player, const PfRecord *record, PfLiveCommand what, GError **error)
{
    int refusal;
    return pf_crew_command(player->crew, record->context, what, record->address, record->count, 0,
                           0, &refusal, error);
}

static bool play_write(Player *player, const PfRecord *record, GError **error)
{
    if ((record->flags & PF_RECORD_HAS_VALUE) == 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "a live write needs a value");
        return false;
    }
    uint64_t value = GUINT64_TO_LE(record->value);
    const void *bytes = record->count <= sizeof(value) ? (const void *)&value : record->bytes;
    memcpy(pf_crew_data(player->crew), bytes, record->count);
    return access_bytes(player, record, PF_LIVE_COPY, error);
}

static bool play_read(Player *player, const PfRecord *record, GError **error)
{
    return access_bytes(player, record, PF_LIVE_READ, error);
}

static bool play_touch(Player *player, const PfRecord *record, GError **error)
{
    return command(player, record, PF_LIVE_TOUCH, 0, 0, 0, error);
}

static bool play_advise(Player *player, const PfRecord *record, GError **error)
{
    static const int advices[PF_ADVICE_COUNT] = {
        [PF_ADVICE_MERGEABLE] = MADV_MERGEABLE,
        [PF_ADVICE_UNMERGEABLE] = MADV_UNMERGEABLE,
        /* The plain one refuses locked memory. */
        [PF_ADVICE_DONTNEED] = MADV_DONTNEED_LOCKED,
        [PF_ADVICE_NOHUGE] = MADV_NOHUGEPAGE,
    };
    int advice = advices[record->choice];
    if (advice == 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "no such advice in a live scenario");
        return false;
    }
    /* ENOMEM: there are holes; what is mapped is advised. */
    return command(player, record, PF_LIVE_ADVISE, 0, advice, ENOMEM, error);
}

static bool play_attribute(Player *player, const PfRecord *record, GError **error)
{
    switch ((PfAttribute)record->choice) {
    case PF_ATTRIBUTE_LOCKED:
        return command(player, record, PF_LIVE_LOCK, 0, 0, 0, error);
    case PF_ATTRIBUTE_UNLOCKED:
        return command(player, record, PF_LIVE_UNLOCK, 0, 0, 0, error);
    case PF_ATTRIBUTE_PINNED:
        return command(player, record, PF_LIVE_PIN, 0, 0, 0, error);
    case PF_ATTRIBUTE_UNPINNED:
        return command(player, record, PF_LIVE_UNPIN, 0, 0, 0, error);
    case PF_ATTRIBUTE_READONLY:
    case PF_ATTRIBUTE_EXECUTED:
    case PF_ATTRIBUTE_COUNT:
        break;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "no such attribute in a live scenario");
    return false;
}

static bool play_scan(Player *player, const PfRecord *record, GError **error)
{
    if ((record->flags & PF_RECORD_SCAN_PASSES) == 0)
        return pf_ksm_scan(player->ksm, record->count, error);
    for (uint64_t pass = 0; pass < record->count; pass++)
        if (!pf_ksm_scan_pass(player->ksm, error))
            return false;
    return true;
}

static bool play_control(Player *player, const PfRecord *record, GError **error)
{
    const char *key = record->detail->name;
    PfKnob knob;
    if (!g_str_has_prefix(key, "ksm."))
        return true;
    if (!pf_knob_find(key + strlen("ksm."), &knob) || knob == PF_KNOB_PAGES_TO_SCAN ||
        knob == PF_KNOB_SLEEP_MILLISECS || knob == PF_KNOB_ADVISOR_MODE) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: not to be changed in a live scenario",
                    key);
        return false;
    }
    int refusal;
    if (!pf_ksm_control(player->ksm, knob, record->detail->text, &refusal, error))
        return false;
    player->refusal = refusal != 0 ? refusal : player->refusal;
    return true;
}

static bool sleep_until(const Player *player, gint64 until_us, GError **error)
{
    for (;;) {
        gint64 left_us = until_us - g_get_monotonic_time();
        if (left_us <= 0)
            return true;
        g_usleep((gulong)MIN(left_us, SLEEP_STEP_US));
        if (pf_live_host_interrupted(player->interrupted, error))
            return false;
    }
}

static gint64 us_of_ps(uint64_t picoseconds)
{
    return (gint64)(picoseconds / (PF_PS_PER_SECOND / G_USEC_PER_SEC));
}

static bool play_time(Player *player, const PfRecord *record, GError **error)
{
    return sleep_until(player, player->begun_us + us_of_ps(record->count), error);
}

static bool play_idle(Player *player, const PfRecord *record, GError **error)
{
    return sleep_until(player, g_get_monotonic_time() + us_of_ps(record->count), error);
}

static bool play_mark(Player *player, const PfRecord *record, GError **error)
{
    PfKsmStep *step = pf_ksm_steps_add(player->steps, record->detail->name);
    step->refusal = player->refusal;
    player->refusal = 0;
    pf_ksm_step_add_process(step, NULL);
    for (unsigned number = 0; number < PF_LIVE_PROCESSES_MAX; number++) {
        if (!pf_crew_lives(player->crew, number))
            continue;
        const char *name = pf_trace_context_name(player->trace, number);
        PfKsmProcess *process = pf_ksm_step_add_process(step, name);
        if (!pf_crew_read(player->crew, number, process->values, error))
            return false;
    }
    return pf_ksm_read(player->ksm, step, error);
}

/* By kind; NULL cannot be played. */
static const Play plays[PF_RECORD_KINDS] = {
    [PF_RECORD_CONTEXT] = play_context, [PF_RECORD_MAP] = play_map,
    [PF_RECORD_FILL] = play_fill,       [PF_RECORD_RUN] = play_nothing,
    [PF_RECORD_READ] = play_read,       [PF_RECORD_WRITE] = play_write,
    [PF_RECORD_TOUCH] = play_touch,     [PF_RECORD_FORK] = play_fork,
    [PF_RECORD_UNMAP] = play_unmap,     [PF_RECORD_REMAP] = play_remap,
    [PF_RECORD_ADVISE] = play_advise,   [PF_RECORD_ATTR] = play_attribute,
    [PF_RECORD_IDLE] = play_idle,       [PF_RECORD_TIME] = play_time,
    [PF_RECORD_SCAN] = play_scan,       [PF_RECORD_CONTROL] = play_control,
    [PF_RECORD_BEGIN] = play_nothing,   [PF_RECORD_END] = play_nothing,
    [PF_RECORD_MARK] = play_mark,       [PF_RECORD_EXIT] = play_exit,
    [PF_RECORD_GRAIN] = play_nothing,
};

static bool play_record(Player *player, const PfRecord *record, uint64_t number, GError **error)
{
    GError *cause = NULL;
    Play play = plays[record->kind];
    if (play == NULL)
        g_set_error(&cause, PF_ERROR, PF_ERROR_TRACE, "`%s` cannot be played live",
                    pf_record_kind_name((PfRecordKind)record->kind));
    else if (play(player, record, &cause))
        return true;
    g_autofree char *place = pf_trace_place(player->trace, record, number);
    g_prefix_error(&cause, "%s: ", place);
    g_propagate_error(error, cause);
    return false;
}

static bool play_all(Player *player, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    for (;;) {
        PfTraceStatus status = pf_trace_read(player->trace, block, error);
        if (status != PF_TRACE_RECORDS)
            return status == PF_TRACE_END;
        keep_contents(player, block);
        for (uint32_t i = 0; i < block->count; i++)
            if (!play_record(player, &block->records[i], block->first_record + i, error))
                return false;
    }
}

static PfTrace *open_trace(const char *path, GError **error)
{
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, error);
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (trace == NULL || pf_trace_header(trace)->page_bytes == page_bytes)
        return g_steal_pointer(&trace);
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: pages of this host have %" G_GUINT64_FORMAT " bytes", path, page_bytes);
    return NULL;
}

/* RET_ALONE: nobody else had mergeable memory meanwhile, which counts as well as the scenario's. */
static GArray *play_once(PfKsm *ksm, const char *path, const int *interrupted, bool *ret_alone,
                         GError **error)
{
    g_autoptr(PfTrace) trace = open_trace(path, error);
    g_autoptr(PfCrew) crew = trace != NULL ? pf_crew_new(interrupted, error) : NULL;
    if (crew == NULL || !pf_ksm_reset(ksm, error))
        return NULL;
    g_autoptr(GArray) steps = pf_ksm_steps_new();
    g_autoptr(GPtrArray) contents = g_ptr_array_new_with_free_func(free_content);
    Player player = {
        .ksm = ksm,
        .crew = crew,
        .trace = trace,
        .steps = steps,
        .contents = contents,
        .page_bytes = pf_trace_header(trace)->page_bytes,
        .begun_us = g_get_monotonic_time(),
        .interrupted = interrupted,
    };
    if (!play_all(&player, error))
        return NULL;
    g_autoptr(GArray) pids = pf_crew_pids(crew);
    *ret_alone = pf_live_host_check_unmerged(pids, NULL);
    return g_steal_pointer(&steps);
}

GArray *pf_live_play(PfKsm *ksm, const char *path, const int *interrupted, GError **error)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        bool is_alone = false;
        g_autoptr(GArray) steps = play_once(ksm, path, interrupted, &is_alone, error);
        if (steps == NULL || is_alone)
            return g_steal_pointer(&steps);
    }
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "other processes have mergeable memory all the time");
    return NULL;
}
