#ifndef WIRETAG_CZSTD_SHIM_H
#define WIRETAG_CZSTD_SHIM_H
#include <zstd.h>
#endif
