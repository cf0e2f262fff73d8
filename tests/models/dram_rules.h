/* The rules between DRAM commands, once more: a table of all ordered pairs, against which each
 * command is compared with each of those before it. Slow, and shares no code with the model. */
#pragma once

#include <glib.h>

#include "dram.h"

/* Sorts COMMANDS (of PfDramCommand, from pf_dram_observe) by clock and returns how many break a
 * rule of TIMING; TELL prints the first few. */
unsigned dram_rules_broken(GArray *commands, const PfDramPreset *timing, bool tell);

/* An observer that appends to the GArray that USER is. */
void dram_rules_note(const PfDramCommand *command, void *user);
