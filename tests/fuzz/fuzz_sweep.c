/* Feeds bytes to the section `sweep` of a configuration and to -x: each is refused with an error,
 * or makes points whose values can be asked for. */
#include <stdint.h>
#include <string.h>

#include "sweep_axes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More than that are told to be too many, and never made. */
enum { POINTS_LOOKED_AT = 1000 };

static void look_at_points(const PfSweepAxes *axes)
{
    uint64_t points = pf_sweep_axes_points(axes);
    g_autoptr(GError) error = NULL;
    if (pf_sweep_axes_check_limit(axes, &error) != (points <= axes->limit))
        g_error("the limit is not kept");
    for (uint64_t point = 0; point < MIN(points, POINTS_LOOKED_AT); point++)
        for (size_t axis = 0; axis < axes->axes->len; axis++) {
            const PfSweepAxis *one = g_ptr_array_index(axes->axes, axis);
            for (size_t key = 0; one->keys[key] != NULL; key++) {
                const char *text = pf_sweep_axes_text(axes, point, axis, key);
                g_assert(text == NULL || g_utf8_validate(text, -1, NULL));
            }
        }
}

static void read_section(const uint8_t *data, size_t size)
{
    g_autoptr(PfConfig) config =
        pf_config_load_text((const char *)data, size, "fuzz", NULL, NULL);
    if (config == NULL)
        return;
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    pf_sweep_axes_bind(axes, config);
    if (!pf_config_finish(config, NULL))
        return;
    look_at_points(axes);
    g_autofree char *dump = pf_config_dump(config, false, NULL);
    g_autoptr(PfConfig) again = pf_config_load_text(dump, strlen(dump), "dump", NULL, NULL);
    g_assert(again != NULL);
    g_autoptr(PfSweepAxes) same = pf_sweep_axes_new();
    pf_sweep_axes_bind(same, again);
    if (pf_sweep_axes_points(same) != pf_sweep_axes_points(axes))
        g_error("a dump makes other points:\n%s", dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_section(data, size);
    g_autofree char *bytes = g_strndup((const char *)data, MIN(size, 200));
    g_autofree char *text = g_utf8_make_valid(bytes, -1);
    g_autofree char *option = g_strconcat("key=", text, NULL);
    g_autoptr(PfSweepAxes) axes = pf_sweep_axes_new();
    if (pf_sweep_axes_add(axes, option, NULL))
        look_at_points(axes);
    return 0;
}
