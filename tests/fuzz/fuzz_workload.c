/* Feeds bytes to the generator of workloads: as the text of a configuration or, where that does not
 * parse, as assignments to the keys of one that is right, one a line. What is accepted and small is
 * written, and must then be a trace that the writer accepts. */
#include <stdint.h>
#include <string.h>

#include "workload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 1 << 12, PAGE_BYTES_MAX = 1 << 14 };

static const char right[] =
    "workload = { page = 64; contexts = ( "
    "{ name = \"a\"; count = 2; memory = \"4KiB\"; used = 0.9; zero = 0.2; duplicates = 0.1; "
    "pinned = 0.1; common = ( { set = \"s\"; share = 0.2; }, { set = \"t\"; share = 0.1; } ); }, "
    "{ name = \"b\"; memory = \"2KiB\"; unit = \"pages\"; used = 30; zero = 3; } ); phases = ( "
    "{ time = \"1s\"; step = \"100ms\"; writes = ( { rate = 10; }, { from = \"s\"; rate = 3; } ); "
    "} "
    "); };";

static PfConfig *load(const char *text, size_t size)
{
    PfConfig *config = pf_config_load_text(text, size, "fuzz", NULL, NULL);
    if (config != NULL)
        return config;
    config = pf_config_load_text(right, strlen(right), "right", NULL, NULL);
    g_autofree char *copy = g_strndup(text, size);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", 64);
    for (char **line = lines; *line != NULL; line++)
        pf_config_override(config, *line, NULL);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = load((const char *)data, size);
    g_autoptr(PfWorkload) workload = pf_workload_new(config);
    if (!pf_config_finish(config, &error)) {
        g_assert(error->message[0] != '\0');
        return 0;
    }
    if (pf_workload_steps(workload) > STEPS_MAX ||
        pf_workload_page_bytes(workload) > PAGE_BYTES_MAX)
        return 0;
    PfTraceHeader header = {.page_bytes = pf_workload_page_bytes(workload)};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new("/dev/null", PF_TRACE_BINARY, &header, &error);
    PfWorkloadOptions options = {.interrupted = NULL};
    if (writer == NULL || !pf_workload_write(workload, writer, &options, &error) ||
        !pf_trace_writer_finish(writer, &error))
        g_error("a workload that was accepted is not written: %s", error->message);
    return 0;
}
