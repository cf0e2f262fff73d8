/* Lines that caches write back to memory, kept until the policy can be told: a cache writes back in
 * the middle of an access. */
#pragma once

#include "host.h"

typedef struct {
    uint64_t cycle;
    PfMpn frame;
} PfWriteBack;

/* A cache sends REQUEST, a WRITE of a whole line, to memory; USER is the PfHost. */
void pf_host_line_written_back(void *user, const PfRequest *request);

/* The controller is about to write the dirty lines of PAGE, if there are any: they are told of as
 * one. */
void pf_host_page_flushed(PfHost *host, PfPage page);

/* Tells the policy of the lines that are kept, AT_LINE being called before each with the cycle at
 * which it was written back. What its work makes caches write back comes later. */
void pf_host_tell_write_backs(PfHost *host, void (*at_line)(PfHost *host, uint64_t cycle));

/* Forgets them. */
void pf_host_free_write_backs(PfHost *host);

/* False with an error if the policy waits for lines to be written back and there are no caches. */
bool pf_host_check_timing(const PfHost *host, GError **error);
