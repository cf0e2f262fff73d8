#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>

#include "calls.h"

static const char no_threads[] =
    "only programs of one thread are recorded; make it use one (as by -T1 or --single-thread), "
    "or record what it does in a thread as a program of its own";
static const char no_processes[] =
    "only one process is recorded; record the programs that it would start one by one";

/* Both a thread and, by the C library's fork, a process. */
static int64_t call_clone(PfGuest *guest, const uint64_t *arguments)
{
    bool is_thread = (arguments[0] & CLONE_THREAD) != 0;
    pf_call_refuse(guest, "clone", SYS_clone, is_thread ? no_threads : no_processes);
    return -ENOSYS;
}

const PfCallRow pf_calls_missing[] = {
    {SYS_clone, "clone", call_clone, NULL, NULL},
    {SYS_clone3, "clone3", NULL, NULL, no_threads},
    {SYS_fork, "fork", NULL, NULL, no_processes},
    {SYS_vfork, "vfork", NULL, NULL, no_processes},
    {SYS_execve, "execve", NULL, NULL, no_processes},
    {SYS_execveat, "execveat", NULL, NULL, no_processes},
    /* Programs know what to do without. */
    {SYS_rseq, "rseq", NULL, NULL, ""},
    {SYS_statx, "statx", NULL, NULL, ""},
    {SYS_sendfile, "sendfile", NULL, NULL, ""},
    {SYS_copy_file_range, "copy_file_range", NULL, NULL, ""},
    {SYS_splice, "splice", NULL, NULL, ""},
    {SYS_membarrier, "membarrier", NULL, NULL, ""},
    {SYS_mincore, "mincore", NULL, NULL, ""},
    {SYS_getxattr, "getxattr", NULL, NULL, ""},
    {SYS_lgetxattr, "lgetxattr", NULL, NULL, ""},
    {SYS_fgetxattr, "fgetxattr", NULL, NULL, ""},
    /* These change what comes out. */
    {SYS_socket, "socket", NULL, NULL, NULL},
    {SYS_socketpair, "socketpair", NULL, NULL, NULL},
    {SYS_select, "select", NULL, NULL, NULL},
    {SYS_pselect6, "pselect6", NULL, NULL, NULL},
    {SYS_ppoll, "ppoll", NULL, NULL, NULL},
    {SYS_epoll_create1, "epoll_create1", NULL, NULL, NULL},
    {SYS_eventfd2, "eventfd2", NULL, NULL, NULL},
    {SYS_alarm, "alarm", NULL, NULL, NULL},
    {SYS_setitimer, "setitimer", NULL, NULL, NULL},
    {SYS_timer_create, "timer_create", NULL, NULL, NULL},
    {SYS_pause, "pause", NULL, NULL, NULL},
    {SYS_rt_sigsuspend, "rt_sigsuspend", NULL, NULL, NULL},
    {SYS_wait4, "wait4", NULL, NULL, NULL},
    {SYS_shmget, "shmget", NULL, NULL, NULL},
    {SYS_memfd_create, "memfd_create", NULL, NULL, NULL},
    {SYS_preadv, "preadv", NULL, NULL, NULL},
    {SYS_pwritev, "pwritev", NULL, NULL, NULL},
    {SYS_io_uring_setup, "io_uring_setup", NULL, NULL, NULL},
    {SYS_io_setup, "io_setup", NULL, NULL, NULL},
    {SYS_statfs, "statfs", NULL, NULL, NULL},
    {SYS_fstatfs, "fstatfs", NULL, NULL, NULL},
    {SYS_ptrace, "ptrace", NULL, NULL, NULL},
    {SYS_mbind, "mbind", NULL, NULL, NULL},
    {SYS_set_mempolicy, "set_mempolicy", NULL, NULL, NULL},
    {SYS_get_mempolicy, "get_mempolicy", NULL, NULL, NULL},
    {0, NULL, NULL, NULL, NULL},
};
