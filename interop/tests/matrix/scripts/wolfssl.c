/* wolfSSL as a peer. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "peer.h"

struct side {
    WOLFSSL_CTX *ctx;
    WOLFSSL_SESSION *session;
    const char *alpn;
    int server;
    /* The groups of the client, in its order; none says wolfSSL's own. */
    int groups[8];
    int group_count;
};

struct tls {
    WOLFSSL *ssl;
    char protocol[32];
};

static const char *library(void) {
    static char name[64];
    wolfSSL_Init();
    snprintf(name, sizeof name, "wolfSSL %s", wolfSSL_lib_version());
    return name;
}

static int error(const char *what, WOLFSSL *ssl, int ret) {
    char text[WOLFSSL_MAX_ERROR_SZ];
    int code = wolfSSL_get_error(ssl, ret);
    return wrong("%s: %s (%d)", what, wolfSSL_ERR_error_string((unsigned long)code, text), code);
}

static int credentials(WOLFSSL_CTX *ctx, const struct options *o) {
    const char *cert = option(o, "cert"), *key = option(o, "key"), *dh = option(o, "dh");
    if (wolfSSL_CTX_load_verify_locations(ctx, option(o, "ca"), NULL) != WOLFSSL_SUCCESS) return wrong("no authority");
    if (*cert && wolfSSL_CTX_use_certificate_chain_file(ctx, cert) != WOLFSSL_SUCCESS) return wrong("no certificate");
    if (*key && wolfSSL_CTX_use_PrivateKey_file(ctx, key, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
        return wrong("no key");
    }
    if (*dh && wolfSSL_CTX_SetTmpDH_file(ctx, dh, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) return wrong("no DH");
    return 0;
}

static void read_groups(struct side *side, const char *names) {
    static const struct { const char *name; int code; } known[] = {
        {"x25519", WOLFSSL_ECC_X25519},     {"secp256r1", WOLFSSL_ECC_SECP256R1}, {"secp384r1", WOLFSSL_ECC_SECP384R1},
        {"secp521r1", WOLFSSL_ECC_SECP521R1}, {"ffdhe2048", WOLFSSL_FFDHE_2048},    {"ffdhe3072", WOLFSSL_FFDHE_3072},
    };
    char list[256], *rest = NULL;
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strcmp(known[i].name, name) == 0 && side->group_count < 8) {
                side->groups[side->group_count++] = known[i].code;
            }
        }
    }
}

static struct side *side_new(const struct options *o, int server) {
    int old = is(o, "version", "1.2");
    WOLFSSL_METHOD *method = old ? (server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method())
                                 : (server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method());
    struct side *side = (struct side *)calloc(1, sizeof *side);
    side->ctx = wolfSSL_CTX_new(method);
    side->server = server;
    side->alpn = option(o, "alpn");
    if (credentials(side->ctx, o)) goto failed;
    if (!server && wolfSSL_CTX_set_cipher_list(side->ctx, option(o, "suite")) != WOLFSSL_SUCCESS) {
        wrong("no suite %s", option(o, "suite"));
        goto failed;
    }
    read_groups(side, option(o, "group"));
    if (side->group_count && old) {
        for (int i = 0; i < side->group_count; i++) {
            wolfSSL_CTX_UseSupportedCurve(side->ctx, (word16)side->groups[i]);
        }
    } else if (side->group_count) {
        wolfSSL_CTX_set_groups(side->ctx, side->groups, side->group_count);
    }
    if (is(o, "auth", "require")) {
        wolfSSL_CTX_set_verify(side->ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    } else if (!server || is(o, "auth", "request")) {
        wolfSSL_CTX_set_verify(side->ctx, WOLFSSL_VERIFY_PEER, NULL);
    } else {
        wolfSSL_CTX_set_verify(side->ctx, WOLFSSL_VERIFY_NONE, NULL);
    }
    if (is(o, "tickets", "no")) {
        wolfSSL_CTX_NoTicketTLSv12(side->ctx);
    } else if (!server && old) {
        wolfSSL_CTX_UseSessionTicket(side->ctx);
    }
    if (is(o, "ems", "no")) wolfSSL_CTX_DisableExtendedMasterSecret(side->ctx);
    if (is(o, "etm", "no")) wolfSSL_CTX_AllowEncryptThenMac(side->ctx, 0);
    return side;
failed:
    side_free(side);
    return NULL;
}

static void side_free(struct side *side) {
    if (side->session) wolfSSL_SESSION_free(side->session);
    wolfSSL_CTX_free(side->ctx);
    free(side);
}

static struct tls *tls_new(struct side *side, int socket) {
    struct tls *tls = (struct tls *)calloc(1, sizeof *tls);
    tls->ssl = wolfSSL_new(side->ctx);
    wolfSSL_set_fd(tls->ssl, socket);
    if (*side->alpn) {
        wolfSSL_UseALPN(tls->ssl, (char *)side->alpn, (unsigned)strlen(side->alpn), WOLFSSL_ALPN_FAILED_ON_MISMATCH);
    }
    if (!side->server) {
        wolfSSL_check_domain_name(tls->ssl, "localhost");
        wolfSSL_UseSNI(tls->ssl, WOLFSSL_SNI_HOST_NAME, "localhost", 9);
        if (side->session) wolfSSL_set_session(tls->ssl, side->session);
    }
    int ret = side->server ? wolfSSL_accept(tls->ssl) : wolfSSL_connect(tls->ssl);
    if (ret == WOLFSSL_SUCCESS) return tls;
    error("handshake", tls->ssl, ret);
    wolfSSL_free(tls->ssl);
    free(tls);
    return NULL;
}

static int tls_read(struct tls *tls, char *into, int room) {
    int n = wolfSSL_read(tls->ssl, into, room);
    if (n > 0) return n;
    if (wolfSSL_get_error(tls->ssl, n) == WOLFSSL_ERROR_ZERO_RETURN &&
        (wolfSSL_get_shutdown(tls->ssl) & WOLFSSL_RECEIVED_SHUTDOWN)) {
        return 0;
    }
    return error("reading", tls->ssl, n);
}

static int tls_write(struct tls *tls, const char *from, int bytes) {
    int n = wolfSSL_write(tls->ssl, from, bytes);
    return n == bytes ? 0 : error("writing", tls->ssl, n);
}

static int tls_close_notify(struct tls *tls) {
    int ret = wolfSSL_shutdown(tls->ssl);
    return ret == WOLFSSL_SUCCESS || ret == WOLFSSL_SHUTDOWN_NOT_DONE ? 0 : error("closing", tls->ssl, ret);
}

static int tls_resumed(struct tls *tls) {
    return wolfSSL_session_reused(tls->ssl);
}

static const char *tls_protocol(struct tls *tls) {
    char *name = NULL;
    unsigned short length = 0;
    if (wolfSSL_ALPN_GetProtocol(tls->ssl, &name, &length) != WOLFSSL_SUCCESS) return NULL;
    snprintf(tls->protocol, sizeof tls->protocol, "%.*s", (int)length, name);
    return tls->protocol;
}

static void tls_free(struct side *side, struct tls *tls, int may_resume) {
    if (may_resume && !side->server) {
        if (side->session) wolfSSL_SESSION_free(side->session);
        side->session = wolfSSL_get1_session(tls->ssl);
    }
    wolfSSL_free(tls->ssl);
    free(tls);
}
