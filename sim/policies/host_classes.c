/* Classes of pages that do not share with each other (Waldspurger, US 6,789,156 B1, "Multiple
 * Sharing Mechanisms"), and what such a rule costs.
 *
 * The class of a page is that of its context (label, kind, user) and of its frame (colour, node). A
 * frame's own class is kept from the first look at a page that maps it until it is free: no merge
 * goes to a frame of another class, nor, where contexts make classes, to one that the system itself
 * lets pages of several classes map: of the page cache, of aliases, the zero frame. */
#include <string.h>

#include "color.h"
#include "host_class_rules.h"
#include "host_classes.h"
#include "table.h"

#define OF_CONTEXT (1U << PF_CLASS_LABEL | 1U << PF_CLASS_KIND | 1U << PF_CLASS_USER)

/* In the pool, with the class of a frame and one: pages of other classes may map it too. And, as
 * that of contexts: everybody's. */
#define MIXED  ((uint32_t)1 << 31)
#define COMMON UINT32_MAX

struct PfHostClasses {
    unsigned rules;     /* 1 << CLASS_... */
    unsigned frame_classes; /* what colour and node tell apart */
    GArray *of_contexts; /* uint32_t by context: class + 1, 0 if not known yet */
    GHashTable *names;   /* of a context's class -> class + 1; owned */
    GArray *examples;    /* uint32_t: a context of each such class */
    PfTable filed;       /* value -> class that it was filed under */
    PfStatValue count;
    PfStatValue forgone;
};

/* ---- Birth and death ---- */

static PfStatValue read_count(const void *user)
{
    const PfHostClasses *classes = ((const PfHost *)user)->classes;
    return classes != NULL ? classes->count : pf_stat_null();
}

static PfStatValue read_forgone(const void *user)
{
    const PfHostClasses *classes = ((const PfHost *)user)->classes;
    return classes != NULL ? classes->forgone : pf_stat_null();
}

void pf_host_create_classes(PfHost *host)
{
    PfStatsGroup *group = pf_stats_group(host->base.stats, "class");
    pf_stats_level(group, "count", "events", "Classes that eligible pages are in.", read_count,
                   host);
    pf_stats_level(group, "forgone_pages", "pages",
                   "Frames that equal eligible pages need as they are in several classes.",
                   read_forgone, host);
    pf_host_register_class_rules(host);
    if (host->setup->class_rules == 0)
        return;
    PfHostClasses *classes = g_new0(PfHostClasses, 1);
    host->classes = classes;
    classes->rules = host->setup->class_rules;
    classes->frame_classes = host->base.color_count * host->base.memory->frames.node_count;
    classes->of_contexts = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    classes->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    classes->examples = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    pf_table_init(&classes->filed);
}

void pf_host_free_classes(PfHost *host)
{
    g_free(host->class_forgone);
    if (host->classes == NULL)
        return;
    g_array_unref(host->classes->examples);
    g_array_unref(host->classes->of_contexts);
    g_hash_table_unref(host->classes->names);
    pf_table_clear(&host->classes->filed);
    g_free(host->classes);
}

/* ---- The class of a page ---- */

static bool has(const PfHostClasses *classes, PfClassRule rule)
{
    return (classes->rules >> rule & 1) != 0;
}

/* What RULES see of CONTEXT, and nothing else; owned by the caller. */
static char *name_class(const PfHost *host, uint32_t context, unsigned rules)
{
    const PfImageContext *known = pf_image_context(host->base.memory->image, context);
    bool by_label = (rules >> PF_CLASS_LABEL & 1) != 0 && known->label != NULL;
    bool by_user = (rules >> PF_CLASS_USER & 1) != 0 && known->user != NULL;
    bool by_kind = (rules >> PF_CLASS_KIND & 1) != 0;
    const char *label = by_label ? known->label : "";
    return g_strdup_printf("%u %zu %s %s", by_kind ? (unsigned)known->kind : 0, strlen(label),
                           label, by_user ? known->user : "");
}

/* The number of NAME, which it takes over, in NAMES: from 1 in order of first use. */
static uint32_t number_name(GHashTable *known, char *name)
{
    uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(known, name));
    if (number != 0) {
        g_free(name);
        return number;
    }
    number = g_hash_table_size(known) + 1;
    g_hash_table_insert(known, name, GUINT_TO_POINTER(number));
    return number;
}

/* The class of CONTEXT by what it is called in the trace. */
static uint32_t find_class(const PfHost *host, uint32_t context)
{
    PfHostClasses *classes = host->classes;
    uint32_t number = number_name(classes->names, name_class(host, context, classes->rules));
    if (number > classes->examples->len)
        g_array_append_val(classes->examples, context);
    return number - 1;
}

static uint32_t class_of_context(const PfHost *host, uint32_t context)
{
    GArray *known = host->classes->of_contexts;
    if ((host->classes->rules & OF_CONTEXT) == 0)
        return 0;
    if (context >= known->len)
        g_array_set_size(known, context + 1);
    uint32_t *class = &g_array_index(known, uint32_t, context);
    if (*class == 0)
        *class = find_class(host, context) + 1;
    return *class - 1;
}

static uint32_t class_of_frame(const PfHost *host, PfMpn frame)
{
    const PfHostClasses *classes = host->classes;
    uint32_t color = has(classes, PF_CLASS_COLOR) ? pf_host_color(host, frame) : 0;
    uint32_t node = has(classes, PF_CLASS_NODE) ? pf_host_node(host, frame) : 0;
    return node * host->base.color_count + color;
}

/* Of the frame of PAGE; where it has none yet, of colour 0 on the node that it would come from. */
static uint32_t class_of_place(const PfHost *host, PfPage page)
{
    PfSlot slot;
    const PfMemory *memory = host->base.memory;
    if (pf_host_present_slot(host, page, &slot))
        return class_of_frame(host, (PfMpn){pf_memory_entry(memory, slot)->mpn});
    if (!has(host->classes, PF_CLASS_NODE) || !pf_host_slot(host, page, &slot))
        return 0;
    return pf_memory_home(memory, slot) * host->base.color_count;
}

uint32_t pf_host_class(const PfHost *host, PfPage page)
{
    if (host->classes == NULL)
        return 0;
    return class_of_context(host, page.context) * host->classes->frame_classes +
           class_of_place(host, page);
}

/* ---- The class of a frame ---- */

void pf_host_note_class(const PfHost *host, PfPage page, PfMpn frame)
{
    if (host->classes == NULL || (host->classes->rules & OF_CONTEXT) == 0)
        return;
    PfFramePool *frames = &host->base.memory->frames;
    if (G_UNLIKELY(pf_frame_class(frames, frame) == 0))
        pf_frame_set_class(frames, frame, class_of_context(host, page.context) + 1);
}

void pf_host_page_aliased(PfHost *host, PfPage source, PfPage target)
{
    PfMpn frame;
    if (host->classes == NULL || !pf_host_frame(host, source, &frame) ||
        class_of_context(host, source.context) == class_of_context(host, target.context))
        return;
    PfFramePool *frames = &host->base.memory->frames;
    pf_frame_set_class(frames, frame, pf_frame_class(frames, frame) | MIXED);
}

/* Of which class FRAME's first page is; the same until it is free, as orders depend on it. */
static uint64_t whole_class(const PfHost *host, PfMpn frame)
{
    uint64_t of_pages = 0;
    const PfFramePool *frames = &host->base.memory->frames;
    if ((host->classes->rules & OF_CONTEXT) != 0) {
        bool is_system = frame.number == 0 ||
                         (pf_frame_at(frames, frame)->count & PF_FRAME_FILE) != 0;
        of_pages = is_system ? COMMON : pf_frame_class(frames, frame) & ~MIXED;
    }
    return of_pages << 32 | class_of_frame(host, frame);
}

int pf_host_compare_classes(const PfHost *host, PfMpn a, PfMpn b)
{
    if (host->classes == NULL)
        return 0;
    uint64_t left = whole_class(host, a);
    uint64_t right = whole_class(host, b);
    return (left > right) - (left < right);
}

bool pf_host_classes_allow(PfHost *host, PfPage page, PfMpn frame)
{
    if (host->classes == NULL)
        return true;
    uint64_t of_pages = (host->classes->rules & OF_CONTEXT) != 0
                            ? (uint64_t)class_of_context(host, page.context) + 1
                            : 0;
    bool is_mixed = (pf_frame_class(&host->base.memory->frames, frame) & MIXED) != 0;
    uint64_t class = of_pages << 32 | class_of_place(host, page);
    if (!is_mixed && class == whole_class(host, frame))
        return true;
    pf_host_verdict(host, page, PF_WHY_CLASS);
    return false;
}

/* ---- Keys ---- */

static uint64_t salted(uint64_t key, uint32_t class)
{
    PfRng salt = {class};
    return class != 0 ? key ^ pf_rng_next(&salt) : key;
}

uint64_t pf_host_class_key(PfHost *host, uint64_t key, PfPage page)
{
    return salted(key, pf_host_class(host, page));
}

void pf_host_file_class(PfHost *host, uint64_t value, PfPage page)
{
    uint32_t class = pf_host_class(host, page);
    if (class != 0)
        pf_table_insert(&host->classes->filed, value, class);
}

uint64_t pf_host_unfile_class(PfHost *host, uint64_t key, uint64_t value)
{
    uint64_t class = 0;
    if (host->classes != NULL && pf_table_find(&host->classes->filed, value, &class))
        pf_table_remove(&host->classes->filed, value);
    return salted(key, (uint32_t)class);
}

/* ---- What the rule costs ---- */

/* What classes keep apart: contents that pages hold, and the class that one of these is in. */
struct PfClassCensus {
    GHashTable *contents; /* content + 1 -> a class + 1, or COMMON */
    GArray *of_slots;     /* uint32_t: content + 1, 0 if unknown or not eligible */
};

static bool content_of(PfMemory *memory, PfSlot slot, PfContent *ret_content)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    unsigned wanted = PF_ENTRY_PRESENT | PF_ENTRY_ELIGIBLE;
    return (entry->flags & wanted) == wanted &&
           pf_memory_frame_content(memory, (PfMpn){entry->mpn}, ret_content);
}

/* Adds the page at SLOT, which holds CONTENT and is of CLASS. */
static void add_page(PfClassCensus *census, uint32_t content, uint32_t class)
{
    gpointer key = GUINT_TO_POINTER(content + 1);
    uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(census->contents, key));
    if (known == 0)
        g_hash_table_insert(census->contents, key, GUINT_TO_POINTER(class + 1));
    else if (known != class + 1)
        g_hash_table_insert(census->contents, key, GUINT_TO_POINTER(COMMON));
}

/* A content and a class that some eligible page with it is in. */
typedef struct {
    uint32_t content;
    uint32_t class;
} Copy;

/* Frames that COPIES, which are all different, would do without if classes did not tell by RULE. */
static uint64_t forgone_for(const PfHost *host, const GArray *copies, PfClassRule rule)
{
    const PfHostClasses *classes = host->classes;
    unsigned rest = classes->rules & ~(1U << rule);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GArray) of_contexts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < classes->examples->len; i++) {
        uint32_t context = g_array_index(classes->examples, uint32_t, i);
        uint32_t number = number_name(known, name_class(host, context, rest));
        g_array_append_val(of_contexts, number);
    }
    PfTable left;
    pf_table_init(&left);
    for (guint i = 0; i < copies->len; i++) {
        Copy copy = g_array_index(copies, Copy, i);
        uint32_t of_contexts_class = copy.class / classes->frame_classes;
        uint32_t of_frame = copy.class % classes->frame_classes;
        if (rule == PF_CLASS_COLOR)
            of_frame -= of_frame % host->base.color_count;
        else if (rule == PF_CLASS_NODE)
            of_frame %= host->base.color_count;
        uint32_t number = of_contexts_class < of_contexts->len
                              ? g_array_index(of_contexts, uint32_t, of_contexts_class)
                              : 0;
        uint32_t class = number * classes->frame_classes + of_frame;
        pf_table_insert(&left, (uint64_t)copy.content << 32 | class, 1);
    }
    uint64_t forgone = copies->len - pf_table_count(&left);
    pf_table_clear(&left);
    return forgone;
}

static void count_forgone(PfHost *host, const GArray *copies, uint64_t contents, uint64_t count)
{
    host->classes->count = pf_stat_uint(count);
    host->classes->forgone = pf_stat_uint(copies->len - contents);
    for (PfClassRule rule = 0; rule < PF_CLASS_RULES; rule++)
        if (has(host->classes, rule) && host->setup->whole == NULL)
            host->class_forgone[rule] = pf_stat_uint(forgone_for(host, copies, rule));
}

PfClassCensus *pf_host_count_classes(PfHost *host)
{
    if (host->classes == NULL)
        return NULL;
    PfMemory *memory = host->base.memory;
    PfClassCensus *census = g_new0(PfClassCensus, 1);
    census->contents = g_hash_table_new(NULL, NULL);
    census->of_slots = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    g_array_set_size(census->of_slots, (guint)memory->entry_limit);
    uint32_t contexts = pf_image_context_count(memory->image);
    g_autoptr(GArray) copies = g_array_new(FALSE, FALSE, sizeof(Copy)); /* once each */
    PfTable met;
    PfTable counted;
    pf_table_init(&met);
    pf_table_init(&counted);
    for (uint64_t i = 0; i < memory->entry_limit; i++) {
        PfSlot slot = {(uint32_t)i};
        PfContent content;
        const PfLeaf *leaf = pf_image_leaf_of(memory->image, slot);
        if (leaf->context >= contexts || !content_of(memory, slot, &content))
            continue; /* the page of a file, or nothing to share */
        PfPage page = {leaf->context, pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES)};
        uint32_t class = pf_host_class(host, page);
        g_array_index(census->of_slots, uint32_t, i) = content.index + 1;
        add_page(census, content.index, class);
        Copy copy = {content.index, class};
        if (pf_table_insert(&met, (uint64_t)content.index << 32 | class, 1))
            g_array_append_val(copies, copy);
        pf_table_insert(&counted, class, 1);
    }
    count_forgone(host, copies, g_hash_table_size(census->contents), pf_table_count(&counted));
    pf_table_clear(&met);
    pf_table_clear(&counted);
    return census;
}

bool pf_class_census_is_apart(const PfClassCensus *census, PfSlot slot)
{
    if (census == NULL)
        return false;
    uint32_t content = g_array_index(census->of_slots, uint32_t, slot.index);
    gpointer class = g_hash_table_lookup(census->contents, GUINT_TO_POINTER(content));
    return content != 0 && GPOINTER_TO_UINT(class) == COMMON;
}

void pf_class_census_free(PfHost *host, PfClassCensus *census)
{
    if (census == NULL)
        return;
    for (guint i = 0; i < census->of_slots->len; i++) {
        uint32_t content = g_array_index(census->of_slots, uint32_t, i);
        if (content != 0)
            pf_content_unref(host->base.memory->frames.store, (PfContent){content - 1});
    }
    g_hash_table_unref(census->contents);
    g_array_unref(census->of_slots);
    g_free(census);
}

/* ---- Invariants ---- */

/* No page is on a frame of another class by the policy's doing. */
void pf_host_check_classes(const PfHost *host)
{
    const PfMemory *memory = host->base.memory;
    if (host->classes == NULL || (host->classes->rules & OF_CONTEXT) == 0)
        return;
    for (uint64_t i = 0; i < memory->entry_limit; i++) {
        const PfEntry *entry = pf_memory_entry(memory, (PfSlot){(uint32_t)i});
        unsigned wanted = PF_ENTRY_PRESENT | PF_ENTRY_SHARING;
        if ((entry->flags & wanted) != wanted)
            continue;
        uint32_t context = pf_image_leaf_of(memory->image, (PfSlot){(uint32_t)i})->context;
        uint32_t class = pf_frame_class(&memory->frames, (PfMpn){entry->mpn});
        g_assert((class & MIXED) != 0 || class == class_of_context(host, context) + 1);
    }
}
