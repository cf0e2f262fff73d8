/* Snapshots of live processes that this test starts itself. */
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "error.h"
#include "snapshot_fixture.h"
#include "snapshot_process.h"
#include "units.h"

static bool can_trace(void)
{
    bool can = may_trace();
    if (!can)
        pf_check_skip("processes may not be traced here (ptrace)");
    return can;
}

/* ---- The family: a parent with 32 written pages, and a child that shares most of them ---- */

static G_NORETURN void live_as_child(Board *board, uint8_t *region)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fill_page(page_at(region, 0), 0, 2);
    atomic_store(&board->pids[1], getpid());
    atomic_fetch_add(&board->ready, 1);
    tick_for_ever(board, 1);
}

static G_NORETURN void live_as_parent(Board *board, uint8_t *region)
{
    size_t page_bytes = pf_snapshot_page_bytes();
    for (unsigned i = 0; i < 32; i++)
        fill_page(page_at(region, i), i, 1);
    /* Written with zeros is not the same as never written, nor as read only. */
    memset(page_at(region, 40), 1, page_bytes);
    memset(page_at(region, 40), 0, page_bytes);
    volatile uint8_t untouched = *page_at(region, 50);
    (void)untouched;
    madvise(page_at(region, 8), 8 * page_bytes, MADV_MERGEABLE);
    if (fork() == 0)
        live_as_child(board, region);
    fill_page(page_at(region, 31), 31, 3);
    atomic_fetch_add(&board->ready, 1);
    for (;;) {
        atomic_fetch_add(&board->ticks[0], 1);
        g_usleep(1000);
        if (atomic_load(&board->changed) != 0 || atomic_load(&board->epochs) == 0)
            continue;
        fill_page(page_at(region, 3), 3, 4);
        munmap(page_at(region, 20), 4 * page_bytes);
        madvise(page_at(region, 30), page_bytes, MADV_DONTNEED);
        atomic_store(&board->changed, 1);
    }
}

static void expect_first_epoch(const char *path, uint64_t base, const PfSnapshotSummary *summary)
{
    Replay replay;
    replay_init(&replay, base, path, 1);
    uint8_t zero[65536] = {0};
    for (unsigned i = 0; i < 31; i++) {
        expect_page(&replay, 0, i, 1);
        expect_page(&replay, 1, i, i == 0 ? 2 : 1);
    }
    expect_page(&replay, 0, 31, 3);
    expect_page(&replay, 1, 31, 1);
    for (unsigned context = 0; context < 2; context++) {
        CU_ASSERT_FATAL(replay.bytes[context][40] != NULL);
        CU_ASSERT(memcmp(replay.bytes[context][40], zero, pf_snapshot_page_bytes()) == 0);
        CU_ASSERT_PTR_NULL(replay.bytes[context][60]);
        CU_ASSERT(replay.mapped[context][63]);
        CU_ASSERT(replay.mergeable[context][8] && replay.mergeable[context][15]);
        CU_ASSERT(!replay.mergeable[context][7] && !replay.mergeable[context][16]);
    }
    if (summary->has_frames) {
        /* Pages 1 to 30 and 40 are those that neither wrote after the fork; page 50 is the
         * kernel's zero page. */
        CU_ASSERT_EQUAL(replay.aliases, 31);
        CU_ASSERT_EQUAL(replay.states[0], 33);
        CU_ASSERT_EQUAL(replay.states[1], 2);
        CU_ASSERT_PTR_NULL(replay.bytes[0][50]);
        CU_ASSERT(summary->zero_pages >= 2);
    }
    replay_clear(&replay);
}

static void expect_second_epoch(const char *path, uint64_t base, const PfSnapshotSummary *summary)
{
    Replay replay;
    replay_init(&replay, base, path, 2);
    expect_page(&replay, 0, 3, 4);
    expect_page(&replay, 1, 3, 1);
    expect_page(&replay, 0, 19, 1);
    expect_page(&replay, 1, 20, 1);
    CU_ASSERT(!replay.mapped[0][20] && !replay.mapped[0][23]);
    CU_ASSERT(replay.mapped[0][19] && replay.mapped[0][24]);
    CU_ASSERT_PTR_NULL(replay.bytes[0][30]);
    expect_page(&replay, 1, 30, 1);
    CU_ASSERT(replay.time_ps >= PF_PS_PER_SECOND);
    /* The parent's page 3; the child's pages 3, 20 to 23 and 30 are alone in their frames now. */
    if (summary->has_frames) {
        CU_ASSERT_EQUAL(replay.states[0], 33 + 1);
        CU_ASSERT_EQUAL(replay.states[1], 2 + 6);
    }
    replay_clear(&replay);
}

static void snapshot_family(void)
{
    if (!can_trace())
        return;
    Board *board = make_board();
    uint8_t *region = make_region();
    pid_t parent = fork();
    if (parent == 0)
        live_as_parent(board, region);
    CU_ASSERT_FATAL(wait_until(&board->ready, 2));
    pid_t pids[] = {parent, atomic_load(&board->pids[1])};
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "pagefold-snapshot-XXXXXX", NULL);
    close(g_mkstemp(path));
    g_autoptr(GError) error = NULL;
    PfSnapshotSummary summary;
    CU_ASSERT(record_to(path, pids, 2, 2, board, &summary, &error));
    CU_ASSERT_EQUAL(summary.epochs, 2);
    CU_ASSERT_EQUAL(summary.processes, 2);
    expect_first_epoch(path, (uint64_t)(uintptr_t)region, &summary);
    expect_second_epoch(path, (uint64_t)(uintptr_t)region, &summary);
    CU_ASSERT(is_running(&board->ticks[0]));
    CU_ASSERT(is_running(&board->ticks[1]));
    end_child(parent);
    g_remove(path);
    free_region(region);
    free_board(board);
}

/* ---- Stopping ---- */

typedef struct {
    Board *board;
    unsigned number;
} Ticker;

static void *tick_in_thread(void *user)
{
    const Ticker *ticker = user;
    tick_for_ever(ticker->board, ticker->number);
}

static G_NORETURN void live_with_threads(Board *board)
{
    Ticker tickers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        tickers[i] = (Ticker){board, i};
        g_assert(pthread_create(&threads[i], NULL, tick_in_thread, &tickers[i]) == 0);
    }
    atomic_fetch_add(&board->ready, 1);
    for (;;)
        pause();
}

static void stop_threads(void)
{
    if (!can_trace())
        return;
    Board *board = make_board();
    pid_t child = fork();
    if (child == 0)
        live_with_threads(board);
    CU_ASSERT_FATAL(wait_until(&board->ready, 1));
    g_autoptr(GPtrArray) processes = g_ptr_array_new();
    PfProcess *process = pf_process_new(child, NULL);
    g_ptr_array_add(processes, process);
    CU_ASSERT_FATAL(pf_processes_stop(processes, NULL));
    CU_ASSERT_EQUAL(process->threads->len, THREADS + 1);
    unsigned before[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        before[i] = atomic_load(&board->ticks[i]);
    g_usleep(50000);
    for (unsigned i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(atomic_load(&board->ticks[i]), before[i]);
    pf_processes_resume(processes);
    for (unsigned i = 0; i < THREADS; i++)
        CU_ASSERT(is_running(&board->ticks[i]));
    pf_process_free(process);
    end_child(child);
    free_board(board);
}

/* A recorder that dies while it holds CHILD. */
static G_NORETURN void hold_for_ever(Board *board, pid_t child)
{
    g_autoptr(GPtrArray) processes = g_ptr_array_new();
    g_ptr_array_add(processes, pf_process_new(child, NULL));
    if (pf_processes_stop(processes, NULL))
        atomic_fetch_add(&board->ready, 1);
    for (;;)
        pause();
}

static void survive_recorder(void)
{
    if (!can_trace())
        return;
    Board *board = make_board();
    pid_t child = fork();
    if (child == 0)
        live_with_threads(board);
    /* Where Yama restricts tracing to descendants, as it does by default, siblings need leave. */
    CU_ASSERT_FATAL(wait_until(&board->ready, 1));
    pid_t recorder = fork();
    if (recorder == 0)
        hold_for_ever(board, child);
    if (!wait_until(&board->ready, 2)) {
        pf_check_skip("a sibling process may not be traced here (ptrace)");
    } else {
        unsigned before = atomic_load(&board->ticks[0]);
        g_usleep(20000);
        CU_ASSERT_EQUAL(atomic_load(&board->ticks[0]), before);
        end_child(recorder);
        recorder = 0;
        for (unsigned i = 0; i < THREADS; i++)
            CU_ASSERT(is_running(&board->ticks[i]));
    }
    if (recorder != 0)
        end_child(recorder);
    end_child(child);
    free_board(board);
}

/* ---- What goes wrong ---- */

static void refuse_strangers(void)
{
    PfSnapshotSummary summary;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "pagefold-none.pft", NULL);
    g_autoptr(GError) nobody = NULL;
    g_autoptr(GError) self = NULL;
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    CU_ASSERT(!record_to(path, &dead, 1, 1, NULL, &summary, &nobody));
    CU_ASSERT(g_error_matches(nobody, PF_ERROR, PF_ERROR_USAGE));
    pid_t own = getpid();
    CU_ASSERT(!record_to(path, &own, 1, 1, NULL, &summary, &self));
    CU_ASSERT(g_error_matches(self, PF_ERROR, PF_ERROR_USAGE));
    CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));
}

static void process_ends(void)
{
    if (!can_trace())
        return;
    Board *board = make_board();
    pid_t child = fork();
    if (child == 0) {
        atomic_fetch_add(&board->ready, 1);
        wait_until(&board->epochs, 1);
        _exit(0);
    }
    board->leaver = child;
    pid_t other = fork();
    if (other == 0)
        tick_for_ever(board, 0);
    CU_ASSERT_FATAL(wait_until(&board->ready, 1));
    pid_t pids[] = {child, other};
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "pagefold-snapshot-XXXXXX", NULL);
    close(g_mkstemp(path));
    PfSnapshotSummary summary;
    CU_ASSERT(record_to(path, pids, 2, 3, board, &summary, NULL));
    CU_ASSERT_EQUAL(summary.epochs, 3);
    Replay replay;
    replay_init(&replay, 0, path, 3);
    CU_ASSERT_EQUAL(replay.exits, 1);
    replay_clear(&replay);
    waitpid(child, NULL, 0);
    end_child(other);
    g_remove(path);
    free_board(board);
}

/* ---- What kind of memory a page is ---- */

enum { FILE_PAGES = 4 };

/* A private mapping of a file: page 1 is stored to, then given back; page 2 is stored to later. */
static G_NORETURN void live_on_file(Board *board, uint8_t *region, int file)
{
    size_t page_bytes = pf_snapshot_page_bytes();
    g_assert(mmap(region, FILE_PAGES * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                  file, 0) == region);
    madvise(region, FILE_PAGES * page_bytes, MADV_MERGEABLE);
    for (unsigned i = 0; i < FILE_PAGES; i++)
        (void)*(volatile uint8_t *)page_at(region, i);
    fill_page(page_at(region, 1), 1, 2);
    atomic_fetch_add(&board->ready, 1);
    wait_until(&board->epochs, 1);
    madvise(page_at(region, 1), page_bytes, MADV_DONTNEED);
    (void)*(volatile uint8_t *)page_at(region, 1);
    fill_page(page_at(region, 2), 2, 2);
    atomic_store(&board->changed, 1);
    tick_for_ever(board, 0);
}

static void expect_backing(const char *path, uint64_t base, unsigned marks, unsigned own)
{
    Replay replay;
    replay_init(&replay, base, path, marks);
    for (unsigned i = 0; i < FILE_PAGES; i++) {
        expect_page(&replay, 0, i, i == own ? 2 : 1);
        CU_ASSERT_EQUAL(replay.backing[0][i], i == own ? PF_BACKING_ANON : PF_BACKING_FILE);
        CU_ASSERT(replay.mergeable[0][i]);
    }
    replay_clear(&replay);
}

static void tell_own_pages(void)
{
    if (!can_trace())
        return;
    Board *board = make_board();
    uint8_t *region = make_region();
    g_autofree char *name = g_build_filename(g_get_tmp_dir(), "pagefold-file-XXXXXX", NULL);
    int file = g_mkstemp(name);
    size_t page_bytes = pf_snapshot_page_bytes();
    for (unsigned i = 0; i < FILE_PAGES; i++) {
        g_autofree uint8_t *page = g_malloc(page_bytes);
        fill_page(page, i, 1);
        CU_ASSERT_EQUAL(write(file, page, page_bytes), (ssize_t)page_bytes);
    }
    pid_t child = fork();
    if (child == 0)
        live_on_file(board, region, file);
    CU_ASSERT_FATAL(wait_until(&board->ready, 1));
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "pagefold-snapshot-XXXXXX", NULL);
    close(g_mkstemp(path));
    PfSnapshotSummary summary;
    CU_ASSERT(record_to(path, &child, 1, 2, board, &summary, NULL));
    /* All four pages are there at both epochs, and nothing else of the child is mergeable. */
    CU_ASSERT_EQUAL(summary.mergeable_pages, 2 * FILE_PAGES);
    CU_ASSERT_EQUAL(summary.ksm_pages, 0);
    expect_backing(path, (uint64_t)(uintptr_t)region, 1, 1);
    expect_backing(path, (uint64_t)(uintptr_t)region, 2, 2);
    end_child(child);
    close(file);
    g_remove(name);
    g_remove(path);
    free_region(region);
    free_board(board);
}

static void refuse_the_kernel(void)
{
    g_autofree char *command = NULL;
    if (!g_file_get_contents("/proc/2/comm", &command, NULL, NULL) ||
        !g_str_equal(command, "kthreadd\n")) {
        pf_check_skip("the kernel's threads are not seen here");
        return;
    }
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(pf_process_new(2, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "kthreadd, a thread of the kernel"));
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    pf_snapshot_find("kthreadd", false, pids);
    CU_ASSERT_EQUAL(pids->len, 0);
}

static const PfCheck checks[] = {
    {"a thread of the kernel is refused as such", refuse_the_kernel},
    {"a snapshot holds each page of a family byte by byte, at both epochs", snapshot_family},
    {"all threads of a process stand while it is stopped and go on after it", stop_threads},
    {"a process goes on when the recorder that holds it is killed", survive_recorder},
    {"a process that is not there, and the recorder itself, are refused", refuse_strangers},
    {"a process that ends between epochs is told once", process_ends},
    {"what is stored to a private mapping of a file is anonymous until it is given back",
     tell_own_pages},
};

PF_CHECK_MAIN("snapshot", checks)
