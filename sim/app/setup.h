/* From the command line to a configuration: the options that `run` and `config` have in common. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "config.h"
#include "registry.h"

/* What the user said, as stored by GOption; strings and vectors are owned. */
typedef struct {
    char **assignments; /* -s key=value */
    char **plugins;     /* --plugin FILE */
    char *policies;     /* --policy NAME[,NAME] */
    char *seed;         /* --seed N */
    char *epoch;        /* --epoch TIME */
    bool has_trace;     /* another one than the configuration's is played */
} PfSetup;

void pf_setup_clear(PfSetup *setup);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PfSetup, pf_setup_clear)

/* The section `output`, as far as this floor uses it. */
typedef struct {
    char *dir;
    char **figures;
    bool events;
} PfOutputConfig;

/* The registry, with the plug-ins that SETUP names. */
PfRegistry *pf_setup_registry(const PfSetup *setup, GError **error);

/* Loads PATH, and into REGISTRY the plug-ins that it names, applies SETUP's overrides, finds its
 * trace (installed.h) and binds `output` to RET_OUTPUT (whose strings belong to the configuration).
 * Nothing else is bound and nothing finished. */
PfConfig *pf_setup_config(const PfSetup *setup, const char *path, PfRegistry *registry,
                          PfOutputConfig *ret_output, GError **error);

/* Binds `output` of CONFIG. */
void pf_setup_bind_output(PfConfig *config, PfOutputConfig *ret_output);

/* Where results go: SAID (-o) if that is not NULL, else output.dir of CONFIG; NULL if there is
 * none. Free with g_free. */
char *pf_setup_directory(PfConfig *config, const char *said);

/* Leaves in the list `policies` of CONFIG, which was loaded from PATH, those that NAMES ("ksm,esx")
 * names, in that order, with the parameters that the file gives them; one that is not in the file
 * gets its defaults. A name is a label or a policy's name, which may stand for several entries.
 * PF_ERROR_USAGE if there is no such policy. */
bool pf_setup_select_policies(PfConfig *config, const char *path, const PfRegistry *registry,
                              const char *names, GError **error);
