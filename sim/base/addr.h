/* Typed page numbers and addresses, and the words that all names obey.
 *
 *   context   a virtual machine or a process: something with its own address translation
 *   VPN       virtual page number, of a process
 *   PPN       guest-physical page number, of a virtual machine
 *   CPN       context page number: the page number that the host maps to a machine page
 *             (the PPN of a virtual machine, the VPN of a process)
 *   MPN       machine page number: the number of a frame
 *   BPN       bus page number: what stands for an MPN above a memory controller that remaps
 *   slot      dense number of a (context, CPN) pair, the same in every run of a simulation
 *   frame     a machine page: an MPN with its content, reference count, colour, node, flags
 *   content   the bytes of a page, interned: equal bytes are one object
 *
 * Each kind of number is a struct of one member, so that mixing two kinds does not compile; both
 * compilers make the same code of it as of a bare integer. Arithmetic goes through this header. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t number;
} PfVpn;

typedef struct {
    uint64_t number;
} PfPpn;

typedef struct {
    uint64_t number;
} PfCpn;

typedef struct {
    uint32_t number;
} PfMpn;

/* Of a bus page: see indirection.h. */
typedef struct {
    uint32_t number;
} PfBpn;

typedef struct {
    uint32_t index;
} PfSlot;

/* Byte address as a context's trace states it (CPN space). */
typedef struct {
    uint64_t bytes;
} PfCaddr;

/* Byte address in a process's virtual address space. */
typedef struct {
    uint64_t bytes;
} PfVaddr;

/* Byte address in machine memory: what caches and DRAM see. */
typedef struct {
    uint64_t bytes;
} PfMaddr;

/* The page that ADDRESS lies in; PAGE_SHIFT is log2 of the page size in bytes. */
static inline PfCpn pf_caddr_page(PfCaddr address, unsigned page_shift)
{
    return (PfCpn){address.bytes >> page_shift};
}

static inline PfVpn pf_vaddr_page(PfVaddr address, unsigned page_shift)
{
    return (PfVpn){address.bytes >> page_shift};
}

static inline PfCaddr pf_cpn_address(PfCpn page, unsigned page_shift)
{
    return (PfCaddr){page.number << page_shift};
}

/* The machine address of byte OFFSET_BYTES (less than a page) of frame MPN. */
static inline PfMaddr pf_mpn_address(PfMpn mpn, unsigned page_shift, uint64_t offset_bytes)
{
    return (PfMaddr){((uint64_t)mpn.number << page_shift) | offset_bytes};
}

static inline PfMpn pf_maddr_page(PfMaddr address, unsigned page_shift)
{
    return (PfMpn){(uint32_t)(address.bytes >> page_shift)};
}

static inline PfCpn pf_cpn_plus(PfCpn page, uint64_t pages)
{
    return (PfCpn){page.number + pages};
}

static inline bool pf_mpn_equal(PfMpn a, PfMpn b)
{
    return a.number == b.number;
}

static inline bool pf_cpn_equal(PfCpn a, PfCpn b)
{
    return a.number == b.number;
}

static inline bool pf_slot_equal(PfSlot a, PfSlot b)
{
    return a.index == b.index;
}
