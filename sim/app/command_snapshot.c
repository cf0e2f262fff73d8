#include "commands.h"
static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    (void)app; (void)command; (void)argc; (void)argv; (void)error;
    return 2;
}
const PfCommand pf_command_trace_snapshot = {.name = "trace snapshot", .arguments = "PID...", .summary = "x", .examples = "", .arguments_min = 1, .run = run};
