/* --- Part 3: the fields of records: one description serves writing and reading ---------------- */

static void write_string(Trace *trace, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    uint32_t told = trace->strings.count;
    uint32_t number = text != NULL ? intern(&trace->strings, text, length, 0) : PFT_NONE;
    uint64_t coded = text != NULL ? (uint64_t)number + 1 : 0;
    code_number(trace, &coded);
    if (text == NULL || number < told)
        return;
    if (number == PFT_NONE || trace->string_bytes + length >= STRING_BYTES_MAX) {
        set_problem(trace, "too many different names and labels");
        return;
    }
    trace->string_bytes += length + 1;
    coded = length;
    code_number(trace, &coded);
    memcpy(trace->at[RARE], text, length);
    trace->at[RARE] += length;
}

static const char *read_new_string(Trace *trace)
{
    uint64_t length = 0;
    code_number(trace, &length);
    if (trace->problem != NULL || length > PFT_NAME_BYTES_MAX ||
        length > (size_t)(trace->end[RARE] - trace->at[RARE]) ||
        memchr(trace->at[RARE], 0, (size_t)length) != NULL ||
        trace->string_bytes + length >= STRING_BYTES_MAX) {
        set_problem(trace, "a name that is too long or no text, or too many names");
        return NULL;
    }
    uint32_t told = trace->strings.count;
    char **texts = grow(trace->texts, &trace->texts_room, (size_t)told + 1, sizeof(char *));
    if (texts == NULL) {
        set_problem(trace, "out of memory");
        return NULL;
    }
    trace->texts = texts;
    char *text = calloc(1, (size_t)length + 1);
    if (text == NULL || intern(&trace->strings, trace->at[RARE], (size_t)length, 0) != told) {
        set_problem(trace, text == NULL ? "out of memory" : "a name is told twice");
        free(text);
        return NULL;
    }
    memcpy(text, trace->at[RARE], (size_t)length);
    trace->at[RARE] += length;
    trace->string_bytes += (size_t)length + 1;
    trace->texts[told] = text;
    return text;
}

static void code_string(Trace *trace, const char **text)
{
    if (trace->is_writing) {
        write_string(trace, *text);
        return;
    }
    uint64_t number = 0;
    code_number(trace, &number);
    *text = NULL;
    if (trace->problem != NULL || number == 0)
        return;
    if (number == (uint64_t)trace->strings.count + 1)
        *text = read_new_string(trace);
    else if (number <= trace->strings.count)
        *text = trace->texts[number - 1];
    else
        set_problem(trace, "a name that was not told");
}

static void code_page(Trace *trace, uint64_t *address, uint64_t base)
{
    uint64_t page = *address >> trace->page_shift;
    code_difference(trace, &page, base);
    *address = page << trace->page_shift;
    if (*address >> trace->page_shift != page)
        set_problem(trace, "a page beyond the end of the address space");
}

/* What CONTEXT has in this frame. */
static Context *enter_context(Trace *trace, uint32_t number)
{
    Context *context = &trace->contexts[number];
    if (context->frame != trace->frame)
        *context = (Context){.frame = trace->frame, .is_alive = context->is_alive};
    return context;
}

static void code_context(Trace *trace, PftRecord *record)
{
    enum { HAS_USER = 0x80 };
    unsigned kind = record->choice | (record->user != NULL ? HAS_USER : 0U);
    code_byte(trace, &kind);
    code_string(trace, &record->name);
    code_string(trace, &record->text);
    if ((kind & HAS_USER) != 0)
        code_string(trace, &record->user);
    code_number(trace, &record->number);
    code_small(trace, &record->node_plus_one);
    code_small(trace, &record->core_plus_one);
    record->choice = kind & ~(unsigned)HAS_USER;
}

static void code_map(Trace *trace, PftRecord *record)
{
    unsigned bits = (unsigned)record->backing | (unsigned)record->protection << 2 |
                    (record->mergeable ? 1U << 4 : 0);
    code_byte(trace, &bits);
    if (bits >> 5 != 0)
        set_problem(trace, "a map of an unknown sort");
    record->backing = (PftBacking)(bits & 3);
    record->protection = (PftProtection)(bits >> 2 & 3);
    record->mergeable = (bits >> 4 & 1) != 0;
    code_number(trace, &record->huge_bytes);
    code_number(trace, &record->group);
    if (record->backing == PFT_ANON)
        return;
    code_string(trace, &record->name);
    code_number(trace, &record->number);
}

static void code_rest(Trace *trace, PftRecord *record)
{
    switch ((int)record->kind) {
    case PFT_CONTEXT:
        code_context(trace, record);
        return;
    case PFT_MAP:
        code_map(trace, record);
        return;
    case PFT_ALIAS:
        code_small(trace, &record->other_context);
        code_page(trace, &record->other_address, trace->other_page);
        trace->other_page = (record->other_address >> trace->page_shift) + record->count;
        return;
    case PFT_REMAP:
        code_page(trace, &record->other_address, record->address >> trace->page_shift);
        return;
    case PFT_DMA:
        code_string(trace, &record->name);
        code_number(trace, &record->number);
        return;
    case PFT_CONTROL:
        code_string(trace, &record->name);
        code_string(trace, &record->text);
        return;
    default:
        if ((traits[record->kind].has & (NAME | LABEL)) != 0)
            code_string(trace, &record->name);
    }
}

/* The bytes of a write that has more than its value holds. */
static void code_written(Trace *trace, PftRecord *record)
{
    if (record->count <= 8) {
        code_number(trace, &record->value);
    } else if (trace->is_writing) {
        memcpy(trace->at[RARE], record->bytes, (size_t)record->count);
        trace->at[RARE] += record->count;
    } else if (record->count > (size_t)(trace->end[RARE] - trace->at[RARE])) {
        set_problem(trace, "the bytes of a write are not in the frame");
    } else {
        record->bytes = trace->at[RARE];
        trace->at[RARE] += record->count;
    }
}

/* Where, and how much. */
static void code_range(Trace *trace, PftRecord *record, Context *context)
{
    unsigned has = traits[record->kind].has;
    if ((has & ACCESS) != 0) {
        unsigned base = record->kind == PFT_READ ? 0 : record->kind == PFT_WRITE ? 1 : 2;
        code_difference(trace, &record->address, context->address[base]);
        context->address[base] = record->address;
        code_number(trace, &record->count);
        if ((record->flags & PFT_VALUE) != 0)
            code_written(trace, record);
    } else if ((has & PAGES) != 0) {
        code_page(trace, &record->address, context->page);
        code_number(trace, &record->count);
        context->page = (record->address >> trace->page_shift) + record->count;
    } else if (record->kind == PFT_TIME) {
        code_difference(trace, &record->count, trace->time);
        trace->time = record->count;
    } else if ((has & COUNT) != 0) {
        code_number(trace, &record->count);
    }
    if ((record->flags & PFT_VIRTUAL) != 0)
        code_difference(trace, &record->virtual_address, record->address);
}

static void code_content(Trace *trace, PftRecord *record)
{
    uint64_t content = record->content;
    code_difference(trace, &content, trace->content);
    if (content >= PFT_NONE)
        set_problem(trace, "a content that cannot be");
    record->content = (uint32_t)content;
    trace->content = content + 1;
}

/* A record in the column of rare ones. */
static void code_rare(Trace *trace, PftRecord *record)
{
    unsigned kind = record->kind;
    code_byte(trace, &kind);
    if (kind >= PFT_KINDS) {
        set_problem(trace, "a record of an unknown kind");
        return;
    }
    record->kind = (PftKind)kind;
    Context none = {0};
    Context *context = &none;
    if ((traits[kind].has & WHO) != 0) {
        code_small(trace, &record->context);
        if (record->context >= trace->names.count) {
            set_problem(trace, "a context that was not made");
            return;
        }
        context = enter_context(trace, record->context);
    }
    if (traits[kind].flags != 0)
        code_byte(trace, &record->flags);
    if ((record->flags & ~traits[kind].flags) != 0) {
        set_problem(trace, "a flag that does not belong to it");
        return;
    }
    code_range(trace, record, context);
    if (kind == PFT_ADVISE || kind == PFT_ATTR)
        code_byte(trace, &record->choice);
    if ((traits[kind].has & CONTENT) != 0)
        code_content(trace, record);
    if ((traits[kind].has & STEP) != 0)
        code_number(trace, &record->value);
    code_rest(trace, record);
    if (kind == PFT_TIME && !trace->has_time) {
        trace->has_time = true;
        trace->first_time = record->count;
    }
}

/* What is written is told as it is, or as the difference to the previous value, the address, or the
 * previous fetch, whichever is shorter. */
static void code_value(Trace *trace, PftRecord *record, Context *context)
{
    if (record->count == 0 || record->count > 8) {
        set_problem(trace, "a value of more than 8 bytes");
        return;
    }
    unsigned shift = 64 - 8 * (unsigned)record->count;
    const uint64_t bases[] = {0, context->value, record->address, context->address[2]};
    uint64_t number = record->value;
    uint64_t code = bytes_needed(number);
    for (unsigned i = 1; i < 4 && trace->is_writing; i++) {
        uint64_t high = (record->value - bases[i]) << shift;
        uint64_t sign = 0 - (high >> 63);
        uint64_t candidate = ((high ^ sign) >> shift) << 1 | (sign & 1);
        unsigned bytes = bytes_needed(candidate);
        if (bytes < (code & 15)) {
            code = bytes | i << 4;
            number = candidate;
        }
    }
    code_bytes(trace, VALUE_CODES, &code, 1);
    if ((code & 15) > 8 || code >> 4 > 3) {
        set_problem(trace, "a malformed value");
        return;
    }
    code_bytes(trace, VALUES, &number, (unsigned)code & 15);
    if (code >> 4 != 0)
        number = bases[code >> 4] + unzigzag(number);
    record->value = context->value = number & mask_bytes((unsigned)record->count);
}

static void code_virtual(Trace *trace, PftRecord *record)
{
    uint64_t *entry =
        &trace->virtuals[record->address >> trace->page_shift & (VIRTUAL_ENTRIES - 1)];
    uint64_t number = zigzag(record->virtual_address - record->address - *entry);
    uint64_t bytes = bytes_needed(number);
    code_bytes(trace, VIRTUAL_CODES, &bytes, 1);
    if (bytes > 8) {
        set_problem(trace, "a malformed virtual address");
        return;
    }
    code_bytes(trace, VIRTUALS, &number, (unsigned)bytes);
    *entry += unzigzag(number);
    record->virtual_address = record->address + *entry;
    record->flags |= PFT_VIRTUAL;
}

enum { SIZE_CODES = 6, ADDRESS_CODES = 7 };

/* By class: read, dependent read, write, write with value, fetch. */
static const uint8_t class_kinds[] = {PFT_READ, PFT_READ, PFT_WRITE, PFT_WRITE, PFT_FETCH};
static const uint8_t class_flags[] = {0, PFT_DEPENDENT, 0, PFT_VALUE, 0};
static const uint8_t class_bases[] = {0, 0, 1, 1, 2};

/* What TAG announces, of trace->context. */
static void code_hot(Trace *trace, PftRecord *record, unsigned tag)
{
    static const uint8_t address_bytes[ADDRESS_CODES] = {0, 1, 2, 3, 4, 6, 8};
    if (tag >= TAG_RUN) {
        record->kind = PFT_RUN;
        code_bytes(trace, SIZES, &record->count, 1U << (tag - TAG_RUN));
        return;
    }
    Context *context = enter_context(trace, record->context);
    unsigned address = tag % ADDRESS_CODES;
    unsigned size = tag / ADDRESS_CODES % SIZE_CODES;
    unsigned class = tag / ADDRESS_CODES / SIZE_CODES;
    if (!trace->is_writing) {
        record->kind = (PftKind)class_kinds[class];
        record->flags = class_flags[class];
        record->count = size < 4 ? 1U << size : 0;
    }
    uint64_t *base = &context->address[class_bases[class]];
    uint64_t difference = zigzag(record->address - *base);
    code_bytes(trace, ADDRESSES, &difference, address_bytes[address]);
    record->address = *base += unzigzag(difference);
    if (size >= 4)
        code_bytes(trace, SIZES, &record->count, size == 4 ? 1 : 4);
    if (class_flags[class] == PFT_VALUE)
        code_value(trace, record, context);
    if (trace->is_virtual)
        code_virtual(trace, record);
}
