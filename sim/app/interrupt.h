/* Ctrl-C: the first asks the work to stop at a good place, the second ends the program. */
#pragma once

/* From now on SIGINT and SIGTERM set *INTERRUPTED (atomically) instead of ending the program; a
 * second one ends it as if nobody had asked. INTERRUPTED must live as long as the program. To be
 * called before other threads are started: they inherit that the signals are not theirs. */
void pf_interrupt_watch(int *interrupted);

/* Makes SIGINT and SIGTERM ordinary again in the calling process: for what a child does between
 * fork and exec. A GSpawnChildSetupFunc; USER is not used. */
void pf_interrupt_child_setup(void *user);
