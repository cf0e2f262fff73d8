/* Where axes begin and end. */
#include <math.h>

#include "chart_internal.h"

/* Axes of this many tics or so. */
static const double tics_wanted = 5.0;
static const double tics_wanted_low = 4.0; /* in a low panel */

typedef struct {
    double least;
    double most;
} Span;

static void span_add(Span *span, const PfAxis *axis, double value)
{
    if (!isfinite(value) || (axis->logarithmic && !(value > 0.0)))
        return;
    span->least = MIN(span->least, value);
    span->most = MAX(span->most, value);
}

static Span find_span(const PfPanel *panel, bool is_x)
{
    const PfAxis *axis = is_x ? &panel->x : &panel->y;
    Span span = {HUGE_VAL, -HUGE_VAL};
    for (guint s = 0; s < panel->series->len; s++) {
        const PfSeries *series = panel->series->pdata[s];
        for (guint i = 0; i < series->points->len; i++) {
            const Point *point = &g_array_index(series->points, Point, i);
            if (!isfinite(point->x) || !isfinite(point->y))
                continue;
            span_add(&span, axis, is_x ? point->x : point->y);
            if (!is_x && isfinite(point->low)) {
                span_add(&span, axis, point->low);
                span_add(&span, axis, point->high);
            }
        }
    }
    const GArray *marked = is_x ? panel->tics : panel->levels;
    for (guint i = 0; i < marked->len; i++)
        span_add(&span, axis, g_array_index(marked, Tic, i).value);
    if (axis->whole && !axis->logarithmic)
        span_add(&span, axis, 0.0);
    if (span.least <= span.most)
        return span;
    return axis->logarithmic ? (Span){1.0, 10.0} : (Span){0.0, 1.0};
}

/* Whether marks stand in the panel, which are not to be cut by its border. */
static bool has_marks(const PfPanel *panel)
{
    for (guint s = 0; s < panel->series->len; s++) {
        PfStyle style = ((const PfSeries *)panel->series->pdata[s])->style;
        if (style == PF_STYLE_POINTS || style == PF_STYLE_MARKED)
            return true;
    }
    return false;
}

bool chart_has_places(const PfPanel *panel)
{
    bool has = panel->tics->len > 0 && !panel->x.logarithmic;
    for (guint i = 0; i < panel->tics->len; i++)
        has &= fabs(g_array_index(panel->tics, Tic, i).value - i) < 0.5;
    return has;
}

static Range logarithmic_range(Span span)
{
    const double margin = 1.15;
    return (Range){.low = span.least / margin, .high = span.most * margin};
}

/* Ends at multiples of the step, where that is not too far off. */
static Range linear_range(Span span, double tics, bool exact)
{
    double width = span.most - span.least;
    if (!(width > 0.0)) {
        width = span.most != 0.0 ? fabs(span.most) / 10.0 : 1.0;
        span.least -= span.least > 0.0 || span.least < 0.0 ? width / 2.0 : 0.0;
        span.most += width / 2.0;
    }
    double step = pf_sheet_nice(width / tics);
    const double slack = 1e-9;
    if (exact)
        return (Range){.low = span.least, .high = span.most, .step = step};
    return (Range){.low = floor(span.least / step + slack) * step,
                   .high = ceil(span.most / step - slack) * step,
                   .step = step};
}

void chart_set_ranges(PfPanel *panel)
{
    for (unsigned i = 0; i < 2; i++) {
        bool is_x = i == 0;
        const PfAxis *axis = is_x ? &panel->x : &panel->y;
        Range *range = is_x ? &panel->x_range : &panel->y_range;
        Span span = find_span(panel, is_x);
        PfScale scale = pf_scale_for(axis->unit, MAX(fabs(span.least), fabs(span.most)));
        span.least *= scale.factor;
        span.most *= scale.factor;
        if (is_x && chart_has_places(panel)) {
            *range = (Range){span.least - 0.5, span.most + 0.5, 1.0, scale};
            continue;
        }
        bool marks = has_marks(panel);
        double tics = !is_x && panel->lines > 0 && panel->lines < 10 ? tics_wanted_low
                                                                     : tics_wanted;
        *range = axis->logarithmic ? logarithmic_range(span)
                                   : linear_range(span, tics, is_x || marks);
        if (marks && !axis->logarithmic) {
            double margin = (range->high - range->low) * (is_x ? 0.03 : 0.05);
            range->high += margin;
            range->low -= axis->whole && !(span.least < 0.0) && is_x ? 0.0 : margin;
        }
        range->scale = scale;
    }
}

double chart_share(const PfAxis *axis, const Range *range, double value)
{
    double drawn = value * range->scale.factor;
    if (!axis->logarithmic)
        return (drawn - range->low) / (range->high - range->low);
    return drawn > 0.0 ? log(drawn / range->low) / log(range->high / range->low) : 0.0;
}
