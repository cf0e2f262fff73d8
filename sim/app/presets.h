/* What is compiled into the program: configuration presets, the scripts of the figures,
 * and the scenarios of `validate`. */
#pragma once

#include <glib.h>

/* The text of the preset NAME ("tiny"), or NULL. Lives as long as the program: a PfConfigPreset. */
const char *pf_preset_text(const char *name);

/* The names of all presets: machines, then cost cards, each sorted. Free with g_strfreev. */
char **pf_preset_names(void);

/* The sentence that a preset's first line says in a comment. Free with g_free. */
char *pf_preset_summary(const char *name);

/* The script template of the figure NAME ("savings"), or NULL. Lives as long as the program. */
const char *pf_preset_plot(const char *name);

/* The text of the file NAME ("zero_pages.trace") of the built-in scenarios, or NULL. Lives as long
 * as the program. */
const char *pf_preset_scenario(const char *name);

/* The names of these files, sorted. Free with g_strfreev. */
char **pf_preset_scenario_names(void);
