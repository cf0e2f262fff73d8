/* The DRAM of each node, as one port: a request goes to the controllers of the node that its frame
 * is on, which take no time for that.
 *
 * Addresses are passed on as they are, so that page colours mean the same banks on each node. What
 * is no frame is read where it is asked for: from the node of the core. */
#pragma once

#include "dram.h"
#include "nodes.h"
#include "port.h"

typedef struct {
    PfPort port;
    const PfNodes *nodes;
    unsigned page_shift;
    PfDram *drams[PF_NODES_MAX];
} PfHomes;

/* DRAMS (one for each of NODES) and NODES are borrowed; pages have 1 << PAGE_SHIFT bytes. */
void pf_homes_init(PfHomes *homes, const PfNodes *nodes, PfDram *const *drams,
                   unsigned page_shift);

/* The node that ADDRESS is on, for CORE. */
static inline unsigned pf_homes_node(const PfHomes *homes, PfMaddr address, uint16_t core)
{
    if (homes->nodes->count == 1)
        return 0;
    if (address.bytes >= PF_NODES_TABLES)
        return homes->nodes->node_of_core[core];
    return pf_nodes_of_frame(homes->nodes,
                             (PfMpn){(uint32_t)(address.bytes >> homes->page_shift)});
}

/* What asks the controllers of all nodes; with one node, those themselves. Borrowed. */
PfPort *pf_homes_port(PfHomes *homes);

/* The channels of all nodes; and, of these, the number of the one that ADDRESS is on, for CORE. */
unsigned pf_homes_channels(const PfHomes *homes);
unsigned pf_homes_channel(const PfHomes *homes, PfMaddr address, uint16_t core);
