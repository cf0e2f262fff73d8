/* A policy that breaks the law which its parameter `breaks` names, for tests of check-policy. It
 * looks at page after page and shares nothing. */
#include "policy.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *breaks;
} BrokenConfig;

static const PfConfigField fields[] = {
    {.key = "breaks", .type = PF_CONFIG_STRING, .standard = "nothing",
     .offset = offsetof(BrokenConfig, breaks), .description = "What goes wrong."},
};

typedef struct {
    PfHost *host;
    char *breaks;
    uint64_t runs; /* ever made, where that is broken */
} Broken;

static bool breaks(const Broken *self, const char *what)
{
    return strcmp(self->breaks, what) == 0;
}

static void spoil(Broken *self, PfPage page)
{
    if (breaks(self, "crash"))
        raise(SIGILL);
    if (breaks(self, "exit"))
        _exit(0);
    while (breaks(self, "loop"))
        pf_host_now(self->host);
    while (breaks(self, "sleep"))
        pause();
    if (breaks(self, "charge"))
        pf_host_charge(self->host, PF_ACCOUNT_SCAN, (uint64_t)-5);
    if (breaks(self, "files") && open("/dev/null", O_RDONLY) < 0)
        raise(SIGILL);
    if (breaks(self, "background") && fork() == 0)
        while (true)
            pause();
    if (breaks(self, "print"))
        printf("a word\n");
    while (breaks(self, "memory"))
        memset(g_malloc(1 << 24), 1, 1 << 24);
    if (breaks(self, "promise"))
        pf_host_hash_page(self->host, (PfPage){page.context, pf_cpn_plus(page.cpn, 1 << 20)});
}

static bool broken_scan(void *user, uint64_t pages)
{
    Broken *self = user;
    PfPage page = {0, {0}};
    for (; pages > 0 && pf_host_cursor_next(self->host, page, &page); pages--) {
        pf_host_count_scanned(self->host);
        spoil(self, page);
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
    if (!breaks(self, "passes"))
        pf_host_count_pass(self->host);
    return true;
}

static void broken_unmapped(void *user, PfPage page)
{
    Broken *self = user;
    if (breaks(self, "unmapped"))
        pf_host_hash_page(self->host, page);
}

/* Breaks what lets the file go. */
__attribute__((destructor)) static void let_go(void)
{
    if (g_getenv("PLUGIN_BROKEN_LET_GO") != NULL)
        raise(SIGILL);
}

static uint64_t broken_wake(void *user, uint64_t now_cycles)
{
    broken_scan(user, 100);
    return now_cycles + 1000;
}

static void *broken_create(PfHost *host, const void *config, GError **error)
{
    static uint64_t runs; /* what a policy must not have */
    Broken *self = g_new0(Broken, 1);
    self->host = host;
    self->breaks = g_strdup(((const BrokenConfig *)config)->breaks);
    if (breaks(self, "alone"))
        self->runs = ++runs;
    if (breaks(self, "chance"))
        self->runs = g_random_int();
    pf_stats_counter(pf_host_stats(host), "runs", "runs", "Runs so far.", &self->runs);
    if (breaks(self, "create")) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "it will not be made");
        g_free(self->breaks);
        g_free(self);
        return NULL;
    }
    pf_host_wake_at(host, pf_host_now(host) + 1);
    return self;
}

static void broken_free(void *user)
{
    Broken *self = user;
    if (!breaks(self, "leaks"))
        g_free(self->breaks);
    g_free(self);
}

static const PfPolicyOps broken = {
    .name = "broken", .summary = "Breaks a law.", .fields = fields,
    .field_count = G_N_ELEMENTS(fields), .config_bytes = sizeof(BrokenConfig),
    .create = broken_create, .free = broken_free, .wake = broken_wake, .scan = broken_scan,
    .page_unmapped = broken_unmapped,
};

static const PfPolicyOps *const policies[] = {&broken, NULL};
const PfPlugin pf_plugin = {.abi = PF_POLICY_ABI, .policies = policies};
