/* Red-black trees over elements of a segmented array, which are named by their index; index 0 is
 * nobody. An element begins with its PfTreeLinks. The tree knows no order: who inserts has walked
 * down and says where.
 *
 * Insertion and deletion rebalance as in Cormen, Leiserson, Rivest and Stein, "Introduction to
 * Algorithms", chapter 13: at a deletion of an element with two children its successor takes its
 * place and colour. The shape that results is part of the promise, since it decides which elements
 * a walk meets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "seg_array.h"

typedef struct {
    uint32_t parent_color; /* twice the parent's index, plus 1 if black */
    uint32_t left;
    uint32_t right;
} PfTreeLinks;

typedef struct {
    const PfSegArray *elements; /* borrowed; may grow */
    uint32_t root;
} PfTree;

/* The links of element INDEX of TREE. */
static inline PfTreeLinks *pf_tree_links(const PfTree *tree, uint32_t index)
{
    return pf_seg_array_at(tree->elements, index);
}

/* Makes INDEX the left (or right) child of PARENT, which had none there; the root where PARENT is
 * 0. */
void pf_tree_insert(PfTree *tree, uint32_t index, uint32_t parent, bool is_left);

/* Takes INDEX out. */
void pf_tree_erase(PfTree *tree, uint32_t index);

/* Puts INDEX in the place of OLD, which is out then. */
void pf_tree_replace(PfTree *tree, uint32_t old, uint32_t index);

/* Asserts that TREE is a red-black tree, and calls VISIT for each element in order. */
void pf_tree_check(const PfTree *tree, void (*visit)(uint32_t index, void *user),
                       void *user);
