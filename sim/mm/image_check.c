/* Recounts what the image keeps count of. */
#include "image_internal.h"

void pf_image_check(const PfImage *image)
{
    uint64_t populated = 0;
    uint64_t private_frames = 0;
    uint64_t zero_maps = 0;
    for (uint32_t c = 0; c < image->contexts->len; c++) {
        const PfImageContext *context = image_context(image, c);
        uint64_t own = 0;
        pf_region_list_check(&context->regions);
        GTreeNode *node = g_tree_node_first(context->leaves->order);
        for (; node != NULL; node = g_tree_node_next(node)) {
            const PfLeaf *leaf = g_tree_node_value(node);
            g_assert(leaf->context == c);
            for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
                PfBaseState state = image_base_state(image, pf_leaf_slot(leaf, i).index);
                own += (leaf->flags[i] & PF_IMAGE_POPULATED) != 0;
                private_frames += state == PF_BASE_PRIVATE;
                zero_maps += state == PF_BASE_ZERO;
            }
        }
        g_assert(own == context->populated_pages);
        populated += own;
    }
    g_assert(populated == image->populated_pages);
    uint64_t groups = 0;
    for (unsigned i = 0; i < image->groups->len; i++) {
        const BaseGroup *group = &g_array_index(image->groups, BaseGroup, i);
        groups += group->maps + group->pins > 0;
    }
    for (unsigned i = 0; i < image->pins->len; i++)
        zero_maps += g_array_index(image->pins, BasePin, i).group == UINT32_MAX;
    g_assert(zero_maps == image->zero_maps);
    g_assert((uint64_t)image->baseline_frames == private_frames + groups + (zero_maps > 0));
}
