/* What the command line of `trace import` says. */
#pragma once

#include "image_import.h"
#include "import.h"
#include "options.h"

/* Each option as stored by GOption, and what it means; strings are owned. */
typedef struct {
    char *output;
    char *cycle;
    char *as;
    char *interval;
    char *content;
    char **names;
    char **skips;
    const PfImportFormat *format; /* NULL: what each input looks like */
    uint64_t cycle_ps;
    uint64_t interval_ps;
    bool is_epochs;
    bool is_hashed;
    GArray *ranges; /* PfAddressRange to skip */
} PfImportOptions;

void pf_import_options_clear(PfImportOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PfImportOptions, pf_import_options_clear)

/* As pf_options_parse; what is stored is not looked at. */
PfParse pf_import_options_parse(PfApp *app, const PfCommand *command, int argc, char **argv,
                                PfImportOptions *options, char ***ret_arguments, GError **error);

/* Whether OPTIONS and ARGUMENTS (the format, then inputs) make sense; fills what they mean. False
 * with PF_ERROR_USAGE or PF_ERROR_CONFIG. */
bool pf_import_options_check(PfImportOptions *options, char **arguments, GError **error);

/* Whether OPTIONS say nothing that has no meaning for inputs of these kinds: some are images, some
 * have cycles. False with PF_ERROR_USAGE. */
bool pf_import_options_fit(const PfImportOptions *options, bool has_images, bool has_cycles,
                           GError **error);
