#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "live_mailbox.h"

/* References taken through one address: a pipe keeps them in order, oldest first. */
typedef struct {
    uint64_t address;
    unsigned count; /* 0: the entry is free */
    int ends[2];
} Pins;

typedef struct {
    PfLiveShared *shared;
    PfMailbox *box;
    uint64_t page_bytes;
    void *drain; /* a page of no further use */
    Pins pins[PF_LIVE_PINS_MAX];
} Child;

void pf_mailbox_wait(PfMailbox *box, PfMailboxState state, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    if (atomic_load(&box->state) == (uint32_t)state)
        syscall(SYS_futex, &box->state, FUTEX_WAIT, (uint32_t)state,
                timeout_ms < 0 ? NULL : &timeout, NULL, 0);
}

void pf_mailbox_set(PfMailbox *box, PfMailboxState state)
{
    atomic_store(&box->state, (uint32_t)state);
    syscall(SYS_futex, &box->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *pointer_to(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* All that must not outlive the controller or be disturbed by the terminal, done again after each
 * fork, which does not hand on what prctl said. */
static void settle_in(const PfMailbox *box)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != box->parent)
        _exit(1);
}

/* A page fresh in its processor's batch for the LRU lists has one reference more than its mappings,
 * which keeps KSM from merging it. MADV_COLD empties the batches of the processor it runs on, and
 * the process never leaves that one. */
static void drain_batches(const Child *child)
{
    madvise(child->drain, child->page_bytes, MADV_COLD);
}

static int stay_on_one_processor(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return -errno;
    for (unsigned number = 0; number < CPU_SETSIZE; number++) {
        if (!CPU_ISSET(number, &allowed))
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(number, &one);
        return sched_setaffinity(0, sizeof(one), &one) == 0 ? 0 : -errno;
    }
    return -EINVAL;
}

static int map(uint64_t address, uint64_t bytes, int protection)
{
    void *mapped = mmap(pointer_to(address), bytes, protection,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    if (mapped == pointer_to(address))
        return 0;
    /* A kernel that does not know the flag takes the address as a hint. */
    munmap(mapped, bytes);
    return -EEXIST;
}

static void copy(const Child *child, uint64_t address, uint64_t bytes)
{
    memcpy(pointer_to(address), child->shared->data, bytes);
}

static void touch(const Child *child, uint64_t address, uint64_t bytes, int is_store)
{
    for (uint64_t at = address; at < address + bytes; at = (at | (child->page_bytes - 1)) + 1) {
        volatile uint8_t *byte = pointer_to(at);
        uint8_t held = *byte;
        if (is_store)
            *byte = held;
    }
}

static Pins *find_pins(Child *child, uint64_t address)
{
    Pins *unused = NULL;
    for (unsigned i = 0; i < PF_LIVE_PINS_MAX; i++) {
        Pins *pins = &child->pins[i];
        if (pins->count > 0 && pins->address == address)
            return pins;
        if (pins->count == 0 && unused == NULL)
            unused = pins;
    }
    return unused;
}

/* vmsplice maps nothing anew: the pipe holds a reference on the page itself. */
static int pin(Child *child, uint64_t address)
{
    Pins *pins = find_pins(child, address);
    if (pins == NULL)
        return -ENOSPC;
    if (pins->count == 0 && pipe2(pins->ends, O_NONBLOCK) != 0)
        return -errno;
    pins->address = address;
    struct iovec page = {.iov_base = pointer_to(address), .iov_len = child->page_bytes};
    ssize_t spliced = vmsplice(pins->ends[1], &page, 1, SPLICE_F_NONBLOCK);
    if (spliced == (ssize_t)child->page_bytes) {
        pins->count++;
        return 0;
    }
    int problem = spliced < 0 ? -errno : -EIO;
    if (pins->count == 0) {
        close(pins->ends[0]);
        close(pins->ends[1]);
    }
    return problem;
}

static int unpin(Child *child, uint64_t address)
{
    Pins *pins = find_pins(child, address);
    if (pins == NULL || pins->count == 0)
        return 0;
    uint8_t bytes[512];
    for (uint64_t left = child->page_bytes; left > 0;) {
        ssize_t got = read(pins->ends[0], bytes, left < sizeof(bytes) ? left : sizeof(bytes));
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        left -= (uint64_t)got;
    }
    if (--pins->count == 0) {
        close(pins->ends[0]);
        close(pins->ends[1]);
    }
    return 0;
}

static int each_page(Child *child, const PfMailbox *box, int (*act)(Child *, uint64_t))
{
    for (uint64_t offset = 0; offset < box->bytes; offset += child->page_bytes) {
        int answer = act(child, box->address + offset);
        if (answer != 0)
            return answer;
    }
    return 0;
}

/* The references are the parent's alone. */
static void forget_pins(Child *child)
{
    for (unsigned i = 0; i < PF_LIVE_PINS_MAX; i++) {
        if (child->pins[i].count == 0)
            continue;
        close(child->pins[i].ends[0]);
        close(child->pins[i].ends[1]);
        child->pins[i].count = 0;
    }
}

/* The child becomes a child of the controller, so that it outlives this process and is waited for
 * there; what fork does to memory is the same. */
static int fork_child(Child *child, unsigned number)
{
    PfMailbox *box = &child->shared->boxes[number];
    long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        return -errno;
    if (pid > 0)
        return (int)pid;
    child->box = box;
    settle_in(box);
    forget_pins(child);
    drain_batches(child);
    return 0;
}

static int result_of(int outcome)
{
    return outcome == 0 ? 0 : -errno;
}

static int obey(Child *child)
{
    const PfMailbox *box = child->box;
    void *start = pointer_to(box->address);
    switch ((PfLiveCommand)box->command) {
    case PF_LIVE_MAP:
        return map(box->address, box->bytes, box->number);
    case PF_LIVE_UNMAP:
        return result_of(munmap(start, box->bytes));
    case PF_LIVE_REMAP:
        return mremap(start, box->bytes, box->bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                      pointer_to(box->other)) == MAP_FAILED
                   ? -errno
                   : 0;
    case PF_LIVE_ADVISE:
        return result_of(madvise(start, box->bytes, box->number));
    case PF_LIVE_COPY:
        copy(child, box->address, box->bytes);
        return 0;
    case PF_LIVE_TOUCH:
        touch(child, box->address, box->bytes, 1);
        return 0;
    case PF_LIVE_READ:
        touch(child, box->address, box->bytes, 0);
        return 0;
    case PF_LIVE_LOCK:
        return result_of(mlock2(start, box->bytes, MLOCK_ONFAULT));
    case PF_LIVE_UNLOCK:
        return result_of(munlock(start, box->bytes));
    case PF_LIVE_PIN:
        return each_page(child, box, pin);
    case PF_LIVE_UNPIN:
        return each_page(child, box, unpin);
    case PF_LIVE_FORK:
        return fork_child(child, (unsigned)box->number);
    case PF_LIVE_EXIT:
        /* Locked pages would go into a batch in the end, and stay until someone empties it. */
        munlockall();
        drain_batches(child);
        _exit(0);
    }
    return -ENOSYS;
}

_Noreturn void pf_live_child(PfLiveShared *shared, unsigned box)
{
    Child child = {.shared = shared, .box = &shared->boxes[box]};
    settle_in(child.box);
    /* What the controller has open ends with the controller. */
    syscall(SYS_close_range, 0U, ~0U, 0U);
    child.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    child.drain =
        mmap(NULL, child.page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int answer = stay_on_one_processor();
    if (answer == 0 && (child.drain == MAP_FAILED || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0))
        answer = -errno;
    for (;;) {
        child.box->answer = answer;
        pf_mailbox_set(child.box, PF_MAILBOX_DONE);
        while (atomic_load(&child.box->state) != PF_MAILBOX_COMMAND)
            pf_mailbox_wait(child.box, PF_MAILBOX_DONE, -1);
        answer = obey(&child);
        drain_batches(&child);
    }
}
