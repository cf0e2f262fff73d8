/* The axes of the command line, and the points that axes make. */
#include <string.h>

#include "error.h"
#include "sweep_axes.h"
#include "sweep_range.h"

static const PfSweepAxis *axis_at(const PfSweepAxes *axes, size_t index)
{
    return g_ptr_array_index(axes->axes, index);
}

/* ---- From the command line ---- */

/* TEXT as "FROM..TO*MUL" or "FROM..TO+ADD", which it becomes; false if it is no range at all. */
static bool split_range(char *text, PfSweepRange *ret_range)
{
    char *to = strstr(text, "..");
    if (to == NULL || to == text || !g_ascii_isdigit(text[text[0] == '-']))
        return false;
    *to = '\0';
    to += strlen("..");
    char *step = to + strcspn(to, "*+");
    bool is_mul = *step == '*';
    if (*step != '\0')
        *step++ = '\0';
    *ret_range = (PfSweepRange){text, to, is_mul ? NULL : step, is_mul ? step : NULL};
    return true;
}

/* TEXT up to the next comma that stands in no quotes and no brackets. */
static size_t value_length(const char *text)
{
    int depth = 0;
    bool quoted = false;
    const char *at = text;
    for (; *at != '\0' && (*at != ',' || depth > 0 || quoted); at++) {
        if (*at == '"')
            quoted = !quoted;
        depth += quoted ? 0 : (*at == '(' || *at == '[' || *at == '{');
        depth -= quoted ? 0 : (*at == ')' || *at == ']' || *at == '}');
    }
    return (size_t)(at - text);
}

/* What is the same for all points: it is bound before there are any. */
static bool is_common(const char *key)
{
    static const char *const common[] = {"sweep", "output.dir", "output.figures", "plugins", NULL};
    return g_strv_contains(common, key) || g_str_has_prefix(key, "sweep.") || key[0] == '\0';
}

char *pf_sweep_axes_complaint(const PfSweepAxes *axes, const char *key)
{
    unsigned users = 0;
    for (size_t i = 0; i < axes->axes->len; i++)
        for (char **other = axis_at(axes, i)->keys; *other != NULL; other++)
            users += strcmp(*other, key) == 0;
    if (users > 1)
        return g_strdup_printf("%s is varied twice", key);
    return is_common(key) ? g_strdup_printf("\"%s\" is nothing that points differ in", key) : NULL;
}

bool pf_sweep_axes_add(PfSweepAxes *axes, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0') {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "-x %s: write KEY=VALUE,VALUE or KEY=FROM..TO*FACTOR or KEY=FROM..TO+STEP",
                    text);
        return false;
    }
    PfSweepAxis *axis = pf_sweep_axis_new(axes);
    g_strfreev(axis->keys);
    axis->keys = g_new0(char *, 2);
    axis->keys[0] = g_strndup(text, (gsize)(equals - text));
    g_autofree char *complaint = pf_sweep_axes_complaint(axes, axis->keys[0]);
    if (complaint != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-x: %s", complaint);
        return false;
    }
    g_autofree char *whole = g_strdup(equals + 1);
    PfSweepRange range;
    if (split_range(whole, &range)) {
        g_autoptr(GError) cause = NULL;
        g_auto(GStrv) values = pf_sweep_range_values(&range, &cause);
        if (values == NULL)
            g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "-x %s: %s", text, cause->message);
        for (char **value = values; value != NULL && *value != NULL; value++)
            pf_sweep_axis_add(axis, *value);
        return values != NULL;
    }
    for (const char *at = equals + 1;;) {
        size_t length = value_length(at);
        g_autofree char *value = g_strndup(at, length);
        pf_sweep_axis_add(axis, value);
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

/* ---- Points ---- */

uint64_t pf_sweep_axes_points(const PfSweepAxes *axes)
{
    if (axes->axes->len == 0)
        return 0;
    uint64_t points = axis_at(axes, 0)->values->len;
    for (size_t i = 1; i < axes->axes->len && axes->mode == PF_SWEEP_GRID; i++)
        if (__builtin_mul_overflow(points, axis_at(axes, i)->values->len, &points))
            return UINT64_MAX;
    return points;
}

bool pf_sweep_axes_check_limit(const PfSweepAxes *axes, GError **error)
{
    uint64_t points = pf_sweep_axes_points(axes);
    if (points <= axes->limit)
        return true;
    g_autoptr(GString) product = g_string_new(NULL);
    for (size_t i = 0; i < axes->axes->len && axes->mode == PF_SWEEP_GRID; i++)
        g_string_append_printf(product, "%s%u", i > 0 ? " x " : "", axis_at(axes, i)->values->len);
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "sweep: %" G_GUINT64_FORMAT " points%s%s%s are more than the limit of "
                "%" G_GUINT64_FORMAT "; give fewer values, or %s",
                points, product->len > 0 ? " (" : "", product->str, product->len > 0 ? ")" : "",
                axes->limit,
                axes->axes->len > 0 && axis_at(axes, 0)->place == NULL
                    ? "write a sweep with a higher limit into the configuration"
                    : "raise sweep.limit");
    return false;
}

size_t pf_sweep_axes_index(const PfSweepAxes *axes, uint64_t point, size_t axis)
{
    if (axes->mode != PF_SWEEP_GRID)
        return point;
    for (size_t i = axes->axes->len - 1; i > axis; i--)
        point /= axis_at(axes, i)->values->len;
    return point % axis_at(axes, axis)->values->len;
}

const char *pf_sweep_axes_text(const PfSweepAxes *axes, uint64_t point, size_t axis, size_t key)
{
    char *const *texts =
        g_ptr_array_index(axis_at(axes, axis)->values, pf_sweep_axes_index(axes, point, axis));
    return texts[key];
}
