/* `potential` as a whole: what it prints for lists, images and traces, against counts made here and
 * against what a run of `oracle` uses. */
#include <json-glib/json-glib.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "rng.h"
#include "spawn.h"

enum { PAGE = 4096 };

/* The number at PATH, words with a slash between, of TEXT, which is JSON; UINT64_MAX if there is
 * none. */
static uint64_t number_in(const char *text, const char *path)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, text, -1, NULL))
        return UINT64_MAX;
    g_auto(GStrv) words = g_strsplit(path, "/", -1);
    JsonNode *node = json_parser_get_root(parser);
    for (char **word = words; node != NULL && *word != NULL; word++)
        node = JSON_NODE_HOLDS_OBJECT(node)
                   ? json_object_get_member(json_node_get_object(node), *word)
                   : NULL;
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? (uint64_t)json_node_get_int(node)
                                                       : UINT64_MAX;
}

#define CHECK_NUMBER(text, path, wanted) CU_ASSERT_EQUAL(number_in(text, path), wanted)

static void counts_a_list(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "pages.txt",
                "# hash,mappings,kind\n"
                "0x10\r\n"
                "16,3\n"
                "5,2,file\n"
                "5,1,anon\n"
                "\n"
                "7,1,shmem\n"
                "7\n"
                "0,4,zero\n"
                "0,1,zero\n");
    g_auto(Spawned) json = spawn(place, "potential", "pages.txt", "--format", "json");
    CU_ASSERT_EQUAL(json.status, 0);
    CU_ASSERT_STRING_EQUAL(json.err, "");
    CHECK_NUMBER(json.out, "pages", 8);
    CHECK_NUMBER(json.out, "mmap_fork", 8);
    CHECK_NUMBER(json.out, "no_sharing", 1 + 3 + 2 + 1 + 1 + 1 + 4 + 1);
    /* Named: 5 and 7, once each. Anonymous contents: 16, 5, 7 and 0, of 6 pages. */
    CHECK_NUMBER(json.out, "ksm_hint_all/shared", 2 + 4);
    CHECK_NUMBER(json.out, "ksm_hint_all/sharings", 6 - 4);
    CHECK_NUMBER(json.out, "cbps/shared", 4);
    CHECK_NUMBER(json.out, "cbps/sharings", 8 - 4);
    CHECK_NUMBER(json.out, "zero_pages", 2);
    CHECK_NUMBER(json.out, "by_kind/anon/pages", 4);
    CHECK_NUMBER(json.out, "by_kind/file/pages", 1);
    CHECK_NUMBER(json.out, "by_kind/shmem/pages", 1);
    CHECK_NUMBER(json.out, "by_kind/zero/pages", 2);
    CHECK_NUMBER(json.out, "by_kind/zero/no_sharing", 5);
    CHECK_NUMBER(json.out, "contents/mixed", 2);
    CHECK_NUMBER(json.out, "contents/anonymous", 2);
    CHECK_NUMBER(json.out, "multiplicity/2", 4);
    CHECK_NUMBER(json.out, "multiplicity/1", UINT64_MAX);
    g_auto(Spawned) csv = spawn(place, "potential", "pages.txt", "--format", "csv");
    CU_ASSERT(g_str_has_prefix(csv.out, "table,row,stat,value\n,,pages,8\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(csv.out, "\nksm_hint_all,,shared,6\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(csv.out, "\nby_kind,zero,pages,2\n"));
    g_auto(Spawned) table = spawn(place, "potential", "pages.txt");
    CU_ASSERT(g_str_has_prefix(table.out, "pages.txt: 8 frames of 4 KiB hold 4 contents\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(table.out, "\nKSM hint all           6        0.02    75.0"));
    spawn_clear_place(place);
}

/* An image of PAGES pages, each one of few. */
static GByteArray *make_image(uint64_t seed, unsigned pages)
{
    PfRng rng = pf_rng_derive(seed, "image");
    GByteArray *image = g_byte_array_new();
    uint8_t page[PAGE];
    for (unsigned i = 0; i < pages; i++) {
        uint64_t number = pf_rng_below(&rng, pages);
        memset(page, number % 3 == 0 ? 0 : (int)(number % 251), PAGE);
        g_byte_array_append(image, page, PAGE);
    }
    return image;
}

static void write_image(const char *place, const char *name, const GByteArray *image)
{
    g_autofree char *path = g_build_filename(place, name, NULL);
    g_file_set_contents(path, (const char *)image->data, (gssize)image->len, NULL);
}

static void counts_images(void)
{
    enum { PAGES = 120 };
    char *place = spawn_make_place();
    g_autoptr(GByteArray) one = make_image(1, PAGES);
    g_autoptr(GByteArray) two = make_image(2, PAGES);
    write_image(place, "a.raw", one);
    write_image(place, "b.raw", two);
    g_byte_array_append(one, two->data, two->len);
    uint64_t contents = 0;
    uint64_t within = 0;
    uint64_t zeros = 0;
    for (unsigned i = 0; i < 2 * PAGES; i++) {
        const uint8_t *page = one->data + (size_t)i * PAGE;
        unsigned first = 0;
        while (memcmp(one->data + (size_t)first * PAGE, page, PAGE) != 0)
            first++;
        unsigned first_here = i / PAGES * PAGES;
        while (memcmp(one->data + (size_t)first_here * PAGE, page, PAGE) != 0)
            first_here++;
        contents += first == i;
        within += first_here != i;
        zeros += page[0] == 0;
    }
    g_auto(Spawned) both = spawn(place, "potential", "a.raw", "b.raw", "--format", "json");
    CU_ASSERT_EQUAL(both.status, 0);
    CHECK_NUMBER(both.out, "pages", 2 * PAGES);
    CHECK_NUMBER(both.out, "no_sharing", 2 * PAGES);
    CHECK_NUMBER(both.out, "cbps/shared", contents);
    CHECK_NUMBER(both.out, "ksm_hint_all/shared", contents);
    CHECK_NUMBER(both.out, "zero_pages", zeros);
    CHECK_NUMBER(both.out, "by_kind/zero/pages", zeros);
    CHECK_NUMBER(both.out, "within/sharings", within);
    CHECK_NUMBER(both.out, "between/sharings", 2 * PAGES - contents - within);
    CHECK_NUMBER(both.out, "contexts/a/pages", PAGES);
    CHECK_NUMBER(both.out, "contexts/b/pages", PAGES);
    /* The same file packed, and twice. */
    g_autofree char *gzip = g_find_program_in_path("gzip");
    if (gzip != NULL) {
        char keep[] = "-k";
        char name[] = "a.raw";
        char *arguments[] = {gzip, keep, name, NULL};
        CU_ASSERT(g_spawn_sync(place, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                               NULL, NULL));
        g_auto(Spawned) packed = spawn(place, "potential", "a.raw.gz", "a.raw", "--format", "json");
        CHECK_NUMBER(packed.out, "contexts/a/pages", PAGES);
        CHECK_NUMBER(packed.out, "contexts/a-2/between", number_in(packed.out, "cbps/shared"));
    }
    g_auto(Spawned) sizes = spawn(place, "potential", "b.raw", "--sizes", "--format", "json");
    CHECK_NUMBER(sizes.out, "sizes/1.0/blocks", PAGES);
    CHECK_NUMBER(sizes.out, "sizes/0.4/block_bytes", 1638);
    CHECK_NUMBER(sizes.out, "sizes/2.4/block_bytes", 9830);
    CHECK_NUMBER(sizes.out, "sizes/1.0/shareable_bytes",
                 PAGE * number_in(sizes.out, "cbps/sharings"));
    CHECK_NUMBER(sizes.out, "sizes/2MiB/blocks", 0);
    spawn_clear_place(place);
}

static const char epochs_trace[] = "pagefold-trace 1\n"
                                   "context a process\n"
                                   "context b process\n"
                                   "map a 0x0 8 anon\n"
                                   "map b 0x0 8 file=lib:0\n"
                                   "map b 0x10000 4 shmem=s:0\n"
                                   "state a 0x0 4 id:1\n"
                                   "read b 0x0 8\n" /* a file's page that nobody told */
                                   "mark \"boot\"\n"
                                   "state b 0x0 2 id:1\n"
                                   "write a 0x1000 8\n" /* unknown from here on */
                                   "read b 0x10000 8\n"
                                   "fork a c\n"
                                   "mark \"busy\"\n"
                                   "write c 0x0 8 0x1\n"
                                   "exit a\n"
                                   "time 1s\n"
                                   "exit b\n"
                                   "exit c\n";

static void counts_epochs_of_a_trace(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "e.trace", epochs_trace);
    /* Four pages of id:1, and the file's. */
    g_auto(Spawned) boot =
        spawn(place, "potential", "e.trace", "--epoch", "boot", "--format", "json");
    CHECK_NUMBER(boot.out, "pages", 5);
    CHECK_NUMBER(boot.out, "unknown_pages", 1);
    CHECK_NUMBER(boot.out, "cbps/shared", 2);
    g_auto(Spawned) first =
        spawn(place, "potential", "e.trace", "--epoch", "0", "--format", "json");
    CU_ASSERT_STRING_EQUAL(first.out, boot.out);
    /* Frames: a's four, one of them unknown, two of the file, one of shared memory (zeros). Four
     * pages are mapped by c, too. Contents: id:1, unknown, zeros. */
    g_auto(Spawned) busy = spawn(place, "potential", "e.trace", "--epoch", "1", "--format", "json");
    CHECK_NUMBER(busy.out, "pages", 4 + 2 + 1);
    CHECK_NUMBER(busy.out, "no_sharing", 4 + 2 + 1 + 4);
    CHECK_NUMBER(busy.out, "cbps/shared", 3);
    CHECK_NUMBER(busy.out, "ksm_hint_all/shared", 3 + 2);
    CHECK_NUMBER(busy.out, "contents/mixed", 1);
    CHECK_NUMBER(busy.out, "by_kind/shmem/pages", 1);
    CHECK_NUMBER(busy.out, "by_kind/zero/pages", 0);
    CHECK_NUMBER(busy.out, "zero_pages", 1);
    CHECK_NUMBER(busy.out, "contexts/c/pages", 0);
    CHECK_NUMBER(busy.out, "contexts/c/mapped", 4);
    /* At the end c has a copy of its own; the exits that nothing follows are not obeyed. */
    g_auto(Spawned) last = spawn(place, "potential", "e.trace", "--format", "json");
    CHECK_NUMBER(last.out, "pages", 4 + 2 + 1 + 1);
    CHECK_NUMBER(last.out, "no_sharing", 4 + 2 + 1 + 4);
    g_auto(Spawned) none = spawn(place, "potential", "e.trace", "--epoch", "2");
    CU_ASSERT_EQUAL(none.status, 2);
    CU_ASSERT_STRING_EQUAL(none.out, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(none.err, "e.trace; give a label, or a number from 0 to 1"));
    spawn_clear_place(place);
}

/* What `none` and `oracle` use at the end of TRACE is what is counted. */
static void check_against_run(const char *place, const char *trace)
{
    g_auto(Spawned) counted = spawn(place, "potential", trace, "--format", "json");
    g_auto(Spawned) run = spawn(place, "run", "oracle.cfg", "--trace", trace, "--format", "csv");
    CU_ASSERT_EQUAL(counted.status, 0);
    CU_ASSERT_EQUAL(run.status, 0);
    uint64_t used[2] = {0};
    g_auto(GStrv) lines = g_strsplit(run.out, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ",", -1);
        for (unsigned i = 0; i < 2; i++)
            if (fields[0] != NULL && g_str_equal(fields[0], i == 0 ? "none" : "oracle"))
                used[i] = g_ascii_strtoull(fields[3], NULL, 10);
    }
    CU_ASSERT(used[0] > 0 && used[1] > 0);
    CHECK_NUMBER(counted.out, "mmap_fork", used[0]);
    CHECK_NUMBER(counted.out, "cbps/shared", used[1]);
}

static void agrees_with_oracle(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "oracle.cfg", "policies = ( { name = \"oracle\"; } );\n");
    spawn_write(place, "w.cfg",
                "workload = { contexts = ( { name = \"vm\"; count = 3; memory = \"2MiB\"; "
                "zero = 0.2; common = ( { set = \"os\"; share = 0.4; } ); } ); "
                "phases = ( { time = \"1s\"; writes = ( { rate = 100; from = \"os\"; } ); } ); "
                "};\n");
    g_auto(Spawned) made = spawn(place, "trace", "generate", "w.cfg", "-o", "w.pft");
    CU_ASSERT_EQUAL(made.status, 0);
    check_against_run(place, "w.pft");
    g_autofree char *real = g_build_filename(g_getenv("PAGEFOLD_SAMPLES"), "real-pages.pft", NULL);
    check_against_run(place, real);
    spawn_write(place, "f.trace",
                "pagefold-trace 1\n"
                "context a process\n"
                "map a 0x0 64 anon\n"
                "map a 0x100000 4 shmem=s:0\n"
                "fill a 0x0 64 id:1 step=1\n"
                "fill a 0x100000 4 id:3\n"
                "fork a b\n"
                "write b 0x0 8 0x1\n"
                "write a 0x0 8 0x1\n"
                "write b 0x1000 8\n"
                "state a 0x2000 1 hash:0x77\n");
    check_against_run(place, "f.trace");
    spawn_clear_place(place);
}

static void mistakes_are_told_in_a_line(void)
{
    char *place = spawn_make_place();
    g_autoptr(GByteArray) image = make_image(3, 4);
    write_image(place, "good.raw", image);
    g_byte_array_set_size(image, 3 * PAGE + 7);
    write_image(place, "odd.raw", image);
    spawn_write(place, "empty", "");
    spawn_write(place, "list.txt", "1\n2,x\n");
    spawn_write(place, "lackey", "I  0401ab70,3\n L 1ffe000000,8\n");
    spawn_write(place, "bad.trace", "pagefold-trace 1\ncontext a vm\nread a 0x0 1\n");
    spawn_write(place, "huge.trace",
                "pagefold-trace 1\ncontext a vm\nmap a 0x0 1099511627776 anon\n"
                "fill a 0x0 1099511627776 zero\n");
    spawn_write(place, "other.trace", "pagefold-trace 1\npage 8KiB\n");
    g_autofree char *sample =
        g_build_filename(g_getenv("PAGEFOLD_SAMPLES"), "real-pages.pft", NULL);
    g_autofree char *whole = NULL;
    CU_ASSERT(g_file_get_contents(sample, &whole, NULL, NULL));
    g_autofree char *cut = g_build_filename(place, "cut.pft", NULL);
    g_file_set_contents(cut, whole, 5000, NULL);
    static const struct {
        const char *input;
        const char *option;
        const char *value;
        int status;
        const char *says;
    } rows[] = {
        {"no.raw", NULL, NULL, 3, "no.raw: No such file"},
        {".", NULL, NULL, 3, ".: is a folder"},
        {"empty", NULL, NULL, 3, "empty: "},
        {"odd.raw", NULL, NULL, 3, "odd.raw: "},
        {"list.txt", NULL, NULL, 3, "list.txt:2: "},
        {"lackey", NULL, NULL, 3, "lackey: looks like accesses"},
        {"bad.trace", NULL, NULL, 3, "bad.trace:3: "},
        {"huge.trace", NULL, NULL, 3, "huge.trace:4: more pages than can be counted"},
        {"good.raw", "--epoch", "0", 2, "good.raw is an image of memory"},
        {"good.raw", "--format", "xml", 2, "must be table, json or csv"},
        {"good.raw", "--top", "-1", 2, "--top -1: must be from 0 to 1000"},
        {"good.raw", "--from", "lackey", 2, "--from lackey: is no format of memory images"},
        {"lackey", "--from", "raw", 3, "lackey: at byte"},
        {"cut.pft", NULL, NULL, 3, "cut.pft: at byte 5000: the file is cut off here"},
        {"good.raw", "-o", "", 2, "-o: a name is missing"},
        {"good.raw", "-o", "good.raw", 2, "good.raw: exists and is no directory of results"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *arguments[] = {"potential", rows[i].input, rows[i].option, rows[i].value, NULL};
        g_auto(Spawned) spawned = spawn_program(place, arguments);
        CU_ASSERT_EQUAL(spawned.status, rows[i].status);
        CU_ASSERT_STRING_EQUAL(spawned.out, "");
        CU_ASSERT(g_str_has_prefix(spawned.err, "pagefold: error: "));
        CU_ASSERT_PTR_NOT_NULL(strstr(spawned.err, rows[i].says));
    }
    g_auto(Spawned) salvaged = spawn(place, "potential", "cut.pft", "--salvage");
    CU_ASSERT_EQUAL(salvaged.status, 0);
    CU_ASSERT(g_str_has_prefix(salvaged.err, "pagefold: warning: salvaged: cut.pft: at byte"));
    g_auto(Spawned) sizes = spawn(place, "potential", "good.raw", "other.trace");
    CU_ASSERT_EQUAL(sizes.status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(sizes.err, "other.trace: its pages are of 8192 bytes"));
    spawn_clear_place(place);
}

static void keeps_results(void)
{
    char *place = spawn_make_place();
    g_autoptr(GByteArray) image = make_image(4, 50);
    write_image(place, "a.raw", image);
    g_auto(Spawned) first =
        spawn(place, "potential", "a.raw", "--sizes", "-o", "out", "--format", "json");
    CU_ASSERT_EQUAL(first.status, 0);
    g_autofree char *json = spawn_read(place, "out/potential.json");
    CU_ASSERT_STRING_EQUAL(json, first.out);
    g_autofree char *figure = spawn_read(place, "out/plots/potential.csv");
    CU_ASSERT(g_str_has_prefix(figure, "baseline,kind,MiB,begin,end,row,number\nno sharing,anon,"));
    g_auto(Spawned) again = spawn(place, "potential", "a.raw", "-o", "out");
    CU_ASSERT_EQUAL(again.status, 2);
    g_auto(Spawned) forced = spawn(place, "potential", "a.raw", "-o", "out", "--force");
    CU_ASSERT_EQUAL(forced.status, 0);
    g_autofree char *csv = spawn_read(place, "out/potential.csv");
    CU_ASSERT_PTR_NULL(strstr(csv, "sizes,")); /* not asked for this time */
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
    if (gnuplot != NULL) {
        g_auto(Spawned) plotted = spawn(place, "plot", "out");
        CU_ASSERT_EQUAL(plotted.status, 0); /* this figure, and none of a run */
        CU_ASSERT_STRING_EQUAL(plotted.err, "pagefold: out/plots/potential.svg\n");
    }
    g_auto(Spawned) wrong = spawn(place, "plot", "out", "--figure", "savings");
    CU_ASSERT_EQUAL(wrong.status, 3);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"a list of hashes is counted as its rules say", counts_a_list},
    {"images are counted as by comparing all pages", counts_images},
    {"a trace is counted at its marks and before its last exits", counts_epochs_of_a_trace},
    {"mmap/fork is what none uses, and full CBPS what oracle does", agrees_with_oracle},
    {"mistakes are told in a line, and nothing is printed", mistakes_are_told_in_a_line},
    {"results are kept, with a figure of their own", keeps_results},
};

PF_CHECK_MAIN("app-potential", checks)
