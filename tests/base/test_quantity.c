#include <string.h>

#include "check.h"
#include "config.h"
#include "error.h"
#include "units.h"

static void check_value(const char *text, PfConfigType type, uint64_t expected)
{
    uint64_t value = 0;
    g_autoptr(GError) error = NULL;
    bool done = pf_parse_quantity(text, type, &value, &error);
    if (!done || value != expected)
        printf("# %s: %s\n", text, done ? "wrong value" : error->message);
    CU_ASSERT_TRUE(done);
    CU_ASSERT_EQUAL(value, expected);
}

/* TEXT is refused, with a message that holds PART. */
static void check_refused(const char *text, PfConfigType type, const char *part)
{
    uint64_t value = 42;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_parse_quantity(text, type, &value, &error));
    CU_ASSERT_EQUAL(value, 42);
    CU_ASSERT_TRUE_FATAL(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    if (strstr(error->message, part) == NULL)
        printf("# %s: %s\n", text, error->message);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, part));
}

static void test_sizes(void)
{
    check_value("4096", PF_CONFIG_SIZE, 4096);
    check_value("64KB", PF_CONFIG_SIZE, 64000);
    check_value("64kB", PF_CONFIG_SIZE, 64000);
    check_value("64KiB", PF_CONFIG_SIZE, 65536);
    check_value("8 GiB", PF_CONFIG_SIZE, 8 * PF_GIB);
    check_value("0.5GiB", PF_CONFIG_SIZE, PF_GIB / 2);
    check_value("2TB", PF_CONFIG_SIZE, 2000000000000U);
    check_value("1TiB", PF_CONFIG_SIZE, PF_TIB);
    check_value("0B", PF_CONFIG_SIZE, 0);
    check_refused("8G", PF_CONFIG_SIZE, "one of the units B, kB, KB, MB, GB, TB, KiB");
    check_refused("8gib", PF_CONFIG_SIZE, "units");
    check_refused("8GiB/s", PF_CONFIG_SIZE, "units");
}

static void test_times(void)
{
    check_value("350ps", PF_CONFIG_TIME, 350);
    check_value("13.75ns", PF_CONFIG_TIME, 13750);
    check_value("7.8us", PF_CONFIG_TIME, 7800000);
    check_value("20ms", PF_CONFIG_TIME, (uint64_t)20 * 1000000000);
    check_value("2s", PF_CONFIG_TIME, 2 * PF_PS_PER_SECOND);
    check_value("1.5min", PF_CONFIG_TIME, 90 * PF_PS_PER_SECOND);
    check_refused("20", PF_CONFIG_TIME, "needs a unit (ps, ns, us, ms, s, min)");
    check_refused("20GHz", PF_CONFIG_TIME, "units ps");
}

static void test_rates(void)
{
    check_value("2.6GHz", PF_CONFIG_FREQUENCY, 2600000000U);
    check_value("800MHz", PF_CONFIG_FREQUENCY, 800000000);
    check_value("250kHz", PF_CONFIG_FREQUENCY, 250000);
    check_value("1Hz", PF_CONFIG_FREQUENCY, 1);
    check_refused("2600000000", PF_CONFIG_FREQUENCY, "needs a unit");
    check_value("20GB/s", PF_CONFIG_BANDWIDTH, 20000000000U);
    check_value("1.5GiB/s", PF_CONFIG_BANDWIDTH, PF_GIB + PF_GIB / 2);
    check_value("3kB/s", PF_CONFIG_BANDWIDTH, 3000);
    check_refused("20GB", PF_CONFIG_BANDWIDTH, "units B/s");
}

static void test_integers(void)
{
    check_value("0", PF_CONFIG_UINT, 0);
    check_value("007", PF_CONFIG_UINT, 7);
    check_value("18446744073709551615", PF_CONFIG_UINT, UINT64_MAX);
    check_refused("18446744073709551616", PF_CONFIG_UINT, "too large");
    check_refused("4K", PF_CONFIG_UINT, "takes no unit");
    check_refused("1.5", PF_CONFIG_UINT, "whole number");
    check_refused("0x10", PF_CONFIG_UINT, "takes no unit");
}

static void test_zero_needs_no_unit(void)
{
    check_value("0", PF_CONFIG_TIME, 0);
    check_value("0.0", PF_CONFIG_BANDWIDTH, 0);
    check_value("0ns", PF_CONFIG_TIME, 0);
    check_refused("0x", PF_CONFIG_TIME, "units");
}

static void test_exactness(void)
{
    check_value("0.001ns", PF_CONFIG_TIME, 1);
    check_refused("0.0005ns", PF_CONFIG_TIME, "no whole number of picoseconds");
    check_value("0.0009765625KiB", PF_CONFIG_SIZE, 1); /* 2^-10 */
    check_refused("0.001KiB", PF_CONFIG_SIZE, "no whole number of bytes");
    check_value("1.000000000000000000000000000000KiB", PF_CONFIG_SIZE, 1024);
    check_value("000000000000000000000000000000001KiB", PF_CONFIG_SIZE, 1024);
    /* 2^53 + 1 is lost by a double. */
    check_value("9007199254740993", PF_CONFIG_UINT, 9007199254740993U);
    check_value("9007199254740.993ns", PF_CONFIG_TIME, 9007199254740993U);
}

static void test_overflow(void)
{
    /* 2^64 bytes are 16777216 TiB: 2^24 * 2^40. */
    check_value("16777215TiB", PF_CONFIG_SIZE, (uint64_t)16777215 << 40);
    check_refused("16777216TiB", PF_CONFIG_SIZE, "too large");
    /* 2^64 - 1 ps are 18446744.073709551615 s. */
    check_value("18446744.073709551615s", PF_CONFIG_TIME, UINT64_MAX);
    check_refused("18446744.073709551616s", PF_CONFIG_TIME, "too large");
    check_refused("999999999999999999999999min", PF_CONFIG_TIME, "too large");
    check_refused("9999999999999999999999999min", PF_CONFIG_TIME, "too large");
    check_refused("0.0000000000000000000000001s", PF_CONFIG_TIME, "too many digits");
}

static void test_nonsense(void)
{
    static const char *const texts[] = {"",     " 1ns", "ns",    ".5ns", "5.ns", "1e3ns", "+1ns",
                                        "1ns ", "1 ",   "1,5ns", "1n s", "nan",  "inf",   "\xff"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        check_refused(texts[i], PF_CONFIG_TIME, "\"");
    check_refused("-1ns", PF_CONFIG_TIME, "negative");
}

static const PfCheck checks[] = {
    {"sizes know decimal and binary units", test_sizes},
    {"times need a unit", test_times},
    {"frequencies and bandwidths need a unit", test_rates},
    {"plain integers take no unit and no fraction", test_integers},
    {"zero means the same in every unit and may lack it", test_zero_needs_no_unit},
    {"fractions are exact or refused", test_exactness},
    {"what does not fit in 64 bits is refused, one before is not", test_overflow},
    {"what is no quantity is refused", test_nonsense},
};

PF_CHECK_MAIN("quantity", checks)
