/* The red-black trees: shapes of textbook examples, and random use. */
#include "check.h"

#include <glib.h>

#include "tree.h"
#include "rng.h"

typedef struct {
    PfTreeLinks links;
    uint32_t key;
} Element;

typedef struct {
    PfSegArray elements;
    PfTree tree;
} Fixture;

enum { ELEMENTS_MAX = 512 };

static void set_up(Fixture *fixture)
{
    pf_seg_array_init(&fixture->elements, sizeof(Element));
    pf_seg_array_reserve(&fixture->elements, ELEMENTS_MAX + 1);
    fixture->tree = (PfTree){.elements = &fixture->elements};
}

static Element *element(const Fixture *fixture, uint32_t index)
{
    return pf_seg_array_at(&fixture->elements, index);
}

/* Puts INDEX where its key belongs. */
static void insert(Fixture *fixture, uint32_t index, uint32_t key)
{
    uint32_t parent = 0;
    bool is_left = false;
    element(fixture, index)->key = key;
    for (uint32_t at = fixture->tree.root; at != 0;) {
        const Element *other = element(fixture, at);
        parent = at;
        is_left = key < other->key;
        at = is_left ? other->links.left : other->links.right;
    }
    pf_tree_insert(&fixture->tree, index, parent, is_left);
}

static uint32_t find(const Fixture *fixture, uint32_t key)
{
    uint32_t at = fixture->tree.root;
    while (at != 0 && element(fixture, at)->key != key)
        at = key < element(fixture, at)->key ? element(fixture, at)->links.left
                                             : element(fixture, at)->links.right;
    return at;
}

/* "38B(19R(12B,31B),41B)": keys, colours, children; - for a missing child beside a present one. */
static void print(const Fixture *fixture, uint32_t index, GString *text)
{
    if (index == 0) {
        g_string_append_c(text, '-');
        return;
    }
    const Element *at = element(fixture, index);
    g_string_append_printf(text, "%u%c", at->key, (at->links.parent_color & 1) != 0 ? 'B' : 'R');
    if (at->links.left == 0 && at->links.right == 0)
        return;
    g_string_append_c(text, '(');
    print(fixture, at->links.left, text);
    g_string_append_c(text, ',');
    print(fixture, at->links.right, text);
    g_string_append_c(text, ')');
}

static bool is_shape(const Fixture *fixture, const char *shape)
{
    g_autoptr(GString) text = g_string_new(NULL);
    print(fixture, fixture->tree.root, text);
    if (g_str_equal(text->str, shape))
        return true;
    printf("# %s, not %s\n", text->str, shape);
    return false;
}

/* Cormen et al., exercises 13.3-2 and 13.4-3, worked by hand with their procedures. */
static void exercises_of_the_textbook_come_out(void)
{
    static const uint32_t keys[] = {41, 38, 31, 12, 19, 8};
    static const char *const inserted[] = {
        "41B",
        "41B(38R,-)",
        "38B(31R,41R)",
        "38B(31B(12R,-),41B)",
        "38B(19B(12R,31R),41B)",
        "38B(19R(12B(8R,-),31B),41B)",
    };
    static const uint32_t gone[] = {8, 12, 19, 31, 38, 41};
    static const char *const erased[] = {
        "38B(19R(12B,31B),41B)", "38B(19B(-,31R),41B)", "38B(31B,41B)", "38B(-,41R)", "41B", "-",
    };
    Fixture fixture;
    set_up(&fixture);
    for (uint32_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        insert(&fixture, i + 1, keys[i]);
        CU_ASSERT_TRUE(is_shape(&fixture, inserted[i]));
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(gone); i++) {
        pf_tree_erase(&fixture.tree, find(&fixture, gone[i]));
        CU_ASSERT_TRUE(is_shape(&fixture, erased[i]));
    }
    pf_seg_array_clear(&fixture.elements);
}

/* 1..8 in order end as 4B over 2R and 6R. Without 4, its successor 5 stands there, black; where 5
 * was nobody is missing: 6 lost a black child, its right one (7B over 8R) makes up for it: the
 * sibling's far child is red, so 6 goes down black and 7 rises with 6's colour, red. */
static void successor_takes_place_and_colour(void)
{
    Fixture fixture;
    set_up(&fixture);
    for (uint32_t i = 1; i <= 8; i++)
        insert(&fixture, i, i);
    CU_ASSERT_TRUE(is_shape(&fixture, "4B(2R(1B,3B),6R(5B,7B(-,8R)))"));
    pf_tree_erase(&fixture.tree, 4);
    CU_ASSERT_TRUE(is_shape(&fixture, "5B(2R(1B,3B),7R(6B,8B))"));
    /* The successor of 7 is its right child, without children: its place is filled from 7's. */
    pf_tree_erase(&fixture.tree, 7);
    CU_ASSERT_TRUE(is_shape(&fixture, "5B(2R(1B,3B),8B(6R,-))"));
    pf_seg_array_clear(&fixture.elements);
}

static void replacement_keeps_place_and_colour(void)
{
    Fixture fixture;
    set_up(&fixture);
    for (uint32_t i = 1; i <= 8; i++)
        insert(&fixture, i, 10 * i);
    for (uint32_t i = 1; i <= 8; i++) {
        element(&fixture, 100 + i)->key = 10 * i + 1;
        pf_tree_replace(&fixture.tree, i, 100 + i);
    }
    CU_ASSERT_TRUE(is_shape(&fixture, "41B(21R(11B,31B),61R(51B,71B(-,81R)))"));
    pf_seg_array_clear(&fixture.elements);
}

typedef struct {
    const Fixture *fixture;
    uint32_t seen;
    uint32_t last_key;
    bool in_order;
} Order;

static void see(uint32_t index, void *user)
{
    Order *order = user;
    uint32_t key = element(order->fixture, index)->key;
    order->in_order &= order->seen == 0 || order->last_key <= key;
    order->last_key = key;
    order->seen++;
}

/* Keys come twice and more; the walk puts equal ones to the right. */
static void random_use_keeps_a_red_black_tree_in_order(void)
{
    Fixture fixture;
    set_up(&fixture);
    PfRng rng = pf_rng_derive(1, "tree");
    bool is_in[ELEMENTS_MAX + 1] = {false};
    uint32_t count = 0;
    for (unsigned step = 0; step < 20000; step++) {
        uint32_t index = 1 + (uint32_t)pf_rng_below(&rng, ELEMENTS_MAX);
        if (is_in[index])
            pf_tree_erase(&fixture.tree, index);
        else
            insert(&fixture, index, (uint32_t)pf_rng_below(&rng, ELEMENTS_MAX / 2));
        count += is_in[index] ? UINT32_MAX : 1;
        is_in[index] = !is_in[index];
        if (step % 16 != 0)
            continue;
        Order order = {.fixture = &fixture, .in_order = true};
        pf_tree_check(&fixture.tree, see, &order);
        CU_ASSERT_EQUAL(order.seen, count);
        CU_ASSERT_TRUE(order.in_order);
    }
    pf_seg_array_clear(&fixture.elements);
}

static const PfCheck checks[] = {
    {"the exercises of the textbook come out", exercises_of_the_textbook_come_out},
    {"a successor takes place and colour of what is erased", successor_takes_place_and_colour},
    {"a replacement keeps place and colour", replacement_keeps_place_and_colour},
    {"random use keeps a red-black tree in order", random_use_keeps_a_red_black_tree_in_order},
};

PF_CHECK_MAIN("tree", checks)
