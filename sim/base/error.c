#include "error.h"

G_DEFINE_QUARK(pf-error-quark, pf_error)

int pf_error_exit_status(const GError *error)
{
    if (error == NULL || error->domain != PF_ERROR)
        return 1;
    switch ((PfErrorCode)error->code) {
    case PF_ERROR_USAGE:
    case PF_ERROR_CONFIG:
        return 2;
    case PF_ERROR_TRACE:
        return 3;
    case PF_ERROR_GUEST:
        return 125;
    case PF_ERROR_INTERRUPTED:
        return 130;
    case PF_ERROR_IO:
    case PF_ERROR_LIMIT:
    case PF_ERROR_DIFFERENCE:
        return 1;
    }
    return 1;
}
