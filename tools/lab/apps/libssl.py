"""OpenSSL's library, called directly: what Python's `ssl` and the openssl program do not offer together.

Chosen suites of TLS 1.3, KeyUpdate, early data, no encrypt-then-MAC, padded records; one call of `write` is one record.
"""

import ctypes
import ctypes.util

VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
# openssl/ssl.h
SET_MIN_PROTO_VERSION, SET_MAX_PROTO_VERSION, SET_GROUPS_LIST, SET_DH_AUTO, SET_TLSEXT_HOSTNAME = 123, 124, 92, 118, 55
NO_TICKET, NO_ENCRYPT_THEN_MAC = 1 << 14, 1 << 19
FILETYPE_PEM, VERIFY_PEER, ERROR_ZERO_RETURN = 1, 1, 6
EARLY_DATA_ERROR, EARLY_DATA_SUCCESS = 0, 1
KEYLOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
LARGEST_RECORD = 16_384


class TLSError(Exception):
    """What OpenSSL says went wrong."""


class Library:
    """libssl with the types of the calls used here."""

    POINTERS = ("TLS_client_method", "TLS_server_method", "SSL_CTX_new", "SSL_new", "SSL_get1_session", "SSL_get_current_cipher")
    TEXTS = ("SSL_get_version", "SSL_CIPHER_get_name", "OpenSSL_version")

    def __init__(self):
        self.ssl = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
        self.crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
        for name in self.POINTERS:
            getattr(self.ssl, name).restype = ctypes.c_void_p
        for name in self.TEXTS:
            getattr(self.crypto if name == "OpenSSL_version" else self.ssl, name).restype = ctypes.c_char_p
        for name in ("SSL_CTX_ctrl", "SSL_ctrl"):
            getattr(self.ssl, name).argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
            getattr(self.ssl, name).restype = ctypes.c_long
        self.ssl.SSL_CTX_set_options.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
        self.ssl.SSL_CTX_set_options.restype = ctypes.c_uint64
        self.ssl.SSL_CTX_set_keylog_callback.argtypes = [ctypes.c_void_p, KEYLOG]
        self.crypto.ERR_get_error.restype = ctypes.c_ulong

    def error(self, what):
        words, number = [], self.crypto.ERR_get_error()
        while number:
            text = ctypes.create_string_buffer(256)
            self.crypto.ERR_error_string_n(ctypes.c_ulong(number), text, ctypes.c_size_t(256))
            words.append(text.value.decode("ascii", "replace"))
            number = self.crypto.ERR_get_error()
        return TLSError(f"{what}: {'; '.join(words) or 'the connection ended'}")

    def call(self, name, *arguments):
        """A call that gives 1 when it went well."""
        done = getattr(self.ssl, name)(*arguments)
        if done != 1:
            raise self.error(name)

    def version(self):
        return self.crypto.OpenSSL_version(0).decode("ascii").split()[1]


class Context:
    """Settings of one end; sessions and tickets live as long as it does."""

    def __init__(self, library, is_server, tls, suite, certificate=None, authority=None, groups=None, etm=True, tickets=True,
                 early_data=0, padding=0, keys=None):
        self.library, self.is_server = library, is_server
        self.pointer = ctypes.c_void_p(library.ssl.SSL_CTX_new(ctypes.c_void_p(
            library.ssl.TLS_server_method() if is_server else library.ssl.TLS_client_method())))
        control = library.ssl.SSL_CTX_ctrl
        for command in (SET_MIN_PROTO_VERSION, SET_MAX_PROTO_VERSION):
            control(self.pointer, command, VERSIONS[tls], None)
        # SHA-1 suites and static RSA, which OpenSSL's own level no longer takes.
        library.ssl.SSL_CTX_set_security_level(self.pointer, 0)
        set_suite = "SSL_CTX_set_cipher_list" if tls == "1.2" else "SSL_CTX_set_ciphersuites"
        library.call(set_suite, self.pointer, suite.encode())
        if groups and control(self.pointer, SET_GROUPS_LIST, 0, groups.encode()) != 1:
            raise library.error(f"groups {groups}")
        library.ssl.SSL_CTX_set_options(
            self.pointer, (0 if etm else NO_ENCRYPT_THEN_MAC) | (0 if tickets else NO_TICKET))
        if padding:
            library.call("SSL_CTX_set_block_padding", self.pointer, ctypes.c_size_t(padding))
        if is_server:
            pem, key = certificate
            library.call("SSL_CTX_use_certificate_chain_file", self.pointer, str(pem).encode())
            library.call("SSL_CTX_use_PrivateKey_file", self.pointer, str(key).encode(), FILETYPE_PEM)
            library.call("SSL_CTX_set_session_id_context", self.pointer, b"lab", 3)
            control(self.pointer, SET_DH_AUTO, 1, None)
            library.ssl.SSL_CTX_set_max_early_data(self.pointer, ctypes.c_uint32(early_data))
        else:
            library.call("SSL_CTX_load_verify_locations", self.pointer, str(authority).encode(), None)
            library.ssl.SSL_CTX_set_verify(self.pointer, VERIFY_PEER, None)
        # Kept here, as OpenSSL does not: Python's object has to outlive the context.
        self.keylog = KEYLOG(lambda _, line: self._log(keys, line))
        if keys:
            library.ssl.SSL_CTX_set_keylog_callback(self.pointer, self.keylog)

    @staticmethod
    def _log(file, line):
        with open(file, "ab") as out:
            out.write(line + b"\n")


class Stream:
    """TLS on a connected, blocking socket."""

    def __init__(self, context, socket, name=None, session=None):
        self.library, self.context, self.socket = context.library, context, socket
        self.pointer = ctypes.c_void_p(self.library.ssl.SSL_new(context.pointer))
        self.library.call("SSL_set_fd", self.pointer, socket.fileno())
        if name:
            self.library.ssl.SSL_ctrl(self.pointer, SET_TLSEXT_HOSTNAME, 0, name.encode())
            self.library.call("SSL_set1_host", self.pointer, name.encode())
        if session:
            self.library.call("SSL_set_session", self.pointer, session)

    def handshake(self):
        self.library.call("SSL_accept" if self.context.is_server else "SSL_connect", self.pointer)

    def write(self, data, early=False):
        """One record, if the data fit into one."""
        written = ctypes.c_size_t()
        self.library.call("SSL_write_early_data" if early else "SSL_write_ex", self.pointer, data, ctypes.c_size_t(len(data)),
                          ctypes.byref(written))

    def read(self):
        """What the next record holds; nothing at the proper end."""
        data, size = ctypes.create_string_buffer(LARGEST_RECORD), ctypes.c_size_t()
        if self.library.ssl.SSL_read_ex(self.pointer, data, ctypes.c_size_t(len(data)), ctypes.byref(size)) == 1:
            return data.raw[: size.value]
        if self.library.ssl.SSL_get_error(self.pointer, 0) == ERROR_ZERO_RETURN:
            return b""
        raise self.library.error("SSL_read_ex")

    def read_early(self):
        """All early data, record by record; the handshake is over but for the client's last message."""
        found = []
        while True:
            data, size = ctypes.create_string_buffer(LARGEST_RECORD), ctypes.c_size_t()
            done = self.library.ssl.SSL_read_early_data(self.pointer, data, ctypes.c_size_t(len(data)), ctypes.byref(size))
            if done == EARLY_DATA_ERROR:
                raise self.library.error("SSL_read_early_data")
            if done != EARLY_DATA_SUCCESS:
                return found
            found.append(data.raw[: size.value])

    def update_key(self, requested):
        """A KeyUpdate, sent at once; with `requested` the other side answers with its own."""
        self.library.call("SSL_key_update", self.pointer, 1 if requested else 0)
        self.library.call("SSL_do_handshake", self.pointer)

    @property
    def session(self):
        return ctypes.c_void_p(self.library.ssl.SSL_get1_session(self.pointer))

    @property
    def is_resumed(self):
        return self.library.ssl.SSL_session_reused(self.pointer) == 1

    @property
    def suite(self):
        cipher = ctypes.c_void_p(self.library.ssl.SSL_get_current_cipher(self.pointer))
        return self.library.ssl.SSL_CIPHER_get_name(cipher).decode("ascii")

    def end(self):
        self.library.ssl.SSL_shutdown(self.pointer)
        self.library.ssl.SSL_free(self.pointer)
        self.socket.close()
