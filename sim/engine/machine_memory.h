/* The memory side of a machine: DRAM of each node, what works at its controllers, and what lies
 * before them. Between the files of the machine. */
#pragma once

#include "machine.h"

/* Builds MACHINE's drams, hash engine, interconnect and indirection. False with PF_ERROR_CONFIG. */
bool machine_build_memory(PfMachine *machine, const PfMachineUse *use, PfStats *stats,
                          GError **error);
void machine_free_memory(PfMachine *machine);

/* Asserts the invariants of these. */
void machine_check_memory(const PfMachine *machine);

/* What misses ask by machine address. */
PfPort *machine_memory_port(PfMachine *machine);
