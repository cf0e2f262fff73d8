/* The workloads that repeat what somebody measured, against the numbers that are printed there:
 * pages, frames and contents are counted in their traces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "units.h"
#include "workload_picture.h"

/* What the workload NAME with ASSIGNMENT (as generate_file has it) leaves at UNTIL_PS. */
static Picture *picture_of(const char *name, const char *assignment, uint64_t until_ps)
{
    g_autofree char *path = g_strdup_printf("%s/%s.cfg", g_getenv("PAGEFOLD_WORKLOADS"), name);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) trace = generate_file(path, assignment, PF_TRACE_BINARY, &error);
    if (trace == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    return picture_new(trace, until_ps);
}

/* A column of a table of Kern's thesis. */
typedef struct {
    uint32_t contexts; /* it is about the first so many */
    double mappings;   /* no sharing, mmap/fork, KSM hint all, full CBPS: parts of the base */
    double frames;
    double ksm;
    double contents;
} Column;

/* Whether COUNT pages are PART of BASE, give or take 2 % of it. */
static void check_part(const char *what, uint64_t count, double part, double base)
{
    double measured = (double)count / base;
    CU_ASSERT_TRUE(fabs(measured - part) <= 0.02);
    printf("# %s %.3f, printed %.2f\n", what, measured, part);
}

/* Checks COLUMNS, of which the first gives the base; its frames are BASE_MIB. */
static void check_columns(const Picture *picture, const Column *columns, size_t count,
                          uint64_t base_mib)
{
    uint64_t base = base_mib * 256;
    CU_ASSERT_EQUAL(picture_baselines(picture, columns[0].contexts).frames, base);
    for (size_t i = 0; i < count; i++) {
        Baselines counted = picture_baselines(picture, columns[i].contexts);
        check_part("no sharing", counted.mappings, columns[i].mappings, (double)base);
        check_part("mmap/fork", counted.frames, columns[i].frames, (double)base);
        check_part("KSM hint all", counted.ksm, columns[i].ksm, (double)base);
        check_part("full CBPS", counted.contents, columns[i].contents, (double)base);
    }
}

/* Table 5.1: a user is three contexts. */
static void terminal_server(void)
{
    static const Column columns[] = {
        {3, 1.10, 1.00, 0.48, 0.45}, {6, 2.20, 1.83, 0.64, 0.60}, {9, 3.32, 2.68, 0.81, 0.77}};
    g_autoptr(Picture) picture = picture_of("kern-terminal", NULL, UINT64_MAX);
    check_columns(picture, columns, G_N_ELEMENTS(columns), 480);
    CU_ASSERT_STRING_EQUAL(picture->marks->str, "1-user 2-users 3-users settled ");
}

/* Tables 5.1 and 5.2; the second is exact. */
static void zero_install(void)
{
    static const Column columns[] = {
        {3, 1.10, 1.00, 0.48, 0.45}, {6, 2.20, 1.99, 0.83, 0.61}, {9, 3.33, 3.02, 1.20, 0.78}};
    static const uint64_t anonymous[] = {29707, 43520, 60480};
    static const uint64_t named[] = {25490, 30564, 35675};
    g_autoptr(Picture) picture = picture_of("kern-zero-install", NULL, UINT64_MAX);
    check_columns(picture, columns, G_N_ELEMENTS(columns), 480);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        Baselines counted = picture_baselines(picture, columns[i].contexts);
        CU_ASSERT_EQUAL(counted.anonymous, anonymous[i]);
        CU_ASSERT_EQUAL(counted.named, named[i]);
        CU_ASSERT_EQUAL(counted.mixed, 1);
    }
    /* 1.7 MiB of zero pages are 435.2, which one more saves. */
    uint64_t zeros = 0;
    for (guint i = 0; i < picture->pages->len; i++) {
        const PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        zeros += page->context < 3 && page->file == 0 && page->form == PF_CONTENT_ZERO;
    }
    CU_ASSERT_EQUAL(zeros, 436);
}

/* Table 5.3: a server is a context. */
static void game_server(void)
{
    static const Column columns[] = {
        {1, 1.00, 1.00, 0.97, 0.97}, {2, 2.00, 1.99, 1.44, 1.34}, {3, 3.00, 2.97, 1.90, 1.70}};
    g_autoptr(Picture) picture = picture_of("kern-game-server", NULL, UINT64_MAX);
    check_columns(picture, columns, G_N_ELEMENTS(columns), 147);
    CU_ASSERT_STRING_EQUAL(picture->marks->str, "1-server 2-servers 3-servers settled ");
}

/* When a mark says that there is one user or server, nobody else has filled a page. */
static void columns_end_at_marks(void)
{
    g_autoptr(Picture) picture = picture_of("kern-game-server", NULL, 10 * PF_PS_PER_SECOND);
    CU_ASSERT_EQUAL(picture->pages->len, 147 * 256);
}

/* 100 of the 1000 processes, for speed: n x 1000 pages are one, and n + 1 when each wrote one. */
static void thousand_processes(void)
{
    const char *hundred = "workload.contexts.process.count=100";
    g_autoptr(Picture) before = picture_of("thousand-processes", hundred, 1);
    g_autoptr(Picture) after = picture_of("thousand-processes", hundred, UINT64_MAX);
    CU_ASSERT_EQUAL(before->contexts, 100);
    CU_ASSERT_EQUAL(before->pages->len, 100 * 1000);
    CU_ASSERT_EQUAL(picture_contents(before), 1);
    CU_ASSERT_EQUAL(picture_contents(after), 101);
}

/* How many pages hold each content, but that one changed byte does not count; no order. */
static GArray *count_alike(const Picture *picture)
{
    GArray *counts = g_array_new(FALSE, FALSE, sizeof(int));
    g_autoptr(GHashTable) places = g_hash_table_new(g_int64_hash, g_int64_equal);
    int plain[2] = {0, 0};
    for (guint i = 0; i < picture->pages->len; i++) {
        PicturePage *page = &g_array_index(picture->pages, PicturePage, i);
        int one = 1;
        if (page->form != PF_CONTENT_ID) {
            plain[page->form == PF_CONTENT_ONES]++;
            continue;
        }
        gpointer place = g_hash_table_lookup(places, &page->number);
        if (place != NULL) {
            g_array_index(counts, int, GPOINTER_TO_SIZE(place) - 1)++;
            continue;
        }
        g_array_append_val(counts, one);
        g_hash_table_insert(places, &page->number, GSIZE_TO_POINTER((gsize)counts->len));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++)
        if (plain[i] > 0)
            g_array_append_val(counts, plain[i]);
    return counts;
}

/* Table 1 of the paper: zero and equal pages, what sharing leaves, references and differences. */
static void difference_engine(void)
{
    g_autoptr(Picture) picture = picture_of("difference-engine", NULL, UINT64_MAX);
    CU_ASSERT_EQUAL(picture->contexts, 3);
    CU_ASSERT_EQUAL(picture->pages->len, 393120);
    uint64_t zeros = 0;
    for (uint32_t context = 0; context < 3; context++)
        zeros += picture_count(picture, context, PF_CONTENT_ZERO);
    CU_ASSERT_EQUAL(zeros, 149038);
    uint64_t unique = picture_shared(picture, 1, 1);
    CU_ASSERT_EQUAL(unique, 191646);
    CU_ASSERT_EQUAL(picture->pages->len - zeros - unique, 52436);
    uint64_t contents = picture_contents(picture);
    CU_ASSERT_EQUAL(contents, 195224);
    CU_ASSERT_EQUAL(contents - unique - 1, 3577);
    g_autoptr(GArray) references = count_alike(picture);
    CU_ASSERT_EQUAL(references->len, 50727);
    CU_ASSERT_EQUAL(contents - references->len, 144497);
}

static gint most_first(gconstpointer a, gconstpointer b)
{
    return *(const int *)b - *(const int *)a;
}

/* The patent's snapshot: 81,919 pages, of which 14,310 are zero and 78 ones, and 15,686 have one of
 * the eight most shared contents. 3,776 are not tracked. */
static void three_vms(void)
{
    g_autoptr(Picture) picture = picture_of("three-vms", NULL, UINT64_MAX);
    uint64_t zeros = 0;
    uint64_t ones = 0;
    for (uint32_t context = 0; context < 3; context++) {
        zeros += picture_count(picture, context, PF_CONTENT_ZERO);
        ones += picture_count(picture, context, PF_CONTENT_ONES);
    }
    uint64_t pinned = 0;
    for (guint i = 0; i < picture->pages->len; i++)
        pinned += g_array_index(picture->pages, PicturePage, i).is_pinned;
    CU_ASSERT_EQUAL(picture->pages->len, 81919);
    CU_ASSERT_EQUAL(zeros, 14310);
    CU_ASSERT_EQUAL(ones, 78);
    CU_ASSERT_EQUAL(picture->pages->len - pinned, 78143);
    g_autoptr(GArray) counts = count_alike(picture);
    g_array_sort(counts, most_first);
    int top = 0;
    for (guint i = 0; i < 8; i++)
        top += g_array_index(counts, int, i);
    CU_ASSERT_EQUAL(top, 15686);
}

/* Parts of all pages that sharing saves, and of what is saved that zero pages are. */
static void guests_of_esx(void)
{
    static const struct {
        const char *name;
        uint32_t contexts;
        double saved;
        double zero; /* 0: not printed */
    } printed[] = {{"ten-guests", 10, 0.329, 0}, {"one-guest", 1, 0.125, 0.55}};
    for (size_t i = 0; i < G_N_ELEMENTS(printed); i++) {
        g_autoptr(Picture) picture = picture_of(printed[i].name, NULL, UINT64_MAX);
        CU_ASSERT_EQUAL(picture->contexts, printed[i].contexts);
        double saved = (double)(picture->pages->len - picture_contents(picture));
        CU_ASSERT_TRUE(fabs(saved / picture->pages->len - printed[i].saved) < 0.0005);
        double zeros = (double)picture_count(picture, 0, PF_CONTENT_ZERO) - 1;
        CU_ASSERT_TRUE(printed[i].zero == 0 || fabs(zeros / saved - printed[i].zero) < 0.005);
    }
}

/* Two machines that are made alike: what sharing saves in all, within one, and so between them. */
static void random_addresses(void)
{
    static const char *const texts[] = {"false", "true"};
    static const uint64_t within[] = {1000, 850};
    static const uint64_t between[] = {5000, 4600};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *assignment = g_strdup_printf(
            "workload.contexts.a.aslr=%s\nworkload.contexts.b.aslr=%s", texts[i], texts[i]);
        g_autoptr(Picture) picture = picture_of("aslr", assignment, UINT64_MAX);
        Baselines one = picture_baselines(picture, 1);
        Baselines both = picture_baselines(picture, 2);
        uint64_t saved = both.mappings - both.contents;
        CU_ASSERT_EQUAL(one.mappings - one.contents, within[i]);
        CU_ASSERT_EQUAL(saved - 2 * within[i], between[i]);
    }
}

static const PfCheck checks[] = {
    {"kern-terminal has the four baselines of table 5.1", terminal_server},
    {"kern-zero-install has those of table 5.1, and the contents of table 5.2", zero_install},
    {"kern-game-server has the four baselines of table 5.3", game_server},
    {"a column ends at its mark", columns_end_at_marks},
    {"thousand-processes is one page, and one more for each that writes", thousand_processes},
    {"difference-engine has the pages, contents and references of table 1", difference_engine},
    {"ten-guests and one-guest save the parts that are printed", guests_of_esx},
    {"aslr takes 15 % within machines and 8 % between them", random_addresses},
    {"three-vms has the patent's zeros, ones, top eight and tracked pages", three_vms},
};

PF_CHECK_MAIN("workload-presets", checks)
