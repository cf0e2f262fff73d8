/* What the controller and its driven processes share: a page of commands and answers for each
 * process, and one buffer of page contents. Both lie in memory that is shared over fork, so neither
 * needs file descriptors, and what is passed does not add pages to any process. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum {
    PF_LIVE_PROCESSES_MAX = 64,
    PF_LIVE_DATA_BYTES = 256 * 1024,
    PF_LIVE_PINS_MAX = 256, /* of one process */
};

typedef enum {
    PF_MAILBOX_NEW,     /* its process has not said anything yet */
    PF_MAILBOX_COMMAND, /* something is to be done */
    PF_MAILBOX_DONE,    /* `answer` holds; the process waits */
} PfMailboxState;

typedef enum {
    PF_LIVE_MAP,    /* address, bytes, number = protection */
    PF_LIVE_UNMAP,  /* address, bytes */
    PF_LIVE_REMAP,  /* address, bytes, other = target */
    PF_LIVE_ADVISE, /* address, bytes, number = MADV_* */
    PF_LIVE_COPY,   /* the buffer to address, bytes */
    PF_LIVE_TOUCH,  /* address, bytes: store in each page what it holds */
    PF_LIVE_READ,   /* address, bytes: load from each page */
    PF_LIVE_LOCK,   /* address, bytes: what is there, and what will be */
    PF_LIVE_UNLOCK, /* address, bytes */
    PF_LIVE_PIN,    /* address, bytes: one more reference on the frame of each page */
    PF_LIVE_UNPIN,  /* address, bytes: the oldest one of each page is dropped */
    PF_LIVE_FORK,   /* number = the child's mailbox; the answer is its process number */
    PF_LIVE_EXIT,
} PfLiveCommand;

typedef struct {
    _Atomic uint32_t state; /* PfMailboxState; a futex */
    uint32_t command;       /* PfLiveCommand */
    uint64_t address;
    uint64_t bytes;
    uint64_t other;
    int32_t number;
    int32_t answer; /* not negative, or a negative errno */
    int32_t parent; /* whose end is the process's end */
    int32_t reserved;
} PfMailbox;

typedef struct {
    PfMailbox boxes[PF_LIVE_PROCESSES_MAX];
    uint8_t data[PF_LIVE_DATA_BYTES];
} PfLiveShared;

/* What a driven process does until it is told to end: waits at mailbox BOX of SHARED and obeys. To
 * be called right after fork, also in a child of a program with threads: it calls nothing that
 * takes a lock, and opens nothing but what pins need. */
_Noreturn void pf_live_child(PfLiveShared *shared, unsigned box);

/* Waits until the state of BOX is not STATE any more, at most TIMEOUT_MS (negative: for ever);
 * may return early. */
void pf_mailbox_wait(PfMailbox *box, PfMailboxState state, int timeout_ms);

/* Sets the state of BOX and wakes who waits for that. */
void pf_mailbox_set(PfMailbox *box, PfMailboxState state);
