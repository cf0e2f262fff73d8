#include "dram_map.h"

#include <string.h>

#include "error.h"

/* While it is read: for each bit of each field the address bits whose exclusive or it is. */
typedef struct {
    uint64_t sources[PF_DRAM_FIELDS][32];
    const uint8_t *bits;
    unsigned offset_bits;
} Plan;

enum { ADDRESS_BITS = 64 };

static const char field_names[PF_DRAM_FIELDS][3] = {"ch", "ra", "bg", "ba", "ro", "co"};

static const struct {
    const char *name;
    const char *order;
} named_orders[] = {{"RoBaRaCoCh", "robabgracoch"}, {"ChRaBaRoCo", "chrabgbaroco"}};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "mapping: %s", what);
    return false;
}

static int find_field(const char *text)
{
    for (int i = 0; i < PF_DRAM_FIELDS; i++)
        if (strncmp(text, field_names[i], 2) == 0)
            return i;
    return -1;
}

/* Gives bits FROM .. TO-1 of FIELD the address bits from *BIT on. */
static void lay(Plan *plan, PfDramField field, unsigned from, unsigned to, unsigned *bit)
{
    for (unsigned i = from; i < to; i++)
        plan->sources[field][i] = (uint64_t)1 << (*bit)++;
}

/* Whether TEXT is six fields, each once; then PLAN has them. */
static bool plan_order(Plan *plan, const char *text)
{
    if (strlen(text) != 2 * PF_DRAM_FIELDS)
        return false;
    unsigned seen = 0;
    unsigned bit = plan->offset_bits;
    for (int i = PF_DRAM_FIELDS - 1; i >= 0; i--) {
        int field = find_field(text + 2 * i);
        if (field < 0 || (seen >> field & 1) != 0)
            return false;
        seen |= 1U << field;
        lay(plan, (PfDramField)field, 0, plan->bits[field], &bit);
    }
    return true;
}

/* Lines of four stay together; what selects a bank is mixed with the column. */
static void plan_mop(Plan *plan)
{
    const uint8_t *bits = plan->bits;
    unsigned bit = plan->offset_bits;
    unsigned low = MIN(2, bits[PF_DRAM_COLUMN]);
    lay(plan, PF_DRAM_CHANNEL, 0, bits[PF_DRAM_CHANNEL], &bit);
    lay(plan, PF_DRAM_COLUMN, 0, low, &bit);
    static const PfDramField mixed[] = {PF_DRAM_RANK, PF_DRAM_GROUP, PF_DRAM_BANK};
    for (unsigned i = 0; i < G_N_ELEMENTS(mixed); i++)
        lay(plan, mixed[i], 0, bits[mixed[i]], &bit);
    lay(plan, PF_DRAM_COLUMN, low, bits[PF_DRAM_COLUMN], &bit);
    lay(plan, PF_DRAM_ROW, 0, bits[PF_DRAM_ROW], &bit);
    unsigned column = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(mixed); i++)
        for (unsigned j = 0; j < bits[mixed[i]] && column < bits[PF_DRAM_COLUMN]; j++)
            plan->sources[mixed[i]][j] |= plan->sources[PF_DRAM_COLUMN][column++];
}

/* Reads a number of *TEXT, less than 64, and moves behind it. */
static bool read_bit(const char **text, unsigned *ret_bit)
{
    char *end;
    if (!g_ascii_isdigit(**text))
        return false;
    guint64 value = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    *ret_bit = (unsigned)MIN(value, ADDRESS_BITS);
    return value < ADDRESS_BITS;
}

/* One element of a list at *TEXT, "6-12" or "13^17^21", for FIELD from its bit *COUNT on. */
static bool read_element(Plan *plan, PfDramField field, const char **text, unsigned *count)
{
    unsigned bit;
    if (*count >= plan->bits[field] || !read_bit(text, &bit))
        return false;
    unsigned last = bit;
    if (**text == '-') {
        (*text)++;
        if (!read_bit(text, &last) || last < bit || last - bit >= plan->bits[field] - *count)
            return false;
        for (; bit <= last; bit++)
            plan->sources[field][(*count)++] = (uint64_t)1 << bit;
        return true;
    }
    uint64_t sources = (uint64_t)1 << bit;
    while (**text == '^') {
        (*text)++;
        if (!read_bit(text, &bit) || (sources >> bit & 1) != 0)
            return false;
        sources |= (uint64_t)1 << bit;
    }
    plan->sources[field][(*count)++] = sources;
    return true;
}

static bool plan_lists(Plan *plan, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    unsigned seen = 0;
    for (char **word = words; *word != NULL; word++) {
        if (**word == '\0')
            continue;
        int field = find_field(*word);
        if (field < 0 || (*word)[2] != '=' || (seen >> field & 1) != 0)
            return refuse(error,
                          "'%s' is none of a name (RoBaRaCoCh, ChRaBaRoCo, MOP4CLXOR), an order "
                          "(rochrababgco) and lists of bits (co=6-12 bg=13^17,14^18 ...)",
                          text);
        seen |= 1U << field;
        unsigned count = 0;
        const char *at = *word + 3;
        bool sound = read_element(plan, (PfDramField)field, &at, &count);
        while (sound && *at == ',') {
            at++;
            sound = read_element(plan, (PfDramField)field, &at, &count);
        }
        if (!sound || *at != '\0' || count != plan->bits[field])
            return refuse(error, "'%s' does not list %u address bits", *word, plan->bits[field]);
    }
    for (int field = 0; field < PF_DRAM_FIELDS; field++)
        if ((seen >> field & 1) == 0 && plan->bits[field] > 0)
            return refuse(error, "'%s' lists no bits for %s, which has %u", text,
                          field_names[field], plan->bits[field]);
    return true;
}

/* Whether different lines lie in different places: the equations are independent and use none of
 * the bits below a transaction. Gaussian elimination, a pivot a row. */
static bool is_one_to_one(const Plan *plan)
{
    uint64_t pivots[ADDRESS_BITS] = {0};
    uint64_t used = 0;
    unsigned count = 0;
    for (int field = 0; field < PF_DRAM_FIELDS; field++) {
        for (unsigned i = 0; i < plan->bits[field]; i++, count++) {
            uint64_t rest = plan->sources[field][i];
            used |= rest;
            while (rest != 0 && pivots[__builtin_ctzll(rest)] != 0)
                rest ^= pivots[__builtin_ctzll(rest)];
            if (rest == 0)
                return false;
            pivots[__builtin_ctzll(rest)] = rest;
        }
    }
    uint64_t below = ((uint64_t)1 << plan->offset_bits) - 1;
    return (used & below) == 0 && (unsigned)__builtin_popcountll(used) == count;
}

/* Turns the sources of FIELD into segments, at most the room there is. */
static bool add_segments(Plan *plan, PfDramField field, PfDramMap *map, unsigned *count)
{
    for (unsigned i = 0; i < plan->bits[field]; i++) {
        while (plan->sources[field][i] != 0) {
            if (*count == PF_DRAM_SEGMENTS_MAX)
                return false;
            unsigned bit = (unsigned)__builtin_ctzll(plan->sources[field][i]);
            unsigned length = 0;
            while (i + length < plan->bits[field] && bit + length < ADDRESS_BITS &&
                   (plan->sources[field][i + length] >> (bit + length) & 1) != 0) {
                plan->sources[field][i + length] ^= (uint64_t)1 << (bit + length);
                length++;
            }
            map->segments[(*count)++] =
                (PfDramSegment){.mask = (uint32_t)(((uint64_t)1 << length) - 1),
                                .shift = (uint8_t)bit,
                                .place = (uint8_t)i};
        }
    }
    return true;
}

static bool make_plan(Plan *plan, const char *text, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(named_orders); i++)
        if (g_str_equal(text, named_orders[i].name))
            text = named_orders[i].order;
    if (g_str_equal(text, "MOP4CLXOR")) {
        plan_mop(plan);
        return true;
    }
    return plan_order(plan, text) || plan_lists(plan, text, error);
}

bool pf_dram_map_parse(const char *text, const uint8_t bits[PF_DRAM_FIELDS], unsigned offset_bits,
                       PfDramMap *ret_map, GError **error)
{
    g_autofree Plan *plan = g_new0(Plan, 1);
    plan->bits = bits;
    plan->offset_bits = offset_bits;
    if (!make_plan(plan, text, error))
        return false;
    if (!is_one_to_one(plan))
        return refuse(error,
                      "'%s' puts two lines in one place, or divides what RD and WR move (bits "
                      "0-%u)",
                      text, offset_bits - 1);
    PfDramMap map = {0};
    unsigned count = 0;
    for (int field = 0; field < PF_DRAM_FIELDS; field++) {
        map.first[field] = (uint8_t)count;
        if (!add_segments(plan, (PfDramField)field, &map, &count))
            return refuse(error, "'%s' has more than %d runs of bits", text, PF_DRAM_SEGMENTS_MAX);
    }
    map.first[PF_DRAM_FIELDS] = (uint8_t)count;
    *ret_map = map;
    return true;
}
