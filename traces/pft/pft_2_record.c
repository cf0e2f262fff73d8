/* --- Part 2: records, the rules that they obey, and their bytes, both ways -------------------- */

enum { WHO = 1, PAGES = 2, ACCESS = 4, COUNT = 8, CONTENT = 16, STEP = 32, NAME = 64, LABEL = 128 };

/* What a kind of record has, and its flags. */
typedef struct {
    const char *name;
    unsigned has;
    unsigned flags;
} Traits;

static const Traits traits[PFT_KINDS] = {
    [PFT_CONTEXT] = {"context", NAME, 0},
    [PFT_MAP] = {"map", WHO | PAGES, 0},
    [PFT_STATE] = {"state", WHO | PAGES | CONTENT | STEP, 0},
    [PFT_FILL] = {"fill", WHO | PAGES | CONTENT | STEP, 0},
    [PFT_ALIAS] = {"alias", WHO | PAGES, 0},
    [PFT_RUN] = {"run", WHO | COUNT, 0},
    [PFT_READ] = {"read", WHO | ACCESS, PFT_DEPENDENT | PFT_VIRTUAL},
    [PFT_WRITE] = {"write", WHO | ACCESS, PFT_VALUE | PFT_MODIFIES | PFT_VIRTUAL},
    [PFT_TOUCH] = {"touch", WHO | PAGES, PFT_VIRTUAL},
    [PFT_FETCH] = {"fetch", WHO | ACCESS, PFT_VIRTUAL},
    [PFT_INIT] = {"init", WHO | PAGES | CONTENT, 0},
    [PFT_FORK] = {"fork", WHO | NAME, 0},
    [PFT_UNMAP] = {"unmap", WHO | PAGES, 0},
    [PFT_REMAP] = {"remap", WHO | PAGES, 0},
    [PFT_ADVISE] = {"advise", WHO | PAGES, 0},
    [PFT_ATTR] = {"attr", WHO | PAGES, 0},
    [PFT_DMA] = {"dma", WHO | PAGES | CONTENT | NAME, 0},
    [PFT_IDLE] = {"idle", WHO | COUNT, 0},
    [PFT_TIME] = {"time", 0, 0},
    [PFT_SCAN] = {"scan", COUNT, PFT_PASSES},
    [PFT_CONTROL] = {"control", NAME, 0},
    [PFT_BEGIN] = {"begin", WHO | LABEL, 0},
    [PFT_END] = {"end", WHO | LABEL, 0},
    [PFT_MARK] = {"mark", LABEL, 0},
    [PFT_EXIT] = {"exit", WHO, 0},
    [PFT_GRAIN] = {"grain", COUNT, 0},
};

/* The length of the character of UTF-8 at TEXT, which ends with 0; 0 where there is none. */
static unsigned character_bytes(const uint8_t *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    if (length == 1)
        return 1;
    if (text[0] < 0xc0 || text[0] > 0xf4)
        return 0;
    uint32_t character = text[0] & (0x7fU >> length);
    for (unsigned i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (text[i] & 0x3fU);
    }
    bool is_half = character >= 0xd800 && character < 0xe000;
    return character < least[length] || character > 0x10ffff || is_half ? 0 : length;
}

static bool is_utf8(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    while (*at != 0 && character_bytes(at) != 0)
        at += character_bytes(at);
    return *at == 0;
}

static const char *check_text(const char *text, bool may_be_empty)
{
    if (text == NULL || (text[0] == 0 && !may_be_empty))
        return "a name is missing";
    if (strlen(text) > PFT_NAME_BYTES_MAX)
        return "a name or label has more than 4096 bytes";
    return is_utf8(text) ? NULL : "a name or label is not UTF-8";
}

static const char *check_alive(const Trace *trace, uint32_t context)
{
    if (context >= trace->names.count)
        return "the context is not known; make it first";
    return trace->contexts[context].is_alive ? NULL : "the context has exited";
}

static const char *check_pages(const Trace *trace, uint64_t address, uint64_t pages)
{
    if ((address & (trace->header.page_bytes - 1)) != 0)
        return "the address is no multiple of the page size";
    if (pages == 0 || pages > PFT_PAGES_MAX)
        return "no page, or more than 2^40";
    if (pages - 1 > (UINT64_MAX - address) >> trace->page_shift)
        return "the pages reach beyond the end of the address space";
    return NULL;
}

static const char *check_access(const Trace *trace, const PftRecord *record)
{
    if (record->count == 0 || record->count > trace->header.page_bytes)
        return "no byte, or more than a page; split it";
    if (record->address + (record->count - 1) < record->address)
        return "the bytes reach beyond the end of the address space";
    if ((record->flags & PFT_VALUE) == 0)
        return NULL;
    if (record->count > PFT_WRITE_BYTES_MAX)
        return "more bytes than a write may carry; split it";
    if (record->count > 8)
        return record->bytes == NULL ? "the bytes of the write are missing" : NULL;
    if ((record->value & ~mask_bytes((unsigned)record->count)) != 0)
        return "the value does not fit into the bytes";
    return NULL;
}

static const char *check_map(const Trace *trace, const PftRecord *record)
{
    if ((unsigned)record->backing > PFT_SHMEM || (unsigned)record->protection > PFT_RX)
        return "unknown backing or protection";
    if (record->huge_bytes != 0 &&
        (!is_power_of_two(record->huge_bytes) || record->huge_bytes <= trace->header.page_bytes))
        return "huge_bytes is no power of two above the page size";
    if (record->backing == PFT_ANON)
        return NULL;
    if ((record->number & (trace->header.page_bytes - 1)) != 0)
        return "the offset in the file is no multiple of the page size";
    return check_text(record->name, false);
}

/* What KIND alone demands. */
static const char *check_kind(const Trace *trace, const PftRecord *record)
{
    const char *problem;
    switch ((int)record->kind) {
    case PFT_CONTEXT:
        problem = record->text != NULL ? check_text(record->text, false) : NULL;
        if (problem == NULL && record->user != NULL)
            problem = check_text(record->user, false);
        if (problem == NULL && (record->choice > PFT_VM || record->node_plus_one > 1U << 31 ||
                                record->core_plus_one > 1U << 31))
            problem = "an unknown kind of context, or a node or core beyond all bounds";
        return problem;
    case PFT_MAP:
        return check_map(trace, record);
    case PFT_ALIAS:
        problem = check_alive(trace, record->other_context);
        return problem != NULL ? problem : check_pages(trace, record->other_address, record->count);
    case PFT_REMAP:
        return check_pages(trace, record->other_address, record->count);
    case PFT_ADVISE:
        return record->choice > PFT_RESUME ? "an unknown advice" : NULL;
    case PFT_ATTR:
        return record->choice > PFT_UNPINNED ? "an unknown attribute" : NULL;
    case PFT_CONTROL:
        return check_text(record->text, true);
    case PFT_GRAIN:
        return record->count > 1 ? "an unknown grain" : NULL;
    default:
        return NULL;
    }
}

/* Appends the context that RECORD makes. */
static const char *make_context(Trace *trace, const PftRecord *record)
{
    uint32_t number = trace->names.count;
    if (number >= PFT_CONTEXTS_MAX)
        return "more than 2^20 contexts";
    Context *contexts =
        grow(trace->contexts, &trace->contexts_room, (size_t)number + 1, sizeof(Context));
    if (contexts == NULL)
        return "out of memory";
    trace->contexts = contexts;
    trace->contexts[number].is_alive = true;
    uint32_t told = intern(&trace->names, record->name, strlen(record->name), 0);
    return told == number ? NULL : "a context of that name exists already, or has existed";
}

/* Checks RECORD and does what it does to contexts. Returns what is wrong, or NULL. */
static const char *apply_rules(Trace *trace, const PftRecord *record)
{
    unsigned has = traits[record->kind].has;
    const char *problem = NULL;
    if ((has & WHO) != 0)
        problem = check_alive(trace, record->context);
    if (problem == NULL && (record->flags & ~traits[record->kind].flags) != 0)
        problem = "a flag that does not belong to it";
    if (problem == NULL && (has & PAGES) != 0)
        problem = check_pages(trace, record->address, record->count);
    if (problem == NULL && (has & ACCESS) != 0)
        return check_access(trace, record);
    if (problem == NULL && (has & CONTENT) != 0 && record->content >= trace->contents)
        problem = "the content was not given";
    if (problem == NULL && (has & (NAME | LABEL)) != 0)
        problem = check_text(record->name, (has & LABEL) != 0);
    if (problem == NULL)
        problem = check_kind(trace, record);
    if (problem != NULL)
        return problem;
    if (record->kind == PFT_CONTEXT || record->kind == PFT_FORK)
        return make_context(trace, record);
    if (record->kind == PFT_EXIT)
        trace->contexts[record->context].is_alive = false;
    return NULL;
}

/* LENGTH bytes of a column, the lowest first. */
static inline void code_bytes(Trace *trace, int column, uint64_t *number, unsigned length)
{
    uint8_t *at = trace->at[column];
    if (trace->is_writing) {
        put64(at, *number);
    } else if ((size_t)(trace->end[column] - at) < length) {
        set_problem(trace, "its bytes are not in the frame");
        return;
    } else {
        *number = get64(at) & mask_bytes(length);
    }
    trace->at[column] = at + length;
}

/* A number of 7 bits a byte. */
static void code_number(Trace *trace, uint64_t *number)
{
    uint64_t left = *number;
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64 && trace->problem == NULL; shift += 7, left >>= 7) {
        uint64_t byte = left < 0x80 ? left : (left & 0x7f) | 0x80;
        code_bytes(trace, RARE, &byte, 1);
        if ((byte & 0x7f) << shift >> shift != (byte & 0x7f))
            break;
        sum |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = sum;
            return;
        }
    }
    *number = 0;
    set_problem(trace, "a number has more than 64 bits");
}

/* A number as its difference to BASE. */
static void code_difference(Trace *trace, uint64_t *number, uint64_t base)
{
    uint64_t difference = zigzag(*number - base);
    code_number(trace, &difference);
    *number = base + unzigzag(difference);
}

static void code_small(Trace *trace, uint32_t *small)
{
    uint64_t number = *small;
    code_number(trace, &number);
    if (number > UINT32_MAX)
        set_problem(trace, "a number has more than 32 bits");
    *small = (uint32_t)number;
}

static void code_byte(Trace *trace, unsigned *byte)
{
    uint64_t number = *byte;
    code_bytes(trace, RARE, &number, 1);
    *byte = (unsigned)number;
}
