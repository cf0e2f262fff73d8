#include "tree.h"

#include <glib.h>

static uint32_t parent_of(const PfTree *tree, uint32_t index)
{
    return pf_tree_links(tree, index)->parent_color >> 1;
}

/* Nobody is black. */
static bool is_black(const PfTree *tree, uint32_t index)
{
    return index == 0 || (pf_tree_links(tree, index)->parent_color & 1) != 0;
}

static void set_parent(const PfTree *tree, uint32_t index, uint32_t parent)
{
    PfTreeLinks *links = pf_tree_links(tree, index);
    links->parent_color = parent << 1 | (links->parent_color & 1);
}

static void set_black(const PfTree *tree, uint32_t index, bool black)
{
    PfTreeLinks *links = pf_tree_links(tree, index);
    links->parent_color = (links->parent_color & ~1U) | black;
}

/* The side of PARENT where INDEX hangs; the root's place where PARENT is 0. */
static uint32_t *place_of(PfTree *tree, uint32_t parent, uint32_t index)
{
    if (parent == 0)
        return &tree->root;
    PfTreeLinks *links = pf_tree_links(tree, parent);
    return links->left == index ? &links->left : &links->right;
}

static uint32_t *child(const PfTree *tree, uint32_t index, bool is_left)
{
    PfTreeLinks *links = pf_tree_links(tree, index);
    return is_left ? &links->left : &links->right;
}

/* INDEX goes down to the left (or right); its child of the other side takes its place. */
static void rotate(PfTree *tree, uint32_t index, bool to_left)
{
    uint32_t parent = parent_of(tree, index);
    uint32_t riser = *child(tree, index, !to_left);
    uint32_t passed = *child(tree, riser, to_left);
    *place_of(tree, parent, index) = riser;
    set_parent(tree, riser, parent);
    *child(tree, index, !to_left) = passed;
    if (passed != 0)
        set_parent(tree, passed, index);
    *child(tree, riser, to_left) = index;
    set_parent(tree, index, riser);
}

/* INDEX is red, and its parent may be too. */
static void settle_insertion(PfTree *tree, uint32_t index)
{
    uint32_t parent;
    while (!is_black(tree, parent = parent_of(tree, index))) {
        uint32_t grandparent = parent_of(tree, parent);
        bool is_left = pf_tree_links(tree, grandparent)->left == parent;
        uint32_t uncle = *child(tree, grandparent, !is_left);
        if (!is_black(tree, uncle)) {
            set_black(tree, uncle, true);
            set_black(tree, parent, true);
            set_black(tree, grandparent, false);
            index = grandparent;
            continue;
        }
        if (*child(tree, parent, !is_left) == index) {
            rotate(tree, parent, is_left);
            parent = index;
        }
        set_black(tree, parent, true);
        set_black(tree, grandparent, false);
        rotate(tree, grandparent, !is_left);
        break;
    }
    set_black(tree, tree->root, true);
}

void pf_tree_insert(PfTree *tree, uint32_t index, uint32_t parent, bool is_left)
{
    g_assert(index != 0 && index <= UINT32_MAX >> 1);
    *pf_tree_links(tree, index) = (PfTreeLinks){.parent_color = parent << 1};
    uint32_t *place = parent == 0 ? &tree->root : child(tree, parent, is_left);
    g_assert(*place == 0);
    *place = index;
    settle_insertion(tree, index);
}

/* Paths through INDEX (may be nobody), the child of PARENT, lack one black element. */
static void settle_deletion(PfTree *tree, uint32_t index, uint32_t parent)
{
    while (parent != 0 && is_black(tree, index)) {
        bool is_left = pf_tree_links(tree, parent)->left == index;
        uint32_t sibling = *child(tree, parent, !is_left);
        if (!is_black(tree, sibling)) {
            set_black(tree, sibling, true);
            set_black(tree, parent, false);
            rotate(tree, parent, is_left);
            sibling = *child(tree, parent, !is_left);
        }
        uint32_t near = *child(tree, sibling, is_left);
        uint32_t far = *child(tree, sibling, !is_left);
        if (is_black(tree, near) && is_black(tree, far)) {
            set_black(tree, sibling, false);
            index = parent;
            parent = parent_of(tree, index);
            continue;
        }
        if (is_black(tree, far)) {
            set_black(tree, near, true);
            set_black(tree, sibling, false);
            rotate(tree, sibling, !is_left);
            far = sibling;
            sibling = near;
        }
        set_black(tree, sibling, is_black(tree, parent));
        set_black(tree, parent, true);
        set_black(tree, far, true);
        rotate(tree, parent, is_left);
        index = tree->root;
        break;
    }
    if (index != 0)
        set_black(tree, index, true);
}

void pf_tree_erase(PfTree *tree, uint32_t index)
{
    PfTreeLinks gone = *pf_tree_links(tree, index);
    uint32_t parent = parent_of(tree, index);
    uint32_t riser; /* takes the place where an element is missing afterwards */
    bool lacks_black;
    if (gone.left == 0 || gone.right == 0) {
        riser = gone.left != 0 ? gone.left : gone.right;
        lacks_black = is_black(tree, index);
        *place_of(tree, parent, index) = riser;
        if (riser != 0)
            set_parent(tree, riser, parent);
        if (lacks_black)
            settle_deletion(tree, riser, parent);
        return;
    }
    uint32_t successor = gone.right;
    while (pf_tree_links(tree, successor)->left != 0)
        successor = pf_tree_links(tree, successor)->left;
    riser = pf_tree_links(tree, successor)->right;
    lacks_black = is_black(tree, successor);
    uint32_t hole = parent_of(tree, successor);
    if (hole == index)
        hole = successor;
    else
        *place_of(tree, hole, successor) = riser;
    if (riser != 0)
        set_parent(tree, riser, hole);
    if (hole == successor)
        pf_tree_links(tree, index)->right = riser;
    pf_tree_replace(tree, index, successor);
    if (lacks_black)
        settle_deletion(tree, riser, hole);
}

void pf_tree_replace(PfTree *tree, uint32_t old, uint32_t index)
{
    const PfTreeLinks *links = pf_tree_links(tree, old);
    *place_of(tree, links->parent_color >> 1, old) = index;
    if (links->left != 0)
        set_parent(tree, links->left, index);
    if (links->right != 0)
        set_parent(tree, links->right, index);
    *pf_tree_links(tree, index) = *links;
}

/* The black height of the tree below INDEX. */
static unsigned check_below(const PfTree *tree, uint32_t index, uint32_t parent,
                            void (*visit)(uint32_t, void *), void *user)
{
    if (index == 0)
        return 0;
    const PfTreeLinks *links = pf_tree_links(tree, index);
    bool black = is_black(tree, index);
    g_assert(links->parent_color >> 1 == parent);
    g_assert(black || (is_black(tree, links->left) && is_black(tree, links->right)));
    unsigned left = check_below(tree, links->left, index, visit, user);
    visit(index, user);
    unsigned right = check_below(tree, links->right, index, visit, user);
    g_assert(left == right);
    return left + black;
}

void pf_tree_check(const PfTree *tree, void (*visit)(uint32_t index, void *user), void *user)
{
    g_assert(is_black(tree, tree->root));
    check_below(tree, tree->root, 0, visit, user);
}
