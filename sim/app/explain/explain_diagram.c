#include "explain_diagram.h"

#include <inttypes.h>
#include <string.h>

#include "report.h"

/* Rows of pages of one frame, and frames: more are summed up. Where there are more frames only
 * those are drawn that something happened to. */
enum { ROWS_OF_FRAME = 6, FRAMES_MAX = 24 };
/* Columns before the picture, of pages, of a frame's number, its content and its references. */
enum {
    MARGIN = 3,
    PAGES_COLUMNS = 27,
    NUMBER_COLUMNS = 9,
    CONTENT_COLUMNS = 14,
    REFS_COLUMNS = 9,
};

/* Neighbouring pages of a context that map one frame. */
typedef struct {
    PfPage first;
    uint64_t pages;
    uint32_t frame;
    bool is_writable;
} Stretch;

/* A line: a stretch of pages, the line to the frame, the frame. */
typedef struct {
    char *pages;      /* "" where nobody maps the frame */
    const char *wire;
    char *frame;      /* "" where it is that of the row above */
    uint32_t number;  /* of the frame */
} Row;

static void clear_row(void *user)
{
    Row *row = user;
    g_free(row->pages);
    g_free(row->frame);
}

void pf_explain_diagram_init(PfExplainDiagram *diagram)
{
    diagram->before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pf_table_init(&diagram->filed);
    pf_table_init(&diagram->hints);
    pf_table_init(&diagram->kept);
    pf_table_init(&diagram->touched);
}

void pf_explain_diagram_clear(PfExplainDiagram *diagram)
{
    g_hash_table_unref(diagram->before);
    pf_table_clear(&diagram->filed);
    pf_table_clear(&diagram->hints);
    pf_table_clear(&diagram->kept);
    pf_table_clear(&diagram->touched);
}

static void count_hint(PfExplainDiagram *diagram, uint64_t frame, int change)
{
    uint64_t count = 0;
    pf_table_find(&diagram->hints, frame, &count);
    pf_table_insert(&diagram->hints, frame, count + (uint64_t)change);
}

static uint64_t key_of(PfPage page)
{
    enum { CONTEXT_SHIFT = 44 }; /* there are 2^20 contexts at most */
    return page.cpn.number ^ (uint64_t)page.context << CONTEXT_SHIFT;
}

void pf_explain_diagram_step(PfExplainDiagram *diagram, const PfStep *step)
{
    uint64_t frame;
    if (step->kind == PF_STEP_HINT)
        pf_table_insert(&diagram->kept, key_of(step->page), 0);
    else if (step->kind == PF_STEP_NO_HINT)
        pf_table_remove(&diagram->kept, key_of(step->page));
    else if (step->kind == PF_STEP_NO_HINTS)
        pf_table_clear(&diagram->kept);
    if (step->kind == PF_STEP_FAULT || step->kind == PF_STEP_MERGED ||
        step->kind == PF_STEP_REDIRECTED || step->kind == PF_STEP_UNSHARED)
        pf_table_insert(&diagram->touched, step->frame.number, 0);
    bool is_there = pf_table_find(&diagram->filed, step->number, &frame);
    if (step->kind == PF_STEP_FILED && !is_there) {
        pf_table_insert(&diagram->filed, step->number, step->frame.number);
        count_hint(diagram, step->frame.number, 1);
    } else if ((step->kind == PF_STEP_UNFILED || step->kind == PF_STEP_LOST) && is_there) {
        pf_table_remove(&diagram->filed, step->number);
        count_hint(diagram, frame, -1);
    }
}

/* ---- What is mapped ---- */

static gint compare_stretches(gconstpointer a, gconstpointer b)
{
    const Stretch *left = a;
    const Stretch *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    if (left->first.context != right->first.context)
        return left->first.context < right->first.context ? -1 : 1;
    return left->first.cpn.number < right->first.cpn.number ? -1 : 1;
}

/* All pages that map a frame, by frame. */
static GArray *find_stretches(const PfRun *run)
{
    GArray *stretches = g_array_new(FALSE, FALSE, sizeof(Stretch));
    PfPage page = {0, {0}};
    while (pf_host_cursor_next(run->host, page, &page)) {
        PfMpn frame;
        unsigned flags = pf_host_look(run->host, page, &frame);
        bool is_writable = (flags & PF_FLAG_WRITABLE) != 0;
        Stretch *last = stretches->len > 0
                            ? &g_array_index(stretches, Stretch, stretches->len - 1)
                            : NULL;
        if (last != NULL && last->first.context == page.context && last->frame == frame.number &&
            last->first.cpn.number + last->pages == page.cpn.number) {
            last->pages++;
        } else {
            Stretch next = {page, 1, frame.number, is_writable};
            g_array_append_val(stretches, next);
        }
        page.cpn.number++;
    }
    g_array_sort(stretches, compare_stretches);
    return stretches;
}

/* One word for what a store to FRAME meets. */
static const char *state_of(const PfExplainDiagram *diagram, const PfFrame *frame,
                            const Stretch *stretch)
{
    uint64_t hints = 0;
    if ((frame->count & PF_FRAME_FILE) != 0)
        return "page cache";
    if (stretch == NULL)
        return "held";
    if (stretch->frame == PF_ZERO_FRAME.number)
        return "zero page";
    if (!stretch->is_writable)
        return "COW";
    pf_table_find(&diagram->hints, stretch->frame, &hints);
    bool is_hint = hints > 0 || pf_table_find(&diagram->kept, key_of(stretch->first), NULL);
    return is_hint ? "hint" : "private";
}

/* ---- Rows ---- */

static void pad(GString *text, size_t from, size_t columns)
{
    size_t width = pf_report_width(text->str + from);
    g_string_append_printf(text, "%*s", (int)(MAX(columns, width + 1) - width), "");
}

static char *describe_frame(const PfExplainDiagram *diagram, const PfExplainStyle *style,
                            PfRun *run, uint32_t number, const Stretch *stretch)
{
    const PfFrame *frame = pf_frame_at(&run->memory.frames, (PfMpn){number});
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "frame %" PRIu32, number);
    pad(text, 0, NUMBER_COLUMNS);
    size_t from = text->len;
    pf_explain_frame_content(text, style, run, (PfMpn){number});
    pad(text, from, CONTENT_COLUMNS);
    from = text->len;
    pf_explain_count(text, pf_frame_refs(frame), "ref");
    pad(text, from, REFS_COLUMNS);
    g_string_append(text, state_of(diagram, frame, stretch));
    if ((frame->count & PF_FRAME_PINNED) != 0)
        g_string_append(text, ", pinned");
    return g_string_free(text, FALSE);
}

/* "CONTEXT:0xADDRESS", with "x4" behind it for four pages. */
static char *describe_stretch(const PfExplainStyle *style, const PfRun *run,
                              const Stretch *stretch)
{
    g_autofree char *place =
        g_strdup_printf(":0x%" PRIx64, stretch->first.cpn.number
                                           << pf_image_page_shift(run->image));
    g_autofree char *count =
        stretch->pages > 1 ? g_strdup_printf(" x%" PRIu64, stretch->pages) : g_strdup("");
    size_t taken = strlen(place) + strlen(count);
    GString *text = g_string_new(NULL);
    pf_explain_name(text, style, pf_image_context(run->image, stretch->first.context)->name,
                    MAX(PAGES_COLUMNS, taken + 3) - taken);
    g_string_append_printf(text, "%s%s", place, count);
    return g_string_free(text, FALSE);
}

static char *describe_rest(uint64_t count)
{
    GString *text = g_string_new("and ");
    pf_explain_number(text, count);
    g_string_append(text, " more");
    return g_string_free(text, FALSE);
}

static char *describe_frames(uint64_t count)
{
    GString *text = g_string_new("and ");
    pf_explain_count(text, count, "more frame");
    return g_string_free(text, FALSE);
}

/* The line from row INDEX of COUNT to the frame that they have in common. */
static const char *wire_of(const PfExplainStyle *style, guint index, guint count)
{
    if (count == 1)
        return style->is_ascii ? "---->" : "────>";
    if (index == 0)
        return style->is_ascii ? "--+->" : "──┬─>";
    if (index + 1 < count)
        return style->is_ascii ? "--+" : "──┤";
    return style->is_ascii ? "--+" : "──┘";
}

static void add_row(GArray *rows, char *pages, const char *wire, char *frame, uint32_t number)
{
    Row row = {pages, wire, frame, number};
    g_array_append_val(rows, row);
}

/* The rows of frame NUMBER: COUNT stretches from AT on. */
static void add_frame(const PfExplainDiagram *diagram, GArray *rows, const PfExplainStyle *style,
                      PfRun *run, uint32_t number, const Stretch *at, guint count)
{
    char *frame = describe_frame(diagram, style, run, number, count > 0 ? at : NULL);
    guint shown = MIN(count, ROWS_OF_FRAME);
    for (guint i = 0; i < shown; i++) {
        bool is_rest = shown < count && i + 1 == shown;
        uint64_t rest = 0;
        for (guint j = i; is_rest && j < count; j++)
            rest += at[j].pages;
        char *pages = is_rest ? describe_rest(rest) : describe_stretch(style, run, &at[i]);
        add_row(rows, pages, wire_of(style, i, shown), i == 0 ? frame : g_strdup(""), number);
    }
    if (count == 0)
        add_row(rows, g_strdup(""), "", frame, number);
}

/* The last row: frames that were in use and are free, the first of them by number. */
static void add_free(GArray *rows, const GArray *numbers)
{
    enum { NUMBERS_MAX = 8 };
    if (numbers->len == 0)
        return;
    GString *text = g_string_new("free: ");
    for (guint i = 0; i < MIN(numbers->len, NUMBERS_MAX); i++)
        g_string_append_printf(text, "%s%" PRIu32, i > 0 ? ", " : "",
                               g_array_index(numbers, uint32_t, i));
    if (numbers->len > NUMBERS_MAX) {
        g_autofree char *rest = describe_rest(numbers->len - NUMBERS_MAX);
        g_string_append_printf(text, " %s", rest);
    }
    add_row(rows, g_strdup(""), "", g_string_free(text, FALSE), UINT32_MAX);
}

/* Whether only what was touched can be drawn. */
static bool is_too_large(const PfRun *run)
{
    return run->memory.frames.used_frames > FRAMES_MAX;
}

/* Whether frame NUMBER has a row: the zero page takes no room, so nobody misses it. */
static bool is_told(const PfRun *run, uint32_t number, bool is_mapped)
{
    if (number == PF_ZERO_FRAME.number)
        return is_mapped;
    return pf_frame_is_used(pf_frame_at(&run->memory.frames, (PfMpn){number}));
}

/* All frames that are or were in use, by number. */
static GArray *make_rows(const PfExplainDiagram *diagram, const PfExplainStyle *style, PfRun *run)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(rows, clear_row);
    g_autoptr(GArray) stretches = find_stretches(run);
    g_autoptr(GArray) unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    bool is_large = is_too_large(run);
    guint from = 0;
    uint64_t frames = 0;
    uint64_t rest = 0;
    for (uint32_t number = 0; number < run->memory.frames.limit; number++) {
        guint to = from;
        while (to < stretches->len && g_array_index(stretches, Stretch, to).frame == number)
            to++;
        bool is_touched = !is_large || pf_table_find(&diagram->touched, number, NULL);
        if (!is_told(run, number, to > from)) {
            if (number != PF_ZERO_FRAME.number)
                g_array_append_val(unused, number);
        } else if (is_touched && frames < FRAMES_MAX) {
            add_frame(diagram, rows, style, run, number,
                      (const Stretch *)(void *)stretches->data + from, to - from);
            frames++;
        } else {
            rest++;
        }
        from = to;
    }
    if (rest > 0)
        add_row(rows, g_strdup(""), "", describe_frames(rest), UINT32_MAX);
    add_free(rows, unused);
    return rows;
}

/* ---- The picture ---- */

/* TEXT, cut at the last column. */
static void append_line(GString *out, const char *text)
{
    const char *end = text + strlen(text);
    if (pf_report_width(text) > PF_EXPLAIN_COLUMNS)
        end = g_utf8_offset_to_pointer(text, PF_EXPLAIN_COLUMNS);
    while (end > text && end[-1] == ' ')
        end--;
    g_string_append_len(out, text, end - text);
}

/* A star stands before what is new of it: its pages, its frame. */
static void draw_row(GString *out, const PfExplainStyle *style, const Row *row, size_t columns,
                     bool has_new_pages, bool has_new_frame)
{
    g_autoptr(GString) text = g_string_new(has_new_pages ? " * " : "   ");
    g_string_append(text, row->pages);
    pad(text, MARGIN, columns);
    size_t from = text->len;
    g_string_append(text, row->wire);
    pad(text, from, pf_report_width(wire_of(style, 0, 1)) + 1);
    text->str[text->len - 1] = has_new_frame ? '*' : ' ';
    g_string_append(text, row->frame);
    bool is_bold = (has_new_pages || has_new_frame) && style->has_color;
    g_string_append(out, is_bold ? "\033[1m" : "");
    append_line(out, text->str);
    g_string_append(out, is_bold ? "\033[0m\n" : "\n");
}

/* Puts what a row says into SAID. True if it was not said BEFORE. */
static bool is_new_saying(GHashTable *said, GHashTable *before, char *key)
{
    bool is_new = !g_hash_table_contains(before, key);
    g_hash_table_add(said, key);
    return is_new;
}

void pf_explain_diagram_draw(PfExplainDiagram *diagram, GString *out, const PfExplainStyle *style,
                             PfRun *run)
{
    if (is_too_large(run) && pf_table_count(&diagram->touched) == 0)
        return;
    g_autoptr(GArray) rows = make_rows(diagram, style, run);
    GHashTable *said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) picture = g_string_new(NULL);
    size_t columns = 0;
    for (guint i = 0; i < rows->len; i++)
        columns = MAX(columns, pf_report_width(g_array_index(rows, Row, i).pages) + 1);
    bool is_changed = g_hash_table_size(diagram->before) == 0;
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        char *link = g_strdup_printf("%s>%" PRIu32, row->pages, row->number);
        bool has_new_pages =
            is_new_saying(said, diagram->before, link) && row->pages[0] != '\0';
        bool has_new_frame =
            row->frame[0] != '\0' &&
            is_new_saying(said, diagram->before, g_strdup(row->frame));
        draw_row(picture, style, row, columns, has_new_pages, has_new_frame);
        is_changed |= has_new_pages || has_new_frame;
    }
    is_changed |= g_hash_table_size(said) != g_hash_table_size(diagram->before);
    if (is_changed && rows->len > 0)
        g_string_append_printf(out, "\n%s", picture->str);
    g_hash_table_unref(diagram->before);
    diagram->before = said;
}
