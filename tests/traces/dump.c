#include "dump.h"

#include <CUnit/CUnit.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "trace_names.h"
#include "trace_source.h"

const char dump_sample[] = "pagefold-trace 1\n"
                           "page 4KiB\n"
                           "clock 2.6GHz\n"
                           "description \"{\\\"source\\\": \\\"hand\\\"}\"\n"
                           "control ksm.smart_scan 0\n"
                           "scan 3\n"
                           "time 1ns\n"
                           "mark \"start\"\n"
                           "grain access\n"
                           "context vm1 vm memory=128MiB node=0 label=secret core=2\n"
                           "context web process\n"
                           "context \"a name\" process label=\"top secret\" user=\"an owner\"\n"
                           "map vm1 0x0 32768 anon mergeable\n"
                           "map web 0x400000 16 file=lib:c.so:0x3000 rx\n"
                           "map web 0x800000 16 shmem=\"a seg\":0 ro huge=2MiB group=7\n"
                           "state vm1 0x1000 1 zero\n"
                           "state vm1 0x2000 9 id:100 step=3\n"
                           "fill vm1 0x1000 1 ones\n"
                           "fill vm1 0x3000 2 \"hello\\n\\\"world\\\"\"\n"
                           "fill vm1 0x5000 1 hex:00ff00\n"
                           "fill vm1 0x6000 1 hash:0xdeadbeef00112233\n"
                           "fill vm1 0x7000 1 id:5^17=0x80\n"
                           "fill web 0x8000 18446744073 zero\n"
                           "alias web 0x9000 4 vm1 0x1000\n"
                           "run vm1 250\n"
                           "run vm1 70000\n"
                           "run web 18446744073709551615\n"
                           "read vm1 0x1000 8\n"
                           "read vm1 0x1ffc 8 dep\n"
                           "read vm1 0x1000 64 dep va=0x7fff00001000\n"
                           "write vm1 0x1008 8 0x1122334455667788\n"
                           "write vm1 0x1008 3 0xffffff\n"
                           "write vm1 0x1008 5 \"12345\"\n"
                           "write vm1 0x1008 16 hex:000102030405060708090a0b0c0d0e0f va=0x1\n"
                           "write vm1 0x1008 17 \"a text of 17 byte\"\n"
                           "write vm1 0x1008 100\n"
                           "write vm1 0x1010 2 va=0xffffffffffffffff\n"
                           "touch vm1 0x1000 4\n"
                           "touch vm1 0x1000 4 va=0x77000\n"
                           "fetch vm1 0x2000 64\n"
                           "fetch vm1 0x2040 64 va=0x402040\n"
                           "init vm1 0x4000 1000 zero\n"
                           "fork vm1 vm2\n"
                           "fork web web2\n"
                           "begin vm2 \"request\"\n"
                           "unmap vm2 0x1000 1\n"
                           "remap vm2 0x1000 4 0x90000\n"
                           "advise vm1 0x0 16 mergeable\n"
                           "advise vm1 0x0 16 unmergeable\n"
                           "advise vm1 0x0 16 huge\n"
                           "advise vm1 0x0 16 nohuge\n"
                           "advise vm1 0x0 16 dontneed\n"
                           "advise vm1 0x0 16 discardable\n"
                           "advise vm1 0x0 16 suspend\n"
                           "advise vm1 0x0 16 resume\n"
                           "attr vm1 0x6000 4 readonly\n"
                           "attr vm1 0x6000 4 executed\n"
                           "attr vm1 0x6000 4 locked\n"
                           "attr vm1 0x6000 4 unlocked\n"
                           "attr vm1 0x6000 4 pinned\n"
                           "attr vm1 0x6000 4 unpinned\n"
                           "dma vm1 0x5000 1 disk:7:42 id:99\n"
                           "idle vm1 500us\n"
                           "grain page\n"
                           "time 1.5ms\n"
                           "scan 100\n"
                           "scan pass 2\n"
                           "end vm2 \"request\"\n"
                           "end vm2 \"never begun\"\n"
                           "mark \"after boot\"\n"
                           "mark \"\"\n"
                           "exit vm1\n"
                           "read vm2 0x0 1\n"
                           "write vm2 0xfffffffffffffff8 8 0\n";

static void append_bytes(GString *line, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(line, "%02x", bytes[i]);
}

static void append_detail(GString *line, const PfTraceDetail *detail)
{
    g_string_append_printf(line,
                           " name=%s text=%s user=%s number=%" PRIu64 " other=%" PRIu64 ",%" PRIu32
                           " node=%d core=%d huge=%" PRIu64 " group=%" PRIu64
                           " kind=%d backing=%d protection=%d mergeable=%d",
                           detail->name != NULL ? detail->name : "(none)",
                           detail->text != NULL ? detail->text : "(none)",
                           detail->user != NULL ? detail->user : "(none)", detail->number,
                           detail->other_address, detail->other_context, detail->node, detail->core,
                           detail->huge_bytes, detail->group, (int)detail->context_kind,
                           (int)detail->backing, (int)detail->protection, detail->mergeable);
}

static char *dump_record(const PfRecord *record, const GPtrArray *contents)
{
    GString *line = g_string_new(pf_record_kind_name(record->kind));
    g_string_append_printf(line,
                           " context=%" PRIu32 " address=%" PRIu64 " count=%" PRIu64
                           " flags=%u choice=%u virtual=%" PRIu64,
                           record->context, record->address, record->count, record->flags,
                           record->choice, record->virtual_address);
    if (record->content != PF_TRACE_NO_CONTENT) {
        CU_ASSERT_FATAL(record->content < contents->len);
        g_string_append_printf(line, " content=%s",
                               (const char *)g_ptr_array_index(contents, record->content));
    }
    if (pf_record_has_detail(record->kind))
        append_detail(line, record->detail);
    else if (record->kind == PF_RECORD_WRITE && record->count > 8 &&
             (record->flags & PF_RECORD_HAS_VALUE) != 0)
        append_bytes(line, record->bytes, record->count);
    else
        g_string_append_printf(line, " value=%" PRIu64, record->value);
    return g_string_free(line, FALSE);
}

static char *dump_content(const PfContentSpec *spec)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%d,%" PRIu32 ",%u,%" PRIu64 ",%" PRIu32 ",", (int)spec->form,
                           spec->at, spec->with, spec->number, spec->length);
    enum { SHOWN_BYTES_MAX = 256 };
    if (spec->length <= SHOWN_BYTES_MAX)
        append_bytes(text, spec->bytes, spec->length);
    else
        g_string_append_printf(text, "%" PRIx64, (uint64_t)XXH3_64bits(spec->bytes, spec->length));
    return g_string_free(text, FALSE);
}

PfTraceStatus dump_trace(PfTrace *trace, GPtrArray *lines, GError **error)
{
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    g_autoptr(GPtrArray) contents = g_ptr_array_new_with_free_func(g_free);
    for (;;) {
        PfTraceStatus status = pf_trace_read(trace, block, error);
        if (status != PF_TRACE_RECORDS)
            return status;
        CU_ASSERT_EQUAL(block->first_content, contents->len);
        CU_ASSERT_EQUAL(block->first_record, lines->len);
        for (guint i = 0; i < block->contents->len; i++)
            g_ptr_array_add(contents,
                            dump_content(&g_array_index(block->contents, PfContentSpec, i)));
        for (uint32_t i = 0; i < block->count; i++)
            g_ptr_array_add(lines, dump_record(&block->records[i], contents));
    }
}

GPtrArray *dump_bytes(const void *bytes, size_t length, bool salvage, PfTraceStatus *ret_status,
                      GError **error)
{
    PfTraceOptions options = {.salvage = salvage};
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(PfTrace) trace = pf_trace_open_bytes("t.trace", bytes, length, &options, error);
    PfTraceStatus status = PF_TRACE_ERROR;
    if (trace != NULL)
        status = dump_trace(trace, lines, error);
    if (trace != NULL && status == PF_TRACE_END && !salvage)
        CU_ASSERT_PTR_NULL(pf_trace_damage(trace));
    if (ret_status != NULL)
        *ret_status = status;
    return lines;
}

bool dump_is_prefix(const GPtrArray *a, const GPtrArray *b)
{
    for (guint i = 0; i < a->len; i++)
        if (i >= b->len || strcmp(g_ptr_array_index(a, i), g_ptr_array_index(b, i)) != 0)
            return false;
    return true;
}

bool dump_is_equal(const GPtrArray *a, const GPtrArray *b)
{
    return a->len == b->len && dump_is_prefix(a, b);
}

GBytes *convert_bytes(const void *bytes, size_t length, PfTraceForm form)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    g_autofree char *in = g_build_filename(folder, "in", NULL);
    g_autofree char *out = g_build_filename(folder, "out", NULL);
    CU_ASSERT_FATAL(g_file_set_contents(in, bytes, (gssize)length, NULL));
    g_autoptr(GError) error = NULL;
    bool is_converted = pf_trace_convert(in, out, form, false, NULL, &error);
    if (error != NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_FATAL(is_converted);
    char *result = NULL;
    gsize result_bytes = 0;
    CU_ASSERT_FATAL(g_file_get_contents(out, &result, &result_bytes, NULL));
    g_unlink(in);
    g_unlink(out);
    /* Nothing else was left behind. */
    CU_ASSERT_EQUAL(g_rmdir(folder), 0);
    return g_bytes_new_take(result, result_bytes);
}
