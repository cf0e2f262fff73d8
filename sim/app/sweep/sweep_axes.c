#include "sweep_axes.h"

#include <string.h>

#include "error.h"
#include "presets.h"
#include "sweep_range.h"

static const char *const modes[] = {"grid", "zip", "list", NULL};

/* The section, and one element of its axes, as bound. */
typedef struct {
    char **points;
    uint64_t repeat;
    uint64_t limit;
    int mode;
} Sweep;

typedef struct {
    char *key;
    char **keys;
    char **values;
    char *each;
} Axis;

typedef struct {
    char **from;
    char **to;
    char **add;
    char **mul;
} Range;

#define AT(type, member) .offset = offsetof(type, member)

static const PfConfigField sweep_fields[] = {
    {.key = "mode", .type = PF_CONFIG_ENUM, AT(Sweep, mode), .standard = "grid", .choices = modes,
     .description = "grid: every value of an axis with every value of the others; zip: the first "
                    "values of all axes, then the second ...; list: the points are listed."},
    {.key = "points", .type = PF_CONFIG_VALUES, AT(Sweep, points),
     .description = "mode = list: each point as settings, (\"KEY=VALUE\", ...)."},
    {.key = "repeat", .type = PF_CONFIG_UINT, AT(Sweep, repeat), .standard = "1", .min = 1,
     .max = 1000, .unit = "runs",
     .description = "Runs of each point, each with another seed; the first has the given one."},
    {.key = "limit", .type = PF_CONFIG_UINT, AT(Sweep, limit), .standard = "1000", .min = 1,
     .max = 100000, .unit = "points",
     .description = "More points than this are an error: a grid grows faster than one thinks."},
};

static const PfConfigField axis_fields[] = {
    {.key = "key", .type = PF_CONFIG_STRING, AT(Axis, key),
     .description = "What the axis varies: \"machine.cam.entries\", "
                    "\"policies.ksm.pages_to_scan\"."},
    {.key = "keys", .type = PF_CONFIG_STRINGS, AT(Axis, keys),
     .description = "... or several that change together; each value is then a list (1, 2)."},
    {.key = "values", .type = PF_CONFIG_VALUES, AT(Axis, values),
     .description = "The values that it takes."},
    {.key = "each", .type = PF_CONFIG_STRING, AT(Axis, each),
     .description = "... or, where `key` is a group, a preset or file: first nothing is changed, "
                    "then each key that it sets in this group alone, and then all of them."},
};

static const PfConfigField range_fields[] = {
    {.key = "from", .type = PF_CONFIG_VALUES, AT(Range, from),
     .description = "The first value; it may have a unit."},
    {.key = "to", .type = PF_CONFIG_VALUES, AT(Range, to),
     .description = "No value lies beyond it."},
    {.key = "add", .type = PF_CONFIG_VALUES, AT(Range, add),
     .description = "What is added to a value for the next one."},
    {.key = "mul", .type = PF_CONFIG_VALUES, AT(Range, mul),
     .description = "... or by what it is multiplied."},
};

static void free_axis(gpointer data)
{
    PfSweepAxis *axis = data;
    unsigned count = g_strv_length(axis->keys);
    for (unsigned i = 0; i < axis->values->len; i++) {
        char **texts = axis->values->pdata[i];
        for (unsigned key = 0; key < count; key++)
            g_free(texts[key]);
        g_free(texts);
    }
    g_ptr_array_unref(axis->values);
    g_strfreev(axis->keys);
    g_free(axis);
}

PfSweepAxis *pf_sweep_axis_new(PfSweepAxes *axes)
{
    PfSweepAxis *axis = g_new0(PfSweepAxis, 1);
    axis->values = g_ptr_array_new();
    axis->keys = g_new0(char *, 1);
    g_ptr_array_add(axes->axes, axis);
    return axis;
}

PfSweepAxes *pf_sweep_axes_new(void)
{
    PfSweepAxes *axes = g_new0(PfSweepAxes, 1);
    axes->axes = g_ptr_array_new_with_free_func(free_axis);
    axes->repeat = 1;
    axes->limit = 1000;
    return axes;
}

void pf_sweep_axes_free(PfSweepAxes *axes)
{
    if (axes == NULL)
        return;
    g_ptr_array_unref(axes->axes);
    g_free(axes);
}

void pf_sweep_axis_add(PfSweepAxis *axis, const char *text)
{
    char **texts = g_new0(char *, 2);
    texts[0] = g_strdup(text);
    g_ptr_array_add(axis->values, texts);
}

static const PfSweepAxis *axis_at(const PfSweepAxes *axes, size_t index)
{
    return g_ptr_array_index(axes->axes, index);
}

/* ---- From a configuration ---- */

/* The one value of VALUES without quotes, or NULL. */
static char *single(char **values)
{
    return values != NULL && g_strv_length(values) == 1 ? pf_config_unquoted(values[0]) : NULL;
}

static void read_range(PfSweepAxis *axis, PfConfigSection *section, const Range *range)
{
    g_autofree char *from = single(range->from);
    g_autofree char *to = single(range->to);
    g_autofree char *add = single(range->add);
    g_autofree char *mul = single(range->mul);
    if (from == NULL || to == NULL || (add == NULL) == (mul == NULL)) {
        pf_config_complain(section, "range",
                           "write { from = 1; to = 8; add = 1; }, or mul = 2 instead of add");
        return;
    }
    PfSweepRange given = {from, to, add, mul};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) values = pf_sweep_range_values(&given, &error);
    if (values == NULL)
        pf_config_complain(section, "range", "%s", error->message + strlen("range: "));
    for (char **value = values; value != NULL && *value != NULL; value++)
        pf_sweep_axis_add(axis, *value);
}

/* A value of tied keys has one part for each. */
static void read_values(PfSweepAxis *axis, PfConfigSection *section, char **values)
{
    unsigned count = g_strv_length(axis->keys);
    for (char **value = values; *value != NULL; value++) {
        if (count == 1) {
            pf_sweep_axis_add(axis, *value);
            continue;
        }
        char **parts = pf_config_elements(*value);
        if (g_strv_length(parts) == count) {
            g_ptr_array_add(axis->values, parts);
            continue;
        }
        pf_config_complain(section, "values", "%s has %u parts for %u keys", *value,
                           g_strv_length(parts), count);
        g_strfreev(parts);
    }
    if (values[0] == NULL)
        pf_config_complain(section, "values", "there is none");
}

/* What the configuration NAME sets in the group that AXIS varies: nothing of it, each, all. */
static void read_each(PfSweepAxis *axis, PfConfigSection *section, const char *name)
{
    const char *preset = pf_preset_text(name);
    g_autofree char *path = pf_config_path(section, "each");
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) other =
        preset != NULL
            ? pf_config_load_text(preset, strlen(preset), name, pf_preset_text, &error)
            : pf_config_load(path, pf_preset_text, &error);
    if (other == NULL) {
        pf_config_complain(section, "each", "%s", error->message);
        return;
    }
    g_auto(GStrv) settings = pf_config_settings(pf_config_section(other, axis->keys[0]));
    if (settings[0] == NULL)
        pf_config_complain(section, "each", "%s sets nothing in %s", name, axis->keys[0]);
    pf_sweep_axis_add(axis, NULL);
    for (char **setting = settings; *setting != NULL; setting++) {
        g_autofree char *alone = g_strdup_printf("{ %s }", *setting);
        pf_sweep_axis_add(axis, alone);
    }
    g_autofree char *all = g_strjoinv(" ", settings);
    g_autofree char *group = g_strdup_printf("{ %s }", all);
    if (g_strv_length(settings) > 1)
        pf_sweep_axis_add(axis, group);
}

static void check_key(const PfSweepAxes *axes, PfConfigSection *section, const char *key)
{
    g_autofree char *complaint = pf_sweep_axes_complaint(axes, key);
    if (complaint != NULL)
        pf_config_complain(section, NULL, "%s", complaint);
}

static void read_axis(PfSweepAxes *axes, PfConfigSection *section)
{
    Axis said = {0};
    Range range = {0};
    pf_config_bind(section, axis_fields, G_N_ELEMENTS(axis_fields), &said);
    pf_config_bind(pf_config_subsection(section, "range"), range_fields,
                   G_N_ELEMENTS(range_fields), &range);
    PfSweepAxis *axis = pf_sweep_axis_new(axes);
    axis->place = section;
    char *alone[] = {said.key, NULL};
    g_strfreev(axis->keys);
    axis->keys = g_strdupv(said.keys != NULL ? said.keys : alone);
    if ((said.key == NULL) == (said.keys == NULL) || axis->keys[0] == NULL) {
        pf_config_complain(section, NULL, "an axis has either key = \"KEY\" or keys = (\"KEY\", "
                                          "...)");
        return;
    }
    for (char **key = axis->keys; *key != NULL; key++)
        check_key(axes, section, *key);
    bool has_range = pf_config_is_set(section, "range");
    int ways = has_range + (said.values != NULL) + (said.each != NULL);
    if (ways != 1 || (said.values == NULL && axis->keys[1] != NULL)) {
        pf_config_complain(section, NULL, "an axis has either values = (...) or, of one key, "
                                          "range = { ... } or each = \"PRESET\"");
        return;
    }
    axis->place_key = has_range ? "range" : said.each != NULL ? "each" : "values";
    if (has_range)
        read_range(axis, section, &range);
    else if (said.each != NULL)
        read_each(axis, section, said.each);
    else
        read_values(axis, section, said.values);
}

/* ---- Points that are listed ---- */

/* The settings of POINT, "KEY=VALUE" each; complains of what is none. */
static char **settings_of(PfConfigSection *section, const char *point)
{
    g_auto(GStrv) elements = pf_config_elements(point);
    g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(g_free);
    for (char **element = elements; *element != NULL; element++) {
        g_autofree char *text = pf_config_unquoted(*element);
        if (strchr(text, '=') == NULL || text[0] == '=')
            pf_config_complain(section, "points", "%s is no \"KEY=VALUE\"", *element);
        else
            g_ptr_array_add(settings, g_steal_pointer(&text));
    }
    g_ptr_array_add(settings, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&settings), FALSE);
}

static bool is_setting_of(const char *setting, const char *key)
{
    return g_str_has_prefix(setting, key) && setting[strlen(key)] == '=';
}

/* All keys that some point sets, in the order in which they come. */
static char **keys_of(PfConfigSection *section, char **points)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    for (char **point = points; *point != NULL; point++) {
        g_auto(GStrv) settings = settings_of(section, *point);
        for (char **setting = settings; *setting != NULL; setting++) {
            bool known = false;
            for (unsigned i = 0; i < keys->len && !known; i++)
                known = is_setting_of(*setting, keys->pdata[i]);
            if (!known)
                g_ptr_array_add(keys,
                                g_strndup(*setting, (gsize)(strchr(*setting, '=') - *setting)));
        }
    }
    g_ptr_array_add(keys, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}

static void read_points(PfSweepAxes *axes, PfConfigSection *section, char **points)
{
    PfSweepAxis *axis = pf_sweep_axis_new(axes);
    axis->place = section;
    axis->place_key = "points";
    g_strfreev(axis->keys);
    axis->keys = keys_of(section, points);
    unsigned count = g_strv_length(axis->keys);
    for (char **key = axis->keys; *key != NULL; key++)
        check_key(axes, section, *key);
    for (char **point = points; *point != NULL; point++) {
        g_auto(GStrv) settings = settings_of(section, *point);
        char **texts = g_new0(char *, count + 1);
        for (unsigned key = 0; key < count; key++)
            for (char **setting = settings; *setting != NULL && texts[key] == NULL; setting++)
                if (is_setting_of(*setting, axis->keys[key]))
                    texts[key] = g_strdup(strchr(*setting, '=') + 1);
        g_ptr_array_add(axis->values, texts);
    }
}

/* ---- The whole ---- */

static void check_mode(const PfSweepAxes *axes, PfConfigSection *section, char **points)
{
    size_t count = axes->axes->len;
    if (axes->mode != PF_SWEEP_LIST && points != NULL)
        pf_config_complain(section, "points", "only mode = \"list\" has points; others have axes");
    if (axes->mode == PF_SWEEP_LIST && count != 1)
        pf_config_complain(section, "mode", "a list has either points = ((\"KEY=VALUE\", ...), "
                                            "...) or one axis");
    else if (count == 0)
        pf_config_complain(section, NULL, "there is no axis; write axes = ({ key = \"KEY\"; "
                                          "values = (1, 2); })");
    for (size_t i = 1; i < count && axes->mode == PF_SWEEP_ZIP; i++)
        if (axis_at(axes, i)->values->len != axis_at(axes, 0)->values->len)
            pf_config_complain(section, "mode", "axes that are zipped have as many values each; "
                               "there are %u of %s and %u of %s",
                               axis_at(axes, 0)->values->len, axis_at(axes, 0)->keys[0],
                               axis_at(axes, i)->values->len, axis_at(axes, i)->keys[0]);
}

void pf_sweep_axes_bind(PfSweepAxes *axes, PfConfig *config)
{
    PfConfigSection *section = pf_config_section(config, "sweep");
    Sweep sweep = {0};
    pf_config_bind(section, sweep_fields, G_N_ELEMENTS(sweep_fields), &sweep);
    axes->mode = sweep.mode;
    axes->repeat = sweep.repeat;
    axes->limit = sweep.limit;
    size_t count = pf_config_list_length(section, "axes");
    for (size_t i = 0; i < count; i++)
        read_axis(axes, pf_config_list_section(section, "axes", i));
    if (sweep.mode == PF_SWEEP_LIST && sweep.points != NULL)
        read_points(axes, section, sweep.points);
    check_mode(axes, section, sweep.points);
}
