#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "engine.h"

static const uint64_t ns_per_second = 1000000000;

/* arch_prctl(2); the header that has them is the kernel's own. */
enum { ARCH_SET_FS_CODE = 0x1002, ARCH_GET_FS_CODE = 0x1003 };

/* What the kernel's sigaction holds: handler, flags, restorer, mask. */
typedef struct {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
} KernelAction;

static int64_t call_exit(PfGuest *guest, const uint64_t *arguments)
{
    pf_guest_end(guest, (int)(arguments[0] & 0xff), NULL);
    return 0;
}

static struct timespec clock_at(PfGuest *guest, uint64_t which)
{
    uint64_t now = pf_guest_now_ns(guest);
    uint64_t second = now / ns_per_second;
    if (which == CLOCK_PROCESS_CPUTIME_ID || which == CLOCK_THREAD_CPUTIME_ID) {
        now -= guest->slept_ns;
        second = now / ns_per_second;
    } else if (which == CLOCK_MONOTONIC || which == CLOCK_MONOTONIC_RAW ||
               which == CLOCK_MONOTONIC_COARSE || which == CLOCK_BOOTTIME)
        second += 1;
    else
        second += PF_GUEST_EPOCH_SECONDS;
    return (struct timespec){.tv_sec = (time_t)second, .tv_nsec = (long)(now % ns_per_second)};
}

static int64_t call_clock_gettime(PfGuest *guest, const uint64_t *arguments)
{
    struct timespec time = clock_at(guest, arguments[0]);
    return pf_call_put(guest, arguments[1], &time, sizeof(time));
}

static int64_t call_clock_getres(PfGuest *guest, const uint64_t *arguments)
{
    struct timespec time = {.tv_nsec = 1};
    return arguments[1] == 0 ? 0 : pf_call_put(guest, arguments[1], &time, sizeof(time));
}

static int64_t call_gettimeofday(PfGuest *guest, const uint64_t *arguments)
{
    struct timespec now = clock_at(guest, CLOCK_REALTIME);
    struct timeval time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return arguments[0] == 0 ? 0 : pf_call_put(guest, arguments[0], &time, sizeof(time));
}

static int64_t call_time(PfGuest *guest, const uint64_t *arguments)
{
    int64_t now = clock_at(guest, CLOCK_REALTIME).tv_sec;
    int64_t status = arguments[0] == 0 ? 0 : pf_call_put(guest, arguments[0], &now, sizeof(now));
    return status < 0 ? status : now;
}

static int64_t call_times(PfGuest *guest, const uint64_t *arguments)
{
    int64_t ticks = (int64_t)(pf_guest_now_ns(guest) / (ns_per_second / 100));
    struct tms times = {.tms_utime = ticks};
    int64_t status =
        arguments[0] == 0 ? 0 : pf_call_put(guest, arguments[0], &times, sizeof(times));
    return status < 0 ? status : ticks;
}

static int64_t sleep_for(PfGuest *guest, uint64_t address, bool is_absolute, uint64_t which)
{
    const struct timespec *time = pf_call_bytes(guest, address, sizeof(*time));
    if (time == NULL)
        return -EFAULT;
    if (time->tv_sec < 0 || time->tv_nsec < 0 || (uint64_t)time->tv_nsec >= ns_per_second)
        return -EINVAL;
    struct timespec now = is_absolute ? clock_at(guest, which) : (struct timespec){0};
    int64_t seconds = time->tv_sec - now.tv_sec;
    int64_t ns = MIN(seconds, G_MAXINT32) * (int64_t)ns_per_second + time->tv_nsec - now.tv_nsec;
    pf_guest_sleep(guest, ns > 0 ? (uint64_t)ns : 0);
    return 0;
}

static int64_t call_nanosleep(PfGuest *guest, const uint64_t *arguments)
{
    return sleep_for(guest, arguments[0], false, CLOCK_REALTIME);
}

static int64_t call_clock_nanosleep(PfGuest *guest, const uint64_t *arguments)
{
    return sleep_for(guest, arguments[2], (arguments[1] & TIMER_ABSTIME) != 0, arguments[0]);
}

static int64_t call_getrandom(PfGuest *guest, const uint64_t *arguments)
{
    void *bytes = pf_call_bytes(guest, arguments[0], arguments[1]);
    if (bytes == NULL)
        return -EFAULT;
    pf_guest_random(guest, bytes, arguments[1]);
    pf_call_stored(guest, arguments[0], arguments[1]);
    return (int64_t)arguments[1];
}

static int64_t call_process(PfGuest *guest, const uint64_t *arguments)
{
    (void)guest;
    (void)arguments;
    return PF_GUEST_PROCESS;
}

static int64_t call_parent(PfGuest *guest, const uint64_t *arguments)
{
    (void)guest;
    (void)arguments;
    return 1;
}

static int64_t call_user(PfGuest *guest, const uint64_t *arguments)
{
    (void)guest;
    (void)arguments;
    return PF_GUEST_USER;
}

static int64_t call_nothing(PfGuest *guest, const uint64_t *arguments)
{
    (void)guest;
    (void)arguments;
    return 0;
}

static int64_t call_uname(PfGuest *guest, const uint64_t *arguments)
{
    struct utsname name = {.sysname = "Linux",
                           .nodename = "pagefold",
                           .release = "6.1.0",
                           .version = "#1",
                           .machine = "x86_64"};
    return pf_call_put(guest, arguments[0], &name, sizeof(name));
}

static int64_t call_arch_prctl(PfGuest *guest, const uint64_t *arguments)
{
    if (arguments[0] == ARCH_SET_FS_CODE) {
        pf_engine_set_fs(guest->engine, arguments[1]);
        return 0;
    }
    uint64_t base = pf_engine_fs(guest->engine);
    return arguments[0] == ARCH_GET_FS_CODE ? pf_call_put(guest, arguments[1], &base, sizeof(base))
                                            : -EINVAL;
}

static int64_t put_limit(PfGuest *guest, uint64_t which, uint64_t address)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (which == RLIMIT_STACK)
        limit.rlim_cur = PF_GUEST_STACK_BYTES;
    else if (which == RLIMIT_NOFILE)
        limit = (struct rlimit){.rlim_cur = PF_GUEST_FILES, .rlim_max = PF_GUEST_FILES};
    else if (which == RLIMIT_CORE)
        limit.rlim_cur = 0;
    return address == 0 ? 0 : pf_call_put(guest, address, &limit, sizeof(limit));
}

static int64_t call_prlimit(PfGuest *guest, const uint64_t *arguments)
{
    return put_limit(guest, arguments[1], arguments[3]);
}

static int64_t call_getrlimit(PfGuest *guest, const uint64_t *arguments)
{
    return put_limit(guest, arguments[0], arguments[1]);
}

static int64_t call_getrusage(PfGuest *guest, const uint64_t *arguments)
{
    struct timespec used = clock_at(guest, CLOCK_PROCESS_CPUTIME_ID);
    struct rusage usage = {.ru_utime = {.tv_sec = used.tv_sec, .tv_usec = used.tv_nsec / 1000}};
    return pf_call_put(guest, arguments[1], &usage, sizeof(usage));
}

static int64_t call_sysinfo(PfGuest *guest, const uint64_t *arguments)
{
    struct sysinfo info = {.uptime = clock_at(guest, CLOCK_MONOTONIC).tv_sec,
                           .totalram = (unsigned long)4 << 30,
                           .freeram = (unsigned long)2 << 30,
                           .procs = 1,
                           .mem_unit = 1};
    return pf_call_put(guest, arguments[0], &info, sizeof(info));
}

static int64_t call_getaffinity(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t first = 1;
    if (arguments[1] < sizeof(first))
        return -EINVAL;
    int64_t status = pf_call_put(guest, arguments[2], &first, sizeof(first));
    return status < 0 ? status : (int64_t)sizeof(first);
}

/* Handlers are remembered, and never run. */
static int64_t call_sigaction(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t number = arguments[0];
    if (number == 0 || number > 64)
        return -EINVAL;
    uint64_t bit = (uint64_t)1 << number % 64;
    KernelAction former = {0};
    if ((guest->ignored & bit) != 0)
        former.handler = (uint64_t)(uintptr_t)SIG_IGN;
    if (arguments[1] != 0) {
        const KernelAction *action = pf_call_bytes(guest, arguments[1], sizeof(*action));
        if (action == NULL)
            return -EFAULT;
        guest->ignored &= ~bit;
        guest->caught &= ~bit;
        if (action->handler == (uint64_t)(uintptr_t)SIG_IGN)
            guest->ignored |= bit;
        else if (action->handler != (uint64_t)(uintptr_t)SIG_DFL)
            guest->caught |= bit;
    }
    return arguments[2] == 0 ? 0 : pf_call_put(guest, arguments[2], &former, sizeof(former));
}

static int64_t call_sigprocmask(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t mask = 0;
    return arguments[2] == 0 ? 0 : pf_call_put(guest, arguments[2], &mask, sizeof(mask));
}

static int64_t send_signal(PfGuest *guest, uint64_t process, uint64_t number)
{
    if (number > 64)
        return -EINVAL;
    if (process != PF_GUEST_PROCESS && process != 0)
        return -EPERM;
    uint64_t bit = (uint64_t)1 << number % 64;
    if (number == 0 || (guest->ignored & bit) != 0 || number == SIGCHLD || number == SIGURG ||
        number == SIGWINCH || number == SIGCONT)
        return 0;
    if ((guest->caught & bit) != 0)
        pf_guest_refuse(guest,
                        "it sends itself signal %d (%s), and handlers of signals are not run; "
                        "leave out what sends it",
                        (int)number, strsignal((int)number));
    else
        pf_guest_end(guest, 128 + (int)number,
                     g_strdup_printf("signal %d (%s), which it sent itself", (int)number,
                                     strsignal((int)number)));
    return 0;
}

static int64_t call_kill(PfGuest *guest, const uint64_t *arguments)
{
    return send_signal(guest, arguments[0], arguments[1]);
}

static int64_t call_tgkill(PfGuest *guest, const uint64_t *arguments)
{
    return send_signal(guest, arguments[1], arguments[2]);
}

/* With one thread there is nobody to wake, and nobody who would. */
static int64_t call_futex(PfGuest *guest, const uint64_t *arguments)
{
    int operation = (int)arguments[1] & FUTEX_CMD_MASK;
    if (operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET)
        return 0;
    const uint32_t *word = pf_call_bytes(guest, arguments[0], sizeof(*word));
    if (word == NULL)
        return -EFAULT;
    if (*word != (uint32_t)arguments[2])
        return -EAGAIN;
    if (arguments[3] != 0)
        return -ETIMEDOUT;
    pf_guest_refuse(guest, "it waits for another thread, and there is none: only one thread is "
                           "recorded; make it use one");
    return 0;
}

static int64_t call_prctl(PfGuest *guest, const uint64_t *arguments)
{
    (void)guest;
    return arguments[0] == PR_SET_NAME ? 0 : -EINVAL;
}

const PfCallRow pf_calls_system[] = {
    {SYS_exit, "exit", call_exit, NULL, NULL},
    {SYS_exit_group, "exit_group", call_exit, NULL, NULL},
    {SYS_clock_gettime, "clock_gettime", call_clock_gettime, NULL, NULL},
    {SYS_clock_getres, "clock_getres", call_clock_getres, NULL, NULL},
    {SYS_gettimeofday, "gettimeofday", call_gettimeofday, NULL, NULL},
    {SYS_time, "time", call_time, NULL, NULL},
    {SYS_times, "times", call_times, NULL, NULL},
    {SYS_nanosleep, "nanosleep", call_nanosleep, NULL, NULL},
    {SYS_clock_nanosleep, "clock_nanosleep", call_clock_nanosleep, NULL, NULL},
    {SYS_getrandom, "getrandom", call_getrandom, NULL, NULL},
    {SYS_getpid, "getpid", call_process, NULL, NULL},
    {SYS_gettid, "gettid", call_process, NULL, NULL},
    {SYS_getpgrp, "getpgrp", call_process, NULL, NULL},
    {SYS_getpgid, "getpgid", call_process, NULL, NULL},
    {SYS_getsid, "getsid", call_process, NULL, NULL},
    {SYS_set_tid_address, "set_tid_address", call_process, NULL, NULL},
    {SYS_getppid, "getppid", call_parent, NULL, NULL},
    {SYS_getuid, "getuid", call_user, NULL, NULL},
    {SYS_geteuid, "geteuid", call_user, NULL, NULL},
    {SYS_getgid, "getgid", call_user, NULL, NULL},
    {SYS_getegid, "getegid", call_user, NULL, NULL},
    {SYS_setuid, "setuid", call_nothing, NULL, NULL},
    {SYS_setgid, "setgid", call_nothing, NULL, NULL},
    {SYS_getgroups, "getgroups", call_nothing, NULL, NULL},
    {SYS_set_robust_list, "set_robust_list", call_nothing, NULL, NULL},
    {SYS_sched_yield, "sched_yield", call_nothing, NULL, NULL},
    {SYS_sigaltstack, "sigaltstack", call_nothing, NULL, NULL},
    {SYS_uname, "uname", call_uname, NULL, NULL},
    {SYS_arch_prctl, "arch_prctl", call_arch_prctl, NULL, NULL},
    {SYS_prlimit64, "prlimit64", call_prlimit, NULL, NULL},
    {SYS_getrlimit, "getrlimit", call_getrlimit, NULL, NULL},
    {SYS_setrlimit, "setrlimit", call_nothing, NULL, NULL},
    {SYS_getrusage, "getrusage", call_getrusage, NULL, NULL},
    {SYS_sysinfo, "sysinfo", call_sysinfo, NULL, NULL},
    {SYS_sched_getaffinity, "sched_getaffinity", call_getaffinity, NULL, NULL},
    {SYS_rt_sigaction, "rt_sigaction", call_sigaction, NULL, NULL},
    {SYS_rt_sigprocmask, "rt_sigprocmask", call_sigprocmask, NULL, NULL},
    {SYS_kill, "kill", call_kill, NULL, NULL},
    {SYS_tkill, "tkill", call_kill, NULL, NULL},
    {SYS_tgkill, "tgkill", call_tgkill, NULL, NULL},
    {SYS_futex, "futex", call_futex, NULL, NULL},
    {SYS_prctl, "prctl", call_prctl, NULL, NULL},
    {0, NULL, NULL, NULL, NULL},
};
