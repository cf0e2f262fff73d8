/* Numbers with units, exactly: "13.75ns" is 13750 ps by integer arithmetic, never by a double. */
#include <string.h>

#include "config_tree.h"
#include "error.h"
#include "units.h"

typedef struct {
    const char *name;
    uint64_t scale; /* base units in one */
} Unit;

/* Each list ends with a NULL name; units that pf_format_quantity may write come in order of size.
 */
static const Unit size_units[] = {
    {"B", 1},           {"kB", 1000},          {"KB", 1000},    {"MB", 1000000},
    {"GB", 1000000000}, {"TB", 1000000000000}, {"KiB", PF_KIB}, {"MiB", PF_MIB},
    {"GiB", PF_GIB},    {"TiB", PF_TIB},       {NULL, 0},
};

static const Unit time_units[] = {
    {"ps", 1},
    {"ns", PF_PS_PER_NS},
    {"us", 1000 * PF_PS_PER_NS},
    {"ms", 1000000 * PF_PS_PER_NS},
    {"s", PF_PS_PER_SECOND},
    {"min", 60 * PF_PS_PER_SECOND},
    {NULL, 0},
};

static const Unit frequency_units[] = {
    {"Hz", 1}, {"kHz", 1000}, {"MHz", 1000000}, {"GHz", 1000000000}, {NULL, 0},
};

static const Unit bandwidth_units[] = {
    {"B/s", 1},
    {"kB/s", 1000},
    {"MB/s", 1000000},
    {"GB/s", 1000000000},
    {"TB/s", 1000000000000},
    {"KB/s", 1000},
    {"KiB/s", PF_KIB},
    {"MiB/s", PF_MIB},
    {"GiB/s", PF_GIB},
    {NULL, 0},
};

static const Unit no_units[] = {{NULL, 0}};

/* What a type is called in messages, its smallest part, and its units. */
typedef struct {
    const char *name;
    const char *base;
    const Unit *units;
} Dimension;

static const Dimension *dimension_of(PfConfigType type)
{
    static const Dimension dimensions[] = {
        [PF_CONFIG_UINT] = {"an integer", "units", no_units},
        [PF_CONFIG_SIZE] = {"a size", "bytes", size_units},
        [PF_CONFIG_TIME] = {"a time", "picoseconds", time_units},
        [PF_CONFIG_FREQUENCY] = {"a frequency", "hertz", frequency_units},
        [PF_CONFIG_BANDWIDTH] = {"a rate", "bytes a second", bandwidth_units},
    };

    g_assert((size_t)type < G_N_ELEMENTS(dimensions));
    g_assert(dimensions[type].name != NULL);
    return &dimensions[type];
}

static bool refuse(GError **error, const char *text, const char *why)
{
    g_autofree char *shown = g_strndup(text, 40);
    g_autofree char *valid = g_utf8_make_valid(shown, -1);
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "\"%s\"%s", valid, why);
    return false;
}

static char *unit_names(const Dimension *dimension)
{
    GString *names = g_string_new(NULL);
    for (const Unit *unit = dimension->units; unit->name != NULL; unit++)
        g_string_append_printf(names, "%s%s", unit == dimension->units ? "" : ", ", unit->name);
    return g_string_free(names, FALSE);
}

/* The unit at TEXT's AT. NULL with an error. IS_ZERO: the number before it needs none. */
static const Unit *find_unit(const Dimension *dimension, PfConfigType type, const char *text,
                             const char *at, bool is_zero, GError **error)
{
    static const Unit one = {"", 1};

    bool can_lack = type == PF_CONFIG_UINT || type == PF_CONFIG_SIZE || is_zero;
    if (*at == '\0' && can_lack)
        return &one;
    for (const Unit *unit = dimension->units; *at != '\0' && unit->name != NULL; unit++)
        if (strcmp(unit->name, at) == 0)
            return unit;
    g_autofree char *names = unit_names(dimension);
    g_autofree char *why =
        type == PF_CONFIG_UINT ? g_strdup(" is no plain integer; this takes no unit")
        : *at == '\0'          ? g_strdup_printf(": %s needs a unit (%s)", dimension->name, names)
                      : g_strdup_printf(": %s has one of the units %s", dimension->name, names);
    refuse(error, text, why);
    return NULL;
}

/* A decimal number as MANTISSA / 10^FRACTION_DIGITS. */
typedef struct {
    PfUint128 mantissa;
    unsigned fraction_digits;
} Decimal;

/* 24 digits times the largest unit (60e12) stay below 2^128. */
enum { DIGITS_MAX = 24 };

static bool parse_decimal(const char *text, const char **ret_end, Decimal *ret_decimal,
                          GError **error)
{
    size_t whole = strspn(text, "0123456789");
    const char *fraction_text = text + whole + 1;
    size_t fraction = text[whole] == '.' ? strspn(fraction_text, "0123456789") : 0;
    if (text[0] == '-')
        return refuse(error, text, " is negative");
    if (whole == 0 || (text[whole] == '.' && fraction == 0))
        return refuse(error, text, " does not begin with a number");
    *ret_end = text + whole + (text[whole] == '.' ? 1 + fraction : 0);
    while (fraction > 0 && fraction_text[fraction - 1] == '0')
        fraction--;
    size_t zeros = MIN(strspn(text, "0"), whole - 1);
    if (whole - zeros + fraction > DIGITS_MAX)
        return refuse(error, text, fraction > 0 ? " has too many digits" : " is too large");
    PfUint128 mantissa = 0;
    for (size_t i = zeros; i < whole; i++)
        mantissa = mantissa * 10 + (unsigned)(text[i] - '0');
    for (size_t i = 0; i < fraction; i++)
        mantissa = mantissa * 10 + (unsigned)(fraction_text[i] - '0');
    *ret_decimal = (Decimal){mantissa, (unsigned)fraction};
    return true;
}

bool pf_parse_quantity(const char *text, PfConfigType type, uint64_t *ret_value, GError **error)
{
    const Dimension *dimension = dimension_of(type);
    const char *end = NULL;
    Decimal decimal = {0, 0};
    if (!parse_decimal(text, &end, &decimal, error))
        return false;
    while (*end == ' ' && end[1] != '\0')
        end++;
    const Unit *unit = find_unit(dimension, type, text, end, decimal.mantissa == 0, error);
    if (unit == NULL)
        return false;
    PfUint128 divisor = 1;
    for (unsigned i = 0; i < decimal.fraction_digits; i++)
        divisor *= 10;
    PfUint128 value = decimal.mantissa * unit->scale;
    if (value % divisor != 0) {
        g_autofree char *why = g_strdup_printf(" is no whole number of %s", dimension->base);
        return refuse(error, text, why);
    }
    value /= divisor;
    if (value > UINT64_MAX)
        return refuse(error, text, " is too large");
    *ret_value = (uint64_t)value;
    return true;
}

/* VALUE in UNIT with at most three digits behind the point, or NULL if that is not exact. */
static char *format_in(uint64_t value, const Unit *unit)
{
    uint64_t whole = value / unit->scale;
    PfUint128 rest = (PfUint128)(value % unit->scale) * 1000;
    if (rest % unit->scale != 0)
        return NULL;
    unsigned thousandths = (unsigned)(rest / unit->scale);
    if (thousandths == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT "%s", whole, unit->name);
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%" G_GUINT64_FORMAT ".%03u", whole, thousandths);
    while (text->str[text->len - 1] == '0')
        g_string_truncate(text, text->len - 1);
    g_string_append(text, unit->name);
    return g_string_free(text, FALSE);
}

/* Sizes: the largest binary unit that divides VALUE, else a plain integer. */
static char *format_size(uint64_t value)
{
    static const Unit binary[] = {
        {"TiB", PF_TIB}, {"GiB", PF_GIB}, {"MiB", PF_MIB}, {"KiB", PF_KIB}};

    for (unsigned i = 0; i < G_N_ELEMENTS(binary); i++)
        if (value != 0 && value % binary[i].scale == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT "%s", value / binary[i].scale,
                                   binary[i].name);
    return g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

char *pf_format_quantity(PfConfigType type, uint64_t value)
{
    const Dimension *dimension = dimension_of(type);
    if (type == PF_CONFIG_UINT)
        return g_strdup_printf("%" G_GUINT64_FORMAT, value);
    if (type == PF_CONFIG_SIZE)
        return format_size(value);
    char *best = NULL;
    uint64_t scale = 0;
    for (const Unit *unit = dimension->units; unit->name != NULL; unit++) {
        bool decimal = unit->scale > scale && strchr(unit->name, 'i') == NULL;
        char *text =
            decimal && (unit->scale <= value || best == NULL) ? format_in(value, unit) : NULL;
        if (text == NULL)
            continue;
        g_free(best);
        best = text;
        scale = unit->scale;
    }
    g_assert(best != NULL);
    return best;
}
