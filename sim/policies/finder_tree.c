/* A tree of pages ordered by their bytes, as Linux's KSM keeps two, instead of a table of hashes:
 * nothing is found by a key, and no two contents are taken for one another.
 *
 * A walk charges each level a line of the node and the comparison with its page up to the first
 * difference. Values of equal content hang at one node as a list. A real tree is ordered by what
 * its pages hold now, and decays as they are stored to; this one keeps each value where its page's
 * bytes belonged when it was filed, so that it finds what every other finder finds. A node is six
 * words: three links of the tree, two of the list, the value. */
#include "policy.h"
#include "seg_array.h"
#include "table.h"
#include "tree.h"

enum { NODE_BYTES = 48 };

#define END_OF_LIST UINT64_MAX

/* Numbered from 1; the first of a list is in the tree. */
typedef struct {
    PfTreeLinks links;
    uint32_t next;     /* filed before this one; of unused nodes: the next of these */
    uint32_t previous; /* 0: this is the first of its list */
    bool is_filed;
    PfTicket ticket;
    uint64_t value;
} Node;

/* Where a walk ended. */
typedef struct {
    uint32_t node; /* 0: the tree is empty */
    int sign;      /* 0: at equal bytes; else the side of the node where nothing is */
} End;

typedef struct {
    PfHost *host;
    uint64_t capacity;
    PfSegArray nodes;
    uint32_t top;
    uint32_t first_unused;
    PfTree tree;
    PfTable number_of; /* value -> number of its node */
    bool has_sought;   /* nothing was filed or removed since the search for `sought` ended */
    PfTicket sought;
    End sought_end;
    uint64_t levels;
} Tree;

static Node *node_at(const Tree *self, uint32_t number)
{
    g_assert(number > 0 && number <= self->top);
    return pf_seg_array_at(&self->nodes, number);
}

static void *tree_create(PfHost *host, const void *config, uint64_t frames, GError **error)
{
    (void)config;
    (void)error;
    Tree *self = g_new0(Tree, 1);
    self->host = host;
    self->capacity = frames;
    pf_seg_array_init(&self->nodes, sizeof(Node));
    self->tree.elements = &self->nodes;
    pf_stats_counter(pf_host_stats(host), "tree_levels", "events",
                     "Nodes of the finder whose page was compared with one looked up or filed.",
                     &self->levels);
    return self;
}

static void forget_sought(Tree *self)
{
    if (self->has_sought)
        pf_host_forget(self->host, self->sought);
    self->has_sought = false;
}

static void tree_free(void *user)
{
    Tree *self = user;
    if (self == NULL)
        return;
    forget_sought(self);
    for (uint32_t number = 1; number <= self->top; number++)
        if (node_at(self, number)->is_filed)
            pf_host_forget(self->host, node_at(self, number)->ticket);
    pf_seg_array_clear(&self->nodes);
    pf_table_clear(&self->number_of);
    g_free(self);
}

/* Walks down to the bytes of TICKET, or to where they would be. */
static End walk(Tree *self, PfTicket ticket)
{
    End end = {.node = 0, .sign = -1};
    uint64_t levels = 0;
    for (uint32_t at = self->tree.root; at != 0 && end.sign != 0;) {
        Node *node = node_at(self, at);
        end.node = at;
        end.sign = pf_host_compare_tickets(self->host, ticket, node->ticket);
        at = end.sign < 0 ? node->links.left : node->links.right;
        levels++;
    }
    self->levels += levels;
    if (levels > 0)
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, levels);
    return end;
}

/* The cursor is the number of the next node of the list. */
static bool tree_find(void *user, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    (void)key;
    Tree *self = user;
    uint32_t number = 0;
    if (*cursor == 0) {
        forget_sought(self);
        self->sought = pf_host_remember(self->host, page);
        self->sought_end = walk(self, self->sought);
        self->has_sought = true;
        number = self->sought_end.sign == 0 ? self->sought_end.node : 0;
    } else if (*cursor != END_OF_LIST) {
        number = (uint32_t)*cursor;
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
    }
    *cursor = END_OF_LIST;
    if (number == 0)
        return false;
    const Node *node = node_at(self, number);
    *ret_value = node->value;
    if (node->next != 0)
        *cursor = node->next;
    return true;
}

static uint32_t take_node(Tree *self)
{
    g_assert(pf_table_count(&self->number_of) < self->capacity);
    uint32_t number = self->first_unused;
    if (number != 0) {
        self->first_unused = node_at(self, number)->next;
        return number;
    }
    number = ++self->top;
    pf_seg_array_reserve(&self->nodes, (uint64_t)number + 1);
    return number;
}

/* Where a page of the bytes of TICKET belongs: where the search for them has just ended, or else by
 * a walk. */
static End place_of(Tree *self, PfTicket ticket)
{
    bool is_sought = self->has_sought && ticket.content == self->sought.content &&
                     ticket.class == self->sought.class &&
                     pf_mpn_equal(ticket.frame, self->sought.frame);
    forget_sought(self);
    return is_sought ? self->sought_end : walk(self, ticket);
}

static void tree_file(void *user, uint64_t key, PfPage page, uint64_t value)
{
    (void)key;
    Tree *self = user;
    PfTicket ticket = pf_host_remember(self->host, page);
    End end = place_of(self, ticket);
    uint32_t number = take_node(self);
    bool is_new = pf_table_insert(&self->number_of, value, number);
    g_assert(is_new);
    *node_at(self, number) = (Node){.is_filed = true, .ticket = ticket, .value = value};
    if (end.node != 0 && end.sign == 0) {
        node_at(self, number)->next = end.node;
        node_at(self, end.node)->previous = number;
        pf_tree_replace(&self->tree, end.node, number);
    } else {
        pf_tree_insert(&self->tree, number, end.node, end.sign < 0);
    }
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 2);
}

static void tree_unfile(void *user, uint64_t key, uint64_t value)
{
    (void)key;
    Tree *self = user;
    forget_sought(self);
    uint64_t number;
    bool found = pf_table_find(&self->number_of, value, &number);
    g_assert(found);
    pf_table_remove(&self->number_of, value);
    Node *node = node_at(self, (uint32_t)number);
    if (node->next != 0)
        node_at(self, node->next)->previous = node->previous;
    if (node->previous != 0)
        node_at(self, node->previous)->next = node->next;
    else if (node->next != 0)
        pf_tree_replace(&self->tree, (uint32_t)number, node->next);
    else
        pf_tree_erase(&self->tree, (uint32_t)number);
    pf_host_forget(self->host, node->ticket);
    *node = (Node){.next = self->first_unused};
    self->first_unused = (uint32_t)number;
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 2);
}

static uint64_t tree_metadata_bytes(const void *user)
{
    const Tree *self = user;
    return pf_table_count(&self->number_of) * NODE_BYTES;
}

/* NUMBER is the first of a list. */
static void check_list(uint32_t number, void *user)
{
    const Tree *self = user;
    uint32_t previous = 0;
    for (; number != 0; number = node_at(self, number)->next) {
        const Node *node = node_at(self, number);
        uint64_t found;
        bool is_known = pf_table_find(&self->number_of, node->value, &found);
        g_assert(node->is_filed && is_known && found == number);
        g_assert(node->previous == previous);
        previous = number;
    }
}

static void tree_check(void *user)
{
    const Tree *self = user;
    pf_tree_check(&self->tree, check_list, user);
    uint64_t unused = 0;
    for (uint32_t number = self->first_unused; number != 0; number = node_at(self, number)->next)
        unused++;
    g_assert(pf_table_count(&self->number_of) + unused == self->top);
}

const PfFinderOps pf_finder_tree = {
    .name = "tree",
    .summary = "Tree ordered by the bytes of pages, compared with one page a level.",
    .create = tree_create,
    .free = tree_free,
    .find = tree_find,
    .file = tree_file,
    .unfile = tree_unfile,
    .metadata_bytes = tree_metadata_bytes,
    .check = tree_check,
};
