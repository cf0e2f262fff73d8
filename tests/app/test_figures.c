/* Figures: the arithmetic of their layout, their scripts and their pictures. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "chart.h"
#include "check.h"
#include "error.h"
#include "figures.h"
#include "report.h"
#include "sheet.h"

static void expect_places(const double *places, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_DOUBLE_EQUAL(places[i], expected[i], 1e-9);
}

static void spread_untouched(void)
{
    double places[] = {0.0, 1.0, 2.5};
    pf_sheet_spread(places, 3, 1.0, 0.0, 10.0);
    expect_places(places, (const double[]){0.0, 1.0, 2.5}, 3);
}

static void spread_centred(void)
{
    /* Three at 5 with a gap of 1 stand at 4, 5, 6: the same way up as down. */
    double places[] = {5.0, 5.0, 5.0, 9.0};
    pf_sheet_spread(places, 4, 1.0, 0.0, 10.0);
    expect_places(places, (const double[]){4.0, 5.0, 6.0, 9.0}, 4);
}

static void spread_bounded(void)
{
    double low[] = {0.0, 0.0};
    double high[] = {10.0, 10.0};
    pf_sheet_spread(low, 2, 1.0, 0.0, 10.0);
    pf_sheet_spread(high, 2, 1.0, 0.0, 10.0);
    expect_places(low, (const double[]){0.0, 1.0}, 2);
    expect_places(high, (const double[]){9.0, 10.0}, 2);
}

static void nice_steps(void)
{
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(0.0), 1.0, 0.0);
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(1.0), 1.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(1.01), 2.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(2.1), 2.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(26.0), 50.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(pf_sheet_nice(0.051), 0.1, 1e-12);
}

static void quotes_doubled(void)
{
    g_autofree char *plain = pf_sheet_quote("ksm");
    g_autofree char *quoted = pf_sheet_quote("it's");
    CU_ASSERT_STRING_EQUAL(plain, "'ksm'");
    CU_ASSERT_STRING_EQUAL(quoted, "'it''s'");
}

static void names_shortened(void)
{
    static const struct {
        const char *text;
        size_t width;
        const char *expected;
    } cases[] = {
        {"abcdefgh", 8, "abcdefgh"},       {"abcdefgh", 7, "abc\342\200\246fgh"},
        {"abcdefgh", 6, "abc\342\200\246gh"}, {"", 3, ""},
        /* Two of these letters are four characters wide. */
        {"\343\202\250\343\202\271", 4, "\343\202\250\343\202\271"},
        {"\343\202\250\343\202\271", 3, "\342\200\246"},
        {"\343\202\250xyz\343\202\271", 5, "\343\202\250\342\200\246\343\202\271"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = pf_sheet_shorten(cases[i].text, cases[i].width);
        CU_ASSERT_STRING_EQUAL(text, cases[i].expected);
        CU_ASSERT(pf_report_width(text) <= cases[i].width);
    }
    g_autofree char *broken = pf_sheet_shorten("a\377b", 9); /* no UTF-8 */
    CU_ASSERT(g_utf8_validate(broken, -1, NULL));
    g_autofree char *lines = pf_sheet_quote("a\nb");
    CU_ASSERT_STRING_EQUAL(lines, "'a b'");
}

/* The script of a chart of one panel with the series HEIGHTS of two points each. */
static char *script_of(const double (*heights)[2], size_t count)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    PfSheet sheet = {pf_figure_find("savings", NULL), ".", PF_TERMINAL_SVG, data, script};
    g_autoptr(PfChart) chart =
        pf_chart_new(&(PfChartLook){.title = "t", .series = "policy"});
    PfPanel *panel =
        pf_chart_add_panel(chart, "", (PfAxis){.column = "x", .name = "x"},
                           (PfAxis){.column = "y", .name = "y", .whole = true});
    for (size_t i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("line %zu", i);
        PfSeries *series =
            pf_panel_add_series(panel, name, name, (int)i, PF_STYLE_LINE, PF_NAME_END);
        pf_series_add(series, 0.0, heights[i][0]);
        pf_series_add(series, 1.0, heights[i][1]);
    }
    pf_chart_draw(chart, &sheet);
    return g_strdup(script->str);
}

static void same_lines_told(void)
{
    /* The axis goes from 0 to 100: 0.3 cannot be seen, 0.8 - 0.3 can. */
    static const double heights[][2] = {{0, 100}, {0, 100}, {0.3, 100}, {0.8, 100}};
    g_autofree char *script = script_of(heights, G_N_ELEMENTS(heights));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "'line 0'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "'line 1 (= line 0)'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "'line 2 (\342\211\210 line 0)'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "'line 3'"));
}

/* The commands for the vertical axis of values from LEAST to MOST. */
static char *tics_of(double least, double most)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    PfSheet sheet = {pf_figure_find("savings", NULL), ".", PF_TERMINAL_SVG, data, script};
    g_autoptr(PfChart) chart = pf_chart_new(&(PfChartLook){.title = "t", .series = "s"});
    PfPanel *panel = pf_chart_add_panel(chart, "", (PfAxis){.column = "x", .name = "x"},
                                        (PfAxis){.column = "y", .name = "y", .logarithmic = true});
    PfSeries *series = pf_panel_add_series(panel, "a", "a", 0, PF_STYLE_LINE, PF_NAME_END);
    pf_series_add(series, 0.0, least);
    pf_series_add(series, 1.0, most);
    pf_chart_draw(chart, &sheet);
    const char *found = strstr(script->str, "set ytics");
    return found != NULL ? g_strndup(found, strcspn(found, "\n")) : g_strdup("");
}

/* The axis is longer than its values by a factor of 1.15 at both ends. */
static void logarithmic_tics(void)
{
    g_autofree char *wide = tics_of(1.0, 10000.0);
    g_autofree char *middle = tics_of(1.0, 20.0);
    g_autofree char *narrow = tics_of(4.0, 5.4);
    CU_ASSERT_STRING_EQUAL(wide, "set ytics norotate (1, 10, 100, 1000, 10000)");
    CU_ASSERT_STRING_EQUAL(middle, "set ytics norotate (1, 2, 5, 10, 20)");
    /* From 3.5 to 6.2. */
    CU_ASSERT_STRING_EQUAL(narrow, "set ytics norotate (4, 5, 6)");
}

/* A line of a point would not be seen. */
static void one_point_is_marked(void)
{
    static const double heights[][2] = {{1, (double)NAN}, {0, 100}};
    g_autofree char *script = script_of(heights, G_N_ELEMENTS(heights));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "with points linecolor rgb '#0072B2'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "with lines linewidth 2 linecolor rgb '#D55E00'"));
}

static void figure_names(void)
{
    g_autoptr(GError) error = NULL;
    for (size_t i = 0; i < pf_figure_count(); i++)
        CU_ASSERT_PTR_EQUAL(pf_figure_find(pf_figure_at(i)->name, NULL), pf_figure_at(i));
    CU_ASSERT_PTR_NULL(pf_figure_find("savngs", &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_USAGE));
    CU_ASSERT(error != NULL && strstr(error->message, "did you mean savings?") != NULL);
}

/* A directory with the canned results of three policies. */
static char *make_results(void)
{
    char *place = g_dir_make_tmp("pagefold-figures-XXXXXX", NULL);
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    g_assert_true(pf_config_override(
        config, "policies=({ name = \"ksm\"; label = \"it's, ksm\"; }, { name = \"esx\"; })",
        NULL));
    PfSimulationOptions options = {.threads = 1, .trace = "dir/canned.trace"};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, NULL, &options, NULL);
    g_assert_true(pf_simulation_run(simulation, NULL));
    g_autoptr(GString) json = g_string_new(NULL);
    g_autoptr(GString) epochs = g_string_new(NULL);
    pf_report_json(json, simulation);
    pf_report_epochs_csv(epochs, simulation);
    g_autofree char *json_path = g_build_filename(place, "stats.json", NULL);
    g_autofree char *epochs_path = g_build_filename(place, "epochs.csv", NULL);
    g_assert_true(g_file_set_contents(json_path, json->str, -1, NULL));
    g_assert_true(g_file_set_contents(epochs_path, epochs->str, -1, NULL));
    return place;
}

/* Deletes PLACE and what is in it. */
static void clear_results(char *place)
{
    g_autoptr(GDir) directory = g_dir_open(place, 0, NULL);
    const char *name;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        char *path = g_build_filename(place, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            clear_results(path);
            continue;
        }
        g_remove(path);
        g_free(path);
    }
    g_rmdir(place);
    g_free(place);
}

static char *read_plot(const char *place, const char *name)
{
    g_autofree char *path = g_build_filename(place, "plots", name, NULL);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static bool has_gnuplot(void)
{
    g_autofree char *program = g_find_program_in_path("gnuplot");
    if (program == NULL)
        pf_check_skip("gnuplot is not installed (package gnuplot-nox)");
    return program != NULL;
}

static bool draw_one(const char *name, const char *place, PfTerminal terminal, GString *drawn,
                     GError **error)
{
    return pf_figure_draw(pf_figure_find(name, NULL), place, terminal, drawn, error);
}

static void savings_data(void)
{
    if (!has_gnuplot())
        return;
    char *place = make_results();
    CU_ASSERT(draw_one("savings", place, PF_TERMINAL_SVG, NULL, NULL));
    g_autofree char *data = read_plot(place, "savings.csv");
    /* At 1 GHz 260,000,000 cycles are 0.26 s; 100 pages of 4 KiB are 0.390625 MiB. */
    CU_ASSERT_STRING_EQUAL(data, "policy,time_s,saved_MiB\n"
                                 "none,0,0\nnone,0.25,0\nnone,0.5,0\n"
                                 "\"it's, ksm\",0,0\n\"it's, ksm\",0.26,0.390625\n"
                                 "\"it's, ksm\",0.52,1\n"
                                 "esx,0,null\nesx,0.255,0.15625\nesx,0.51,0.5\n");
    clear_results(place);
}

static void cycles_data(void)
{
    if (!has_gnuplot())
        return;
    char *place = make_results();
    CU_ASSERT(draw_one("cycles", place, PF_TERMINAL_SVG, NULL, NULL));
    g_autofree char *data = read_plot(place, "cycles.csv");
    /* Each segment begins where the one before ends, the last ends at the total; no empty ones. */
    CU_ASSERT_FATAL(data != NULL);
    CU_ASSERT(g_str_has_prefix(data, "policy,account,cycles,begin,end,row,number\n"
                                     "none,compute,3000000,0,3000000,3,0\n"
                                     "none,memory,1500000,3000000,4500000,3,1\n"
                                     "none,walk,400000,4500000,4900000,3,2\n"
                                     "none,fault,100000,4900000,5000000,3,3\n"
                                     "\"it's, ksm\",compute,3000000,0,3000000,2,0\n"));
    CU_ASSERT(strstr(data, "\"it's, ksm\",merge,100000,6000000,6100000,2,12\n") != NULL);
    clear_results(place);
}

/* Buckets of 256 to 511 have four values each: 256 to 259 are told by 259. A policy that lets 256
 * pages share is there, and not among those of more. */
static void classes_of_sharers(void)
{
    char *place = make_results();
    g_autofree char *path = g_build_filename(place, "distributions.csv", NULL);
    g_assert_true(g_file_set_contents(path,
                                      "policy,stat,unit,most,count\n"
                                      "esx,memory.sharers_pages,pages,127,1\n"
                                      "esx,memory.sharers_pages,pages,259,2\n"
                                      "esx,memory.sharers_pages,pages,263,1\n",
                                      -1, NULL));
    g_autoptr(GString) script = g_string_new(NULL);
    g_autoptr(GString) data = g_string_new(NULL);
    CU_ASSERT(pf_figure_prepare(pf_figure_find("multiplicity", NULL), place, PF_TERMINAL_SVG, data,
                                script, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "esx,65-256,639,")); /* 127 + 2 x 256 */
    CU_ASSERT_PTR_NOT_NULL(strstr(data->str, "esx,257-1024,260,"));
    clear_results(place);
}

/* Counts of `potential`, from which one of the figures is drawn. */
static void write_potential(const char *directory)
{
    static const char *const stats[] = {"no_sharing", "mmap_fork", "ksm_hint_all", "cbps"};
    static const char *const kinds[] = {"anon", "file", "shmem", "zero"};
    g_autoptr(GString) text = g_string_new("table,row,stat,value\n,,page_bytes,4096\n");
    for (size_t s = 0; s < G_N_ELEMENTS(stats); s++)
        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
            g_string_append_printf(text, "by_kind,%s,%s,%zu\n", kinds[k], stats[s],
                                   (k + 1) * (9 - s) * 10);
    g_autofree char *path = g_build_filename(directory, "potential.csv", NULL);
    g_file_set_contents(path, text->str, (gssize)text->len, NULL);
}

static void pictures_equal(void)
{
    if (!has_gnuplot())
        return;
    char *first = make_results();
    char *second = make_results();
    write_potential(first);
    write_potential(second);
    unsigned drawn = 0;
    for (size_t i = 0; i < pf_figure_count(); i++) {
        const PfFigure *figure = pf_figure_at(i);
        g_autoptr(GError) error = NULL;
        if (!pf_figure_draw(figure, first, PF_TERMINAL_SVG, NULL, &error)) {
            CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
            continue;
        }
        drawn++;
        CU_ASSERT(pf_figure_draw(figure, second, PF_TERMINAL_SVG, NULL, NULL));
        static const char *const endings[] = {".csv", ".gp", ".svg"};
        for (size_t e = 0; e < G_N_ELEMENTS(endings); e++) {
            g_autofree char *name = g_strconcat(figure->name, endings[e], NULL);
            g_autofree char *one = read_plot(first, name);
            g_autofree char *two = read_plot(second, name);
            CU_ASSERT_FATAL(one != NULL && two != NULL);
            CU_ASSERT(strlen(one) > 0);
            CU_ASSERT_STRING_EQUAL(one, two);
            CU_ASSERT_PTR_NULL(strstr(one, first));
        }
    }
    CU_ASSERT(drawn >= 3);
    clear_results(first);
    clear_results(second);
}

static void terminal_drawing(void)
{
    if (!has_gnuplot())
        return;
    char *place = make_results();
    g_autoptr(GString) drawn = g_string_new(NULL);
    CU_ASSERT(draw_one("savings", place, PF_TERMINAL_DUMB, drawn, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(drawn->str, "Memory saved, canned.trace"));
    CU_ASSERT_PTR_NOT_NULL(strstr(drawn->str, "it's, ksm"));
    g_auto(GStrv) lines = g_strsplit(drawn->str, "\n", -1);
    CU_ASSERT(g_strv_length(lines) <= 26);
    for (char **line = lines; *line != NULL; line++)
        CU_ASSERT(g_utf8_strlen(*line, -1) <= 79);
    clear_results(place);
}

static void gnuplot_missing(void)
{
    char *place = make_results();
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_autoptr(GError) error = NULL;
    g_setenv("PATH", "/nonexistent", TRUE);
    CU_ASSERT(!draw_one("savings", place, PF_TERMINAL_SVG, NULL, &error));
    g_setenv("PATH", path, TRUE);
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_IO));
    CU_ASSERT(error != NULL && strstr(error->message, "gnuplot-nox") != NULL);
    g_autofree char *script = read_plot(place, "savings.gp");
    CU_ASSERT_PTR_NOT_NULL(script);
    clear_results(place);
}

static const PfCheck checks[] = {
    {"labels that do not touch stay where they are", spread_untouched},
    {"labels that touch move as far up as down", spread_centred},
    {"labels stay within the axes", spread_bounded},
    {"steps of an axis are 1, 2, 2.5 or 5 times a power of ten", nice_steps},
    {"quotes in names are doubled for gnuplot", quotes_doubled},
    {"long names lose their middle, wide letters count twice", names_shortened},
    {"a line that lies on another one says on which", same_lines_told},
    {"a logarithmic axis has two tics at least, however short", logarithmic_tics},
    {"a line of one point is a mark", one_point_is_marked},
    {"a figure is found by its name, and a misspelt one told", figure_names},
    {"savings: cycles become seconds and pages MiB", savings_data},
    {"cycles: segments stand end to end", cycles_data},
    {"multiplicity: pages that share 256 to a frame are not said to be more", classes_of_sharers},
    {"the same results give the same files, wherever they lie", pictures_equal},
    {"a terminal's figure fits 79 columns", terminal_drawing},
    {"without gnuplot the error names the package, and the script is there", gnuplot_missing},
};

PF_CHECK_MAIN("figures", checks)
