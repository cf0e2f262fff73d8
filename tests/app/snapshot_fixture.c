#include "snapshot_fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "snapshot_process.h"
#include "units.h"

uint8_t *page_at(uint8_t *region, unsigned index)
{
    return region + (size_t)index * pf_snapshot_page_bytes();
}

void fill_page(uint8_t *page, unsigned index, unsigned who)
{
    for (uint32_t i = 0; i < pf_snapshot_page_bytes(); i++)
        page[i] = (uint8_t)(i * 7 + index * 13 + who * 101 + (i >> 8));
}

Board *make_board(void)
{
    void *board =
        mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert(board != MAP_FAILED);
    return board;
}

void free_board(Board *board)
{
    munmap(board, sizeof *board);
}

uint8_t *make_region(void)
{
    void *region = mmap(NULL, (size_t)PAGES * pf_snapshot_page_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert(region != MAP_FAILED);
    /* Pages of their own, so that each can be told. */
    madvise(region, (size_t)PAGES * pf_snapshot_page_bytes(), MADV_NOHUGEPAGE);
    return region;
}

void free_region(uint8_t *region)
{
    munmap(region, (size_t)PAGES * pf_snapshot_page_bytes());
}

bool wait_until(atomic_uint *number, unsigned least)
{
    for (unsigned i = 0; i < 30000 && atomic_load(number) < least; i++)
        g_usleep(1000);
    return atomic_load(number) >= least;
}

bool is_running(atomic_uint *ticks)
{
    unsigned before = atomic_load(ticks);
    return wait_until(ticks, before + 3);
}

void tick_for_ever(Board *board, unsigned number)
{
    for (;;) {
        atomic_fetch_add(&board->ticks[number], 1);
        g_usleep(1000);
    }
}

void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

bool may_trace(void)
{
    Board *board = make_board();
    pid_t child = fork();
    if (child == 0)
        tick_for_ever(board, 0);
    g_autoptr(GPtrArray) processes = g_ptr_array_new();
    PfProcess *process = pf_process_new(child, NULL);
    g_ptr_array_add(processes, process);
    bool stopped = pf_processes_stop(processes, NULL);
    if (stopped)
        pf_processes_resume(processes);
    pf_process_free(process);
    end_child(child);
    free_board(board);
    return stopped;
}

static void apply_page(Replay *replay, const PfRecord *record, unsigned page, uint64_t offset)
{
    uint32_t who = record->context;
    uint64_t source = 0;
    switch (record->kind) {
    case PF_RECORD_MAP:
        replay->mapped[who][page] = true;
        replay->mergeable[who][page] = record->detail->mergeable;
        replay->backing[who][page] = record->detail->backing;
        break;
    case PF_RECORD_UNMAP:
        replay->mapped[who][page] = false;
        replay->bytes[who][page] = NULL;
        break;
    case PF_RECORD_STATE:
        replay->bytes[who][page] = replay->contents->pdata[record->content];
        replay->states[who]++;
        break;
    case PF_RECORD_ALIAS:
        source = (record->detail->other_address - replay->base) / pf_snapshot_page_bytes() + offset;
        CU_ASSERT_FATAL(source < PAGES);
        replay->bytes[who][page] = replay->bytes[record->detail->other_context][source];
        replay->aliases++;
        break;
    case PF_RECORD_ADVISE:
        if (record->choice == PF_ADVICE_DONTNEED)
            replay->bytes[who][page] = NULL;
        else
            replay->mergeable[who][page] = record->choice == PF_ADVICE_MERGEABLE;
        break;
    default:
        CU_FAIL("a record that does not belong here");
    }
}

static void apply_record(Replay *replay, const PfRecord *record)
{
    if (record->kind == PF_RECORD_TIME)
        replay->time_ps = record->count;
    replay->marks += record->kind == PF_RECORD_MARK;
    replay->exits += record->kind == PF_RECORD_EXIT;
    if (record->kind != PF_RECORD_MAP && record->kind != PF_RECORD_UNMAP &&
        record->kind != PF_RECORD_STATE && record->kind != PF_RECORD_ALIAS &&
        record->kind != PF_RECORD_ADVISE)
        return;
    for (unsigned page = 0; page < PAGES; page++) {
        uint64_t address = replay->base + (uint64_t)page * pf_snapshot_page_bytes();
        uint64_t index = (address - record->address) / pf_snapshot_page_bytes();
        if (address >= record->address && index < record->count)
            apply_page(replay, record, page, index);
    }
}

void replay_init(Replay *replay, uint64_t base, const char *path, unsigned marks)
{
    *replay = (Replay){.base = base, .contents = g_ptr_array_new_with_free_func(g_free)};
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, &error);
    CU_ASSERT_FATAL(trace != NULL);
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    uint32_t page_bytes = pf_snapshot_page_bytes();
    PfTraceStatus status;
    while ((status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        for (guint i = 0; i < block->contents->len; i++) {
            uint8_t *bytes = g_malloc(page_bytes);
            pf_content_spec_expand(&g_array_index(block->contents, PfContentSpec, i), page_bytes,
                                   bytes);
            g_ptr_array_add(replay->contents, bytes);
        }
        for (uint32_t i = 0; i < block->count && replay->marks < marks; i++)
            apply_record(replay, &block->records[i]);
    }
    CU_ASSERT_EQUAL(status, PF_TRACE_END);
    CU_ASSERT_EQUAL(replay->marks, marks);
}

void replay_clear(Replay *replay)
{
    g_ptr_array_unref(replay->contents);
}

void expect_page(const Replay *replay, unsigned context, unsigned page, unsigned who)
{
    uint8_t expected[65536];
    g_assert(pf_snapshot_page_bytes() <= sizeof expected);
    fill_page(expected, page, who);
    CU_ASSERT_FATAL(replay->bytes[context][page] != NULL);
    CU_ASSERT(memcmp(replay->bytes[context][page], expected, pf_snapshot_page_bytes()) == 0);
}

/* The children do what they shall do between the first epoch and the second, however late they come
 * to run. */
static void tell_epochs(const PfSnapshotSummary *summary, void *user)
{
    Board *board = user;
    atomic_store(&board->epochs, summary->epochs);
    if (summary->epochs == 0)
        return;
    siginfo_t info;
    bool has_happened = board->leaver != 0
                            ? waitid(P_PID, (id_t)board->leaver, &info, WEXITED | WNOWAIT) == 0
                            : wait_until(&board->changed, 1);
    CU_ASSERT(has_happened);
}

bool record_to(const char *path, const pid_t *pids, size_t count, unsigned epochs, Board *board,
               PfSnapshotSummary *ret_summary, GError **error)
{
    PfTraceHeader header = {.page_bytes = pf_snapshot_page_bytes(), .description = "{}"};
    PfSnapshotOptions options = {
        .epochs = epochs,
        .interval_ps = PF_PS_PER_SECOND,
        .progress = board != NULL ? tell_epochs : NULL,
        .user = board,
    };
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(path, PF_TRACE_BINARY, &header, error);
    return writer != NULL &&
           pf_snapshot_record(pids, count, &options, writer, ret_summary, error) &&
           pf_trace_writer_finish(writer, error);
}
