#include "sweep_range.h"

#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "error.h"
#include "units.h"

/* MANTISSA / 10^DIGITS. */
typedef struct {
    int64_t mantissa;
    unsigned digits;
} Decimal;

enum { DIGITS_MAX = 9 };

/* What all values of a range have in common. */
typedef struct {
    char *unit;     /* of FROM, "" for a plain number; owned */
    char *smallest; /* the unit that the arithmetic is in; owned */
    uint64_t scale; /* of these in one of FROM's */
    PfConfigType type;
    bool is_quantity;
    bool has_point;
} Form;

static void clear_form(Form *form)
{
    g_free(form->unit);
    g_free(form->smallest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Form, clear_form)

static bool refuse(GError **error, const char *text, const char *why)
{
    g_autofree char *shown = g_utf8_make_valid(text, (gssize)MIN(strlen(text), 40));
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "range: %s %s", shown, why);
    return false;
}

static int64_t power_of_ten(unsigned exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* TEXT, "[-]DIGITS[.DIGITS]" and nothing else. */
static bool parse_decimal(const char *text, Decimal *ret_decimal, GError **error)
{
    bool negative = text[0] == '-';
    const char *at = text + negative;
    Decimal decimal = {0, 0};
    bool fraction = false;
    bool any = false;
    for (; g_ascii_isdigit(*at) || (*at == '.' && !fraction); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        any = true;
        decimal.digits += fraction;
        if (decimal.digits > DIGITS_MAX ||
            __builtin_mul_overflow(decimal.mantissa, 10, &decimal.mantissa) ||
            __builtin_add_overflow(decimal.mantissa, *at - '0', &decimal.mantissa))
            return refuse(error, text, "has too many digits");
    }
    at += (*at == 'L') + (*at == 'L' && at[1] == 'L');
    if (!any || *at != '\0')
        return refuse(error, text, "is no number");
    if (negative)
        decimal.mantissa = -decimal.mantissa;
    *ret_decimal = decimal;
    return true;
}

/* A times B, without zeros at its end. */
static bool multiply(Decimal a, Decimal b, Decimal *ret_product)
{
    if (__builtin_mul_overflow(a.mantissa, b.mantissa, &a.mantissa))
        return false;
    a.digits += b.digits;
    while (a.digits > 0 && a.mantissa % 10 == 0) {
        a.mantissa /= 10;
        a.digits--;
    }
    *ret_product = a;
    return a.digits <= DIGITS_MAX;
}

static bool add(Decimal a, Decimal b, Decimal *ret_sum)
{
    unsigned digits = MAX(a.digits, b.digits);
    if (__builtin_mul_overflow(a.mantissa, power_of_ten(digits - a.digits), &a.mantissa) ||
        __builtin_mul_overflow(b.mantissa, power_of_ten(digits - b.digits), &b.mantissa) ||
        __builtin_add_overflow(a.mantissa, b.mantissa, &a.mantissa))
        return false;
    a.digits = digits;
    *ret_sum = a;
    return true;
}

static int compare(Decimal a, Decimal b)
{
    unsigned digits = MAX(a.digits, b.digits);
    __extension__ __int128 left = a.mantissa;
    __extension__ __int128 right = b.mantissa;
    left *= power_of_ten(digits - a.digits);
    right *= power_of_ten(digits - b.digits);
    return (left > right) - (left < right);
}

/* What FROM says of the form of all. */
static bool find_form(const char *from, Form *form, GError **error)
{
    static const PfConfigType types[] = {PF_CONFIG_SIZE, PF_CONFIG_TIME, PF_CONFIG_FREQUENCY,
                                         PF_CONFIG_BANDWIDTH};
    static const char *const smallest[] = {"B", "ps", "Hz", "B/s"};

    size_t number = strspn(from, "-0123456789.L");
    form->unit = g_strdup(from + number);
    form->is_quantity = form->unit[0] != '\0';
    form->scale = 1;
    if (!form->is_quantity)
        return true;
    g_strstrip(form->unit);
    g_autofree char *one = g_strconcat("1", form->unit, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!pf_parse_quantity(one, types[i], &form->scale, NULL))
            continue;
        form->type = types[i];
        form->smallest = g_strdup(smallest[i]);
        return true;
    }
    return refuse(error, from, "is no number, size, time, frequency or rate");
}

/* TEXT in the smallest unit of FORM. */
static bool parse_value(const Form *form, const char *text, Decimal *ret_value, GError **error)
{
    if (!form->is_quantity)
        return parse_decimal(text, ret_value, error);
    uint64_t value;
    if (!pf_parse_quantity(text, form->type, &value, error)) {
        g_prefix_error(error, "range: ");
        return false;
    }
    if (value > INT64_MAX)
        return refuse(error, text, "is too large");
    *ret_value = (Decimal){(int64_t)value, 0};
    return true;
}

static void append_decimal(GString *out, uint64_t mantissa, unsigned digits)
{
    uint64_t one = (uint64_t)power_of_ten(digits);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, mantissa / one);
    if (digits > 0)
        g_string_append_printf(out, ".%0*" G_GUINT64_FORMAT, (int)digits, mantissa % one);
}

/* VALUE, a whole number of the smallest unit, in the unit of FROM. */
static char *write_quantity(const Form *form, int64_t value)
{
    g_autoptr(GString) out = g_string_new("\"");
    for (unsigned digits = 0; digits <= DIGITS_MAX; digits++) {
        PfUint128 scaled = (PfUint128)value * (uint64_t)power_of_ten(digits);
        if (scaled % form->scale != 0 || scaled / form->scale > INT64_MAX)
            continue;
        append_decimal(out, (uint64_t)(scaled / form->scale), digits);
        g_string_append_printf(out, "%s\"", form->unit);
        return g_strdup(out->str);
    }
    g_string_append_printf(out, "%" G_GINT64_FORMAT "%s\"", value, form->smallest);
    return g_strdup(out->str);
}

static char *write_number(const Form *form, Decimal value)
{
    g_autoptr(GString) out = g_string_new(value.mantissa < 0 ? "-" : NULL);
    append_decimal(out, value.mantissa < 0 ? -(uint64_t)value.mantissa : (uint64_t)value.mantissa,
                   value.digits);
    if (value.digits == 0 && form->has_point)
        g_string_append(out, ".0");
    else if (value.digits == 0 && (value.mantissa > INT32_MAX || value.mantissa < INT32_MIN))
        g_string_append_c(out, 'L');
    return g_strdup(out->str);
}

/* STEP leads from FROM to TO. */
static bool check_direction(const PfSweepRange *range, Decimal from, Decimal to, Decimal step,
                            GError **error)
{
    static const Decimal zero = {0, 0};
    static const Decimal one = {1, 0};
    bool is_mul = range->mul != NULL;
    int way = is_mul ? compare(step, one) : compare(step, zero);
    if (way == 0 || (is_mul && compare(step, zero) <= 0))
        return refuse(error, is_mul ? range->mul : range->add,
                      is_mul ? "does not lead on; mul is above 0 and not 1"
                             : "does not lead on; add is not 0");
    if (is_mul && compare(from, zero) <= 0)
        return refuse(error, range->from, "cannot be multiplied; begin above 0, or use add");
    int wanted = compare(to, from);
    if (wanted != 0 && wanted != way)
        return refuse(error, range->to, "is on the other side of `from` than the step leads");
    return true;
}

static char **list_values(const Form *form, const PfSweepRange *range, Decimal from, Decimal to,
                          Decimal step, GError **error)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    int way = compare(to, from);
    int at_end;
    do {
        if (form->is_quantity && from.digits > 0) {
            refuse(error, range->mul, "leads to parts of the smallest unit");
            return NULL;
        }
        if (values->len == PF_SWEEP_VALUES_MAX) {
            refuse(error, range->from, "begins a range of more than a million values");
            return NULL;
        }
        g_ptr_array_add(values, form->is_quantity ? write_quantity(form, from.mantissa)
                                                  : write_number(form, from));
        if (!(range->mul != NULL ? multiply(from, step, &from) : add(from, step, &from))) {
            refuse(error, range->mul != NULL ? range->mul : range->add,
                   "leads to numbers of too many digits");
            return NULL;
        }
        at_end = compare(to, from);
    } while (way != 0 && (at_end == way || at_end == 0));
    g_ptr_array_add(values, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&values), FALSE);
}

char **pf_sweep_range_values(const PfSweepRange *range, GError **error)
{
    g_auto(Form) form = {0};
    const char *step_text = range->mul != NULL ? range->mul : range->add;
    form.has_point = strchr(range->from, '.') != NULL || strchr(step_text, '.') != NULL;
    Decimal from;
    Decimal to;
    Decimal step;
    if (!find_form(range->from, &form, error) || !parse_value(&form, range->from, &from, error) ||
        !parse_value(&form, range->to, &to, error) ||
        !(range->mul != NULL ? parse_decimal(step_text, &step, error)
                             : parse_value(&form, step_text, &step, error)) ||
        !check_direction(range, from, to, step, error))
        return NULL;
    return list_values(&form, range, from, to, step, error);
}
