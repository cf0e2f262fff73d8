/* Keys of pages: what they are, and what making them costs, in software or by a hash engine. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "host_alike.h"

static PfHashEngine *engine_of(const PfHost *host)
{
    return host->base.work->hash_engine;
}

PfHashKind pf_host_hash_kind(const PfHost *host)
{
    const PfHashEngine *engine = engine_of(host);
    return engine != NULL ? (PfHashKind)pf_hash_engine_config(engine)->kind : PF_HASH_SOFTWARE;
}

/* Whether the key is that of DRAM, whatever the caches hold. */
static bool is_stale(const PfHost *host)
{
    const PfHashEngine *engine = engine_of(host);
    return engine != NULL && pf_hash_engine_config(engine)->dirty == PF_DIRTY_STALE &&
           pf_hash_engine_config(engine)->at == PF_HASH_AT_CONTROLLER;
}

/* ---- What a key is ---- */

/* The key of BYTES of a page, if the engine has a function of its own. */
static bool hash_by_engine(const PfHost *host, const uint8_t *bytes, uint64_t *ret_key)
{
    const PfHashEngine *engine = engine_of(host);
    uint32_t page_bytes = host->base.work->page_bytes;
    PfKeyForm form;
    switch (pf_host_hash_kind(host)) {
    case PF_HASH_SOFTWARE:
    case PF_HASH_FULL:
        return false;
    case PF_HASH_INCREMENTAL:
        form = pf_hash_engine_form(engine);
        *ret_key = pf_key_page(&form, bytes, page_bytes);
        return true;
    case PF_HASH_ECC:
        form = pf_hash_engine_form(engine);
        *ret_key = pf_ecc_key(bytes, page_bytes, form.line_bytes,
                              (uint32_t)pf_hash_engine_config(engine)->ecc_line);
        return true;
    }
    return false;
}

/* What the policy's hash, or the engine, makes of a page of BYTES. */
static uint64_t hash_of_bytes(const PfHost *host, const uint8_t *bytes)
{
    if (host->alike != NULL)
        bytes = pf_host_what_counts(host, bytes);
    uint64_t key;
    if (hash_by_engine(host, bytes, &key))
        return key;
    return host->setup->hash->hash(bytes + host->setup->common.hash_offset_bytes, host->hash_bytes);
}

static uint64_t hash_of_content(const PfHost *host, PfContent content)
{
    PfContentStore *store = host->base.memory->frames.store;
    PfHashKind kind = pf_host_hash_kind(host);
    bool by_policy = kind == PF_HASH_SOFTWARE || kind == PF_HASH_FULL;
    /* The store's own hash is XXH3-64: no need to compute that again. */
    if (by_policy && host->alike == NULL && host->hash_bytes == host->base.work->page_bytes)
        return g_str_equal(host->setup->hash->name, "xxh3")
                   ? pf_content_hash(store, content)
                   : pf_content_digest(store, content, host->setup->hash->hash, host->scratch);
    const uint8_t *bytes = pf_content_bytes(store, content, host->scratch);
    return bytes != NULL ? hash_of_bytes(host, bytes) : pf_content_hash(store, content);
}

/* What a policy files pages by is as wide as the CAM's keys; a checksum is not. */
static uint64_t hash_bits(const PfHost *host)
{
    bool is_key = host->uses_cam && (host->setup->ops->flags & PF_POLICY_INDEXED) == 0;
    uint64_t bits = host->setup->common.hash_bits;
    return is_key ? MIN(bits, host->base.cam->key_bits) : bits;
}

uint64_t pf_host_cut_key(const PfHost *host, uint64_t hash)
{
    uint64_t bits = hash_bits(host);
    return bits >= 64 ? hash : hash & (((uint64_t)1 << bits) - 1);
}

uint64_t pf_host_key_of_bytes(const PfHost *host, const uint8_t *bytes)
{
    return pf_host_cut_key(host, hash_of_bytes(host, bytes));
}

uint64_t pf_host_key_of(PfHost *host, PfContent content)
{
    return pf_host_cut_key(host, hash_of_content(host, content));
}

unsigned pf_host_key_bits(const PfHost *host)
{
    static const unsigned engine_bits[] = {
        [PF_HASH_INCREMENTAL] = PF_KEY_BITS, [PF_HASH_ECC] = 8 * PF_ECC_LINES};
    PfHashKind kind = pf_host_hash_kind(host);
    bool by_policy = kind == PF_HASH_SOFTWARE || kind == PF_HASH_FULL;
    unsigned bits = by_policy ? host->setup->hash->bits : engine_bits[kind];
    return (unsigned)MIN(hash_bits(host), bits);
}

uint64_t pf_host_zero_hash(PfHost *host)
{
    return pf_host_key_of(host, PF_CONTENT_OF_ZEROS);
}

/* ---- Lines of which DRAM has old bytes ---- */

/* About to be stored: what DRAM has of these lines, unless they are dirty already. */
static void line_stored(void *user, PfMaddr address, uint64_t bytes)
{
    PfHost *host = user;
    PfMemory *memory = host->base.memory;
    PfKeyForm form = pf_hash_engine_form(engine_of(host));
    unsigned page_shift = pf_image_page_shift(memory->image);
    uint64_t last = (address.bytes + bytes - 1) / form.line_bytes;
    const uint8_t *page = NULL;
    PfContent content;
    for (uint64_t line = address.bytes / form.line_bytes; line <= last; line++) {
        if (pf_table_find(&host->stale_lines, line, NULL))
            continue;
        PfMpn frame = {(uint32_t)(address.bytes >> page_shift)};
        if (page == NULL && !pf_memory_frame_content(memory, frame, &content))
            return;
        if (page == NULL)
            page = pf_content_bytes(memory->frames.store, content, host->scratch);
        if (page == NULL) {
            pf_content_unref(memory->frames.store, content);
            return;
        }
        uint64_t offset = (line * form.line_bytes) & (((uint64_t)1 << page_shift) - 1);
        pf_table_insert(&host->stale_lines, line, pf_key_line(&form, page + offset));
    }
    if (page != NULL)
        pf_content_unref(memory->frames.store, content);
}

static void line_written_back(void *user, PfMaddr address, uint32_t bytes)
{
    PfHost *host = user;
    uint32_t line_bytes = pf_hash_engine_form(engine_of(host)).line_bytes;
    for (uint64_t at = address.bytes; at < address.bytes + bytes; at += line_bytes)
        pf_table_remove(&host->stale_lines, at / line_bytes);
}

/* KEY, that of CONTENT in FRAME, as DRAM has it. */
static uint64_t key_in_dram(PfHost *host, PfMpn frame, PfContent content, uint64_t key)
{
    const uint8_t *page =
        pf_content_bytes(host->base.memory->frames.store, content, host->scratch);
    if (page == NULL || pf_table_count(&host->stale_lines) == 0)
        return key;
    PfKeyForm form = pf_hash_engine_form(engine_of(host));
    unsigned page_shift = pf_image_page_shift(host->base.memory->image);
    uint64_t first = pf_mpn_address(frame, page_shift, 0).bytes / form.line_bytes;
    for (uint32_t i = 0; i < host->base.work->page_bytes / form.line_bytes; i++) {
        uint64_t old;
        if (pf_table_find(&host->stale_lines, first + i, &old))
            key = pf_key_replace(key, i, pf_key_line(&form, page + (size_t)i * form.line_bytes),
                                 old);
    }
    return key;
}

static const PfHashWatcher watcher = {.stored = line_stored, .written_back = line_written_back};

/* ---- The service ---- */

static void charge_software(PfHost *host, const PfMaddr *address)
{
    if (address != NULL)
        pf_work_read(host->base.work, host->place, PF_ACCOUNT_HASH, *address, host->hash_bytes);
    pf_work_charge(host->base.work, host->place, PF_ACCOUNT_HASH,
                   (host->setup->hash->cycles_per_kib * host->hash_bytes + 1023) / 1024);
}

/* The policy waits for the key. */
static void charge_engine(PfHost *host, PfHashEngine *engine, PfMaddr address)
{
    PfWork *work = host->base.work;
    const PfHashEngineConfig *config = pf_hash_engine_config(engine);
    /* Its table of keys: a line that no cache holds. */
    if (config->kind == PF_HASH_INCREMENTAL)
        pf_work_charge(work, host->place, PF_ACCOUNT_HASH, work->costs->line_cycles);
    PfCore *core = host->place->core;
    PfHashJob job = {.first = {.address = address,
                               .now_cycles = core->now_cycles,
                               .core = host->place->index,
                               .actor = host->place->actor},
                     .bytes = host->hash_bytes,
                     .reads_dram = work->full && config->at == PF_HASH_AT_CONTROLLER};
    if (config->kind == PF_HASH_FULL && config->at == PF_HASH_AT_CORE)
        pf_work_read(work, host->place, PF_ACCOUNT_HASH, address, host->hash_bytes);
    job.ready_cycles = core->now_cycles;
    if (!work->full && config->at == PF_HASH_AT_CONTROLLER)
        job.ready_cycles += config->kind == PF_HASH_ECC
                                ? PF_ECC_LINES * work->costs->line_cycles
                                : pf_costs_scale(work->costs->read_page_cycles, job.bytes);
    uint64_t done = pf_hash_engine_page(engine, &job);
    if (done > core->now_cycles)
        pf_work_charge(work, host->place, PF_ACCOUNT_HASH, done - core->now_cycles);
}

void pf_host_charge_hash(PfHost *host, const PfMpn *frame)
{
    PfHashEngine *engine = engine_of(host);
    /* A page without a frame reads as the zero page. */
    PfMaddr address = pf_host_frame_address(host, frame != NULL ? *frame : PF_ZERO_FRAME);
    address.bytes += host->setup->common.hash_offset_bytes;
    if (engine == NULL) {
        charge_software(host, frame != NULL ? &address : NULL);
    } else {
        pf_hash_engine_start(engine);
        charge_engine(host, engine, address);
    }
}

bool pf_host_engine_leaves_out(const PfHost *host, PfPage page)
{
    PfHashEngine *engine = engine_of(host);
    PfSlot slot;
    if (engine == NULL || !pf_hash_engine_is_on(engine) || !host->base.work->full ||
        !pf_host_present_slot(host, page, &slot))
        return false;
    PfEntry *entry = pf_memory_entry(host->base.memory, slot);
    if (!pf_hash_engine_leaves_out(engine, pf_host_frame_address(host, (PfMpn){entry->mpn})))
        return false;
    entry->flags = (entry->flags & ~(uint32_t)PF_ENTRY_WHY_MASK) |
                   ((uint32_t)PF_WHY_VOLATILE << PF_ENTRY_WHY_SHIFT);
    return true;
}

/* What FRAME holds, hashed; unknown bytes equal nothing. */
static uint64_t key_of_frame(PfHost *host, PfMpn frame)
{
    PfMemory *memory = host->base.memory;
    PfContent content;
    bool is_owned = false;
    if (!pf_memory_frame_peek(memory, frame, &content)) {
        if (!pf_memory_frame_content(memory, frame, &content))
            return UINT64_MAX - frame.number;
        is_owned = true;
    }
    uint64_t key = hash_of_content(host, content);
    if (is_stale(host))
        key = key_in_dram(host, frame, content, key);
    if (is_owned)
        pf_content_unref(memory->frames.store, content);
    return key;
}

uint64_t pf_host_hash_page(PfHost *host, PfPage page)
{
    PfSlot slot;
    bool present = pf_host_present_slot(host, page, &slot);
    g_assert(present && !host->is_unmapping);
    pf_host_follow(host, page.context);
    PfMpn frame = {pf_memory_entry(host->base.memory, slot)->mpn};
    /* A key that no other page has, nor this one before. */
    if (pf_host_engine_leaves_out(host, page))
        return pf_host_cut_key(host, pf_rng_next(&host->left_out_keys));
    pf_host_charge_hash(host, &frame);
    uint64_t key = pf_host_cut_key(host, key_of_frame(host, frame));
    pf_host_tell(host, (PfStep){.kind = PF_STEP_HASH, .page = page, .key = key});
    return key;
}

/* ---- Setting up ---- */

/* Which part of a page is hashed; false if that is not inside a page, or not what the engine can
 * do. */
static bool choose_hashed_part(PfHost *host, GError **error)
{
    const PfPolicyCommon *common = &host->setup->common;
    uint64_t page_bytes = host->base.work->page_bytes;
    uint64_t offset = common->hash_offset_bytes;
    uint64_t left = offset < page_bytes ? page_bytes - offset : 0;
    uint64_t bytes = common->hash_bytes == PF_CONFIG_AUTO ? left : common->hash_bytes;
    if (bytes == 0 || bytes > left) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "policy '%s': hash_offset and hash_bytes: the part that is hashed ends at byte "
                    "%" PRIu64 ", the trace's pages have %" PRIu64,
                    common->label, offset + bytes, page_bytes);
        return false;
    }
    PfHashKind kind = pf_host_hash_kind(host);
    if (bytes != page_bytes && (kind == PF_HASH_INCREMENTAL || kind == PF_HASH_ECC)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "policy '%s': hash_offset and hash_bytes: machine.hash_engine makes keys of "
                    "whole pages; leave them out, or choose kind = \"full\"",
                    common->label);
        return false;
    }
    host->hash_bytes = (uint32_t)bytes;
    return true;
}

static PfStatValue read_metadata(const void *user)
{
    return pf_stat_uint(pf_host_engine_metadata_bytes(user));
}

bool pf_host_start_hashing(PfHost *host, GError **error)
{
    pf_stats_level(pf_stats_group(host->base.stats, "hash_engine"), "metadata_bytes", "bytes",
                   "Keys and digests of lines that an incremental engine keeps, for all frames of "
                   "the machine; part of memory.metadata_bytes.",
                   read_metadata, host);
    host->left_out_keys = pf_rng_derive(host->base.seed, "keys of pages left out");
    PfHashEngine *engine = engine_of(host);
    if (engine != NULL && is_stale(host))
        pf_hash_engine_watch(engine, &watcher, host);
    bool hashes = host->setup->ops->default_hash != NULL || host->setup->finder != NULL;
    if (engine != NULL && hashes)
        pf_hash_engine_start(engine);
    return choose_hashed_part(host, error);
}

uint64_t pf_host_engine_metadata_bytes(const PfHost *host)
{
    const PfHashEngine *engine = engine_of(host);
    if (engine == NULL || !pf_hash_engine_is_on(engine))
        return 0;
    uint64_t bits = pf_hash_engine_bits_per_page(engine) * pf_host_frame_capacity(host);
    return (bits + 7) / 8;
}
