#pragma once

#include "machine.h"

/* Complains in section MACHINE of what CONFIG, which is bound from it, has that no model can be. */
void machine_check_parts(const PfMachineConfig *config, PfConfigSection *machine);
