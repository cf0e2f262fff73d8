/* A policy to be completed: docs/lessons/a-policy-of-your-own.md. */
#include "policy.h"

typedef struct {
    PfHost *host;
} Lab;

static bool lab_scan(void *user, uint64_t pages)
{
    Lab *self = user;
    (void)self;
    (void)pages;
    return true;
}

static void *lab_create(PfHost *host, const void *config, GError **error)
{
    (void)config;
    (void)error;
    Lab *self = g_new0(Lab, 1);
    self->host = host;
    return self;
}

static void lab_free(void *user)
{
    Lab *self = user;
    g_free(self);
}

static const PfPolicyOps lab = {
    .name = "lab",
    .summary = "Shares nothing yet.",
    .create = lab_create,
    .free = lab_free,
    .scan = lab_scan,
};

static const PfPolicyOps *const policies[] = {&lab, NULL};
const PfPlugin pf_plugin = {.abi = PF_POLICY_ABI, .policies = policies};
