#ifndef WIRETAG_COPENSSL_SHIM_H
#define WIRETAG_COPENSSL_SHIM_H
/* SHA256_Init and its like keep their state in a plain struct; what came after them allocates one for each hash. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#endif
