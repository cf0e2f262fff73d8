#include "place.h"

#include <string.h>

const char place_quick_trace[] = "pagefold-trace 1\n"
                                  "grain page\n"
                                  "context a vm memory=1MiB\n"
                                  "map a 0x0 64 anon mergeable\n"
                                  "fill a 0x0 16 id:7\n"
                                  "fill a 0x10000 16 id:8 step=1\n"
                                  "idle a 10s\n"
                                  "mark \"end\"\n";

void place_configure(const char *place, const char *name, const char *sweep)
{
    g_autofree char *text = g_strdup_printf("trace = \"quick.trace\";\n"
                                            "policies = ( { name = \"ksm\"; } );\n"
                                            "sweep = { %s };\n",
                                            sweep);
    spawn_write(place, name, text);
}

char *place_make(void)
{
    char *place = g_dir_make_tmp("pagefold-sweep-XXXXXX", NULL);
    spawn_write(place, "quick.trace", place_quick_trace);
    place_configure(place, "grid.cfg",
                 "axes = (\n{ key = \"policies.ksm.pages_to_scan\"; "
                 "range = { from = 1; to = 4; mul = 2; }; },\n"
                 "{ key = \"machine.core.cpi\"; values = (0.5, 1.0); } );");
    return place;
}

unsigned place_count(const char *text, const char *wanted)
{
    unsigned count = 0;
    for (const char *at = text; at != NULL && (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

bool place_same_file(const char *place, const char *one, const char *other, const char *name)
{
    g_autofree char *first_name = g_build_filename(one, name, NULL);
    g_autofree char *second_name = g_build_filename(other, name, NULL);
    g_autofree char *first = spawn_read(place, first_name);
    g_autofree char *second = spawn_read(place, second_name);
    return first != NULL && g_strcmp0(first, second) == 0;
}

char *place_find_id(const char *place, const char *sweep, unsigned point)
{
    g_autofree char *name = g_build_filename(sweep, "points.csv", NULL);
    g_autofree char *text = spawn_read(place, name);
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
    if (g_strv_length(lines) <= point + 1)
        return g_strdup("none");
    g_auto(GStrv) cells = g_strsplit(lines[point + 1], ",", -1);
    return g_strdup(cells[1]);
}
