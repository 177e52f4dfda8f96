#ifndef WIRETAG_CZLIB_SHIM_H
#define WIRETAG_CZLIB_SHIM_H
#include <zlib.h>
#endif
