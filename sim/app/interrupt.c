#include "interrupt.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>

#include "trace_input.h"

typedef struct {
    int *interrupted;
    pthread_t main; /* which may wait for input */
} Watch;

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

/* That it is there is what makes a wait for input end. */
static void wake(int number)
{
    (void)number;
}

/* A thread that waits for the signals needs neither a handler nor state that a handler can see. */
static void *wait_for_signals(void *user)
{
    g_autofree Watch *watch = user;
    sigset_t set;
    fill_signals(&set);
    int number = 0;
    if (sigwait(&set, &number) != 0)
        return NULL;
    g_atomic_int_set(watch->interrupted, number);
    pthread_kill(watch->main, PF_INPUT_WAKE_SIGNAL);
    if (sigwait(&set, &number) != 0)
        return NULL;
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    return NULL;
}

void pf_interrupt_watch(int *interrupted)
{
    sigset_t set;
    fill_signals(&set);
    sigaddset(&set, PF_INPUT_WAKE_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigaction action = {.sa_handler = wake};
    sigaction(PF_INPUT_WAKE_SIGNAL, &action, NULL);
    Watch *watch = g_new(Watch, 1);
    *watch = (Watch){interrupted, pthread_self()};
    g_thread_unref(g_thread_new("signals", wait_for_signals, watch));
}

void pf_interrupt_child_setup(void *user)
{
    (void)user;
    sigset_t set;
    fill_signals(&set);
    sigaddset(&set, PF_INPUT_WAKE_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
