/* Mbed TLS 2.28 as a peer: TLS 1.2. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/dhm.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>

#include "peer.h"

struct side {
    mbedtls_ssl_config config;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt ca, cert;
    mbedtls_pk_context key;
    mbedtls_dhm_context dh;
    mbedtls_ssl_cache_context cache;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_session session;
    int has_session, server;
    int suites[2];
    mbedtls_ecp_group_id curves[8];
    char protocol_text[64];
    const char *protocols[4];
};

struct tls {
    mbedtls_ssl_context ssl;
    mbedtls_net_context net;
    int resumed;
};

static const char *library(void) {
    static char name[64];
    mbedtls_version_get_string_full(name);
    return name;
}

static int error(const char *what, int code) {
    char text[128];
    mbedtls_strerror(code, text, sizeof text);
    return wrong("%s: %s (-0x%04x)", what, text, (unsigned)-code);
}

/* A server's parameters stand in a file: peers/scripted.rs, `dh=`. */
static int credentials(struct side *side, const struct options *o) {
    const char *cert = option(o, "cert"), *key = option(o, "key"), *dh = option(o, "dh");
    int ret = mbedtls_x509_crt_parse_file(&side->ca, option(o, "ca"));
    if (ret) return error("the authority", ret);
    mbedtls_ssl_conf_ca_chain(&side->config, &side->ca, NULL);
    if (*cert) {
        ret = mbedtls_x509_crt_parse_file(&side->cert, cert);
        if (!ret) ret = mbedtls_pk_parse_keyfile(&side->key, key, NULL);
        if (!ret) ret = mbedtls_ssl_conf_own_cert(&side->config, &side->cert, &side->key);
        if (ret) return error("the certificate", ret);
    }
    if (*dh) {
        ret = mbedtls_dhm_parse_dhmfile(&side->dh, dh);
        if (!ret) ret = mbedtls_ssl_conf_dh_param_ctx(&side->config, &side->dh);
        if (ret) return error("the DH parameters", ret);
    }
    return 0;
}

/* The library says TLS-RSA-WITH-..., everybody else TLS_RSA_WITH_.... */
static int choose_suite(struct side *side, const char *name) {
    char text[96];
    snprintf(text, sizeof text, "%s", name);
    for (char *c = text; *c; c++) {
        if (*c == '_') *c = '-';
    }
    side->suites[0] = mbedtls_ssl_get_ciphersuite_id(text);
    if (!side->suites[0]) return wrong("no suite %s", text);
    mbedtls_ssl_conf_ciphersuites(&side->config, side->suites);
    return 0;
}

static void choose_groups(struct side *side, const char *names) {
    static const struct { const char *name; mbedtls_ecp_group_id id; } known[] = {
        {"x25519", MBEDTLS_ECP_DP_CURVE25519},
        {"secp256r1", MBEDTLS_ECP_DP_SECP256R1},
        {"secp384r1", MBEDTLS_ECP_DP_SECP384R1},
        {"secp521r1", MBEDTLS_ECP_DP_SECP521R1},
    };
    char list[256], *rest = NULL;
    int count = 0;
    snprintf(list, sizeof list, "%s", names);
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strcmp(known[i].name, name) == 0) side->curves[count++] = known[i].id;
        }
    }
    side->curves[count] = MBEDTLS_ECP_DP_NONE;
    if (count) mbedtls_ssl_conf_curves(&side->config, side->curves);
}

static void choose_protocols(struct side *side, const char *names) {
    char *rest = NULL;
    int count = 0;
    snprintf(side->protocol_text, sizeof side->protocol_text, "%s", names);
    for (char *name = strtok_r(side->protocol_text, ",", &rest); name && count < 3; name = strtok_r(NULL, ",", &rest)) {
        side->protocols[count++] = name;
    }
    if (count) mbedtls_ssl_conf_alpn_protocols(&side->config, side->protocols);
}

static int server_only(struct side *side, const struct options *o) {
    mbedtls_ssl_config *c = &side->config;
    int modes[] = {MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL, MBEDTLS_SSL_VERIFY_REQUIRED};
    mbedtls_ssl_conf_authmode(c, modes[is(o, "auth", "no") ? 0 : is(o, "auth", "request") ? 1 : 2]);
    mbedtls_ssl_conf_session_cache(c, &side->cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
    if (is(o, "tickets", "no")) return 0;
    int ret = mbedtls_ssl_ticket_setup(&side->tickets, mbedtls_ctr_drbg_random, &side->random,
                                       MBEDTLS_CIPHER_AES_256_GCM, 3600);
    if (ret) return error("tickets", ret);
    mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &side->tickets);
    return 0;
}

static struct side *side_new(const struct options *o, int server) {
    struct side *side = (struct side *)calloc(1, sizeof *side);
    mbedtls_ssl_config *c = &side->config;
    mbedtls_ssl_config_init(c);
    mbedtls_entropy_init(&side->entropy);
    mbedtls_ctr_drbg_init(&side->random);
    mbedtls_x509_crt_init(&side->ca);
    mbedtls_x509_crt_init(&side->cert);
    mbedtls_pk_init(&side->key);
    mbedtls_dhm_init(&side->dh);
    mbedtls_ssl_cache_init(&side->cache);
    mbedtls_ssl_ticket_init(&side->tickets);
    mbedtls_ssl_session_init(&side->session);
    side->server = server;
    int ret = mbedtls_ctr_drbg_seed(&side->random, mbedtls_entropy_func, &side->entropy, NULL, 0);
    if (!ret) {
        ret = mbedtls_ssl_config_defaults(c, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                          MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (ret) {
        error("defaults", ret);
        goto failed;
    }
    mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &side->random);
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_read_timeout(c, 20000);
    if (credentials(side, o)) goto failed;
    choose_groups(side, option(o, "group"));
    choose_protocols(side, option(o, "alpn"));
    if (is(o, "ems", "no")) mbedtls_ssl_conf_extended_master_secret(c, MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    if (is(o, "etm", "no")) mbedtls_ssl_conf_encrypt_then_mac(c, MBEDTLS_SSL_ETM_DISABLED);
    if (server ? server_only(side, o) : choose_suite(side, option(o, "suite"))) goto failed;
    if (!server && is(o, "tickets", "no")) mbedtls_ssl_conf_session_tickets(c, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    return side;
failed:
    side_free(side);
    return NULL;
}

static void side_free(struct side *side) {
    mbedtls_ssl_session_free(&side->session);
    mbedtls_ssl_ticket_free(&side->tickets);
    mbedtls_ssl_cache_free(&side->cache);
    mbedtls_dhm_free(&side->dh);
    mbedtls_pk_free(&side->key);
    mbedtls_x509_crt_free(&side->cert);
    mbedtls_x509_crt_free(&side->ca);
    mbedtls_ssl_config_free(&side->config);
    mbedtls_ctr_drbg_free(&side->random);
    mbedtls_entropy_free(&side->entropy);
    free(side);
}

/* There is no question for it: a resumed connection has the master secret of the one before it. */
static void notice_resumption(struct side *side, struct tls *tls) {
    const mbedtls_ssl_session *now = mbedtls_ssl_get_session_pointer(&tls->ssl);
    tls->resumed = side->has_session && memcmp(now->master, side->session.master, sizeof now->master) == 0;
}

static struct tls *tls_new(struct side *side, int socket) {
    struct tls *tls = (struct tls *)calloc(1, sizeof *tls);
    mbedtls_ssl_init(&tls->ssl);
    tls->net.fd = socket;
    int ret = mbedtls_ssl_setup(&tls->ssl, &side->config);
    if (!ret && !side->server) ret = mbedtls_ssl_set_hostname(&tls->ssl, "localhost");
    if (!ret && side->has_session) ret = mbedtls_ssl_set_session(&tls->ssl, &side->session);
    mbedtls_ssl_set_bio(&tls->ssl, &tls->net, mbedtls_net_send, NULL, mbedtls_net_recv_timeout);
    if (!ret) ret = mbedtls_ssl_handshake(&tls->ssl);
    if (!ret) {
        notice_resumption(side, tls);
        return tls;
    }
    error("handshake", ret);
    mbedtls_ssl_free(&tls->ssl);
    free(tls);
    return NULL;
}

static int tls_read(struct tls *tls, char *into, int room) {
    int n = mbedtls_ssl_read(&tls->ssl, (unsigned char *)into, (size_t)room);
    if (n > 0) return n;
    if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return 0;
    return n == 0 ? wrong("cut") : error("reading", n);
}

static int tls_write(struct tls *tls, const char *from, int bytes) {
    for (int at = 0; at < bytes;) {
        int n = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)from + at, (size_t)(bytes - at));
        if (n <= 0) return error("writing", n);
        at += n;
    }
    return 0;
}

static int tls_close_notify(struct tls *tls) {
    int ret = mbedtls_ssl_close_notify(&tls->ssl);
    return ret ? error("closing", ret) : 0;
}

static int tls_resumed(struct tls *tls) {
    return tls->resumed;
}

static const char *tls_protocol(struct tls *tls) {
    return mbedtls_ssl_get_alpn_protocol(&tls->ssl);
}

static void tls_free(struct side *side, struct tls *tls, int may_resume) {
    if (may_resume && !side->server) {
        mbedtls_ssl_session_free(&side->session);
        mbedtls_ssl_session_init(&side->session);
        side->has_session = mbedtls_ssl_get_session(&tls->ssl, &side->session) == 0;
    }
    mbedtls_ssl_free(&tls->ssl);
    free(tls);
}
