// Uses the library as nobody should: NULL for every pointer, no room, every order. And as everybody does, in between, so that what
// misuse does to a connection is seen. misuse CA.pem CERT.pem KEY.pem ARCHIVE.p12 PASSWORD ROUNDS
#include <clasp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                            \
    }                                                                     \
  } while (0)

// The call is refused with this code, and with words.
#define REFUSED(code, call) CHECK(is_refused(code, call))
#define NULL_REFUSED(call) REFUSED(CLASP_CODE_NULL_POINTER, call)
#define GOOD(call) CHECK(is_good(call))

static bool is_refused(clasp_code code, clasp_error *error) {
  clasp_code got = clasp_error_code(error);
  clasp_bytes words = clasp_error_words(error), label = clasp_error_label(error), hint = clasp_error_hint(error);
  if (got != code) fprintf(stderr, "code %d, not %d: %.*s\n", got, code, (int)words.len, (const char *)words.data);
  bool good = got == code && words.len > 0 && label.len > 0 && (hint.len == 0 || hint.data != NULL);
  clasp_error_free(error);
  return good;
}

static bool is_good(clasp_error *error) {
  if (error == NULL) return true;
  clasp_bytes words = clasp_error_words(error);
  fprintf(stderr, "%.*s\n", (int)words.len, (const char *)words.data);
  clasp_error_free(error);
  return false;
}

static bool same(clasp_bytes a, const char *b) { return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0; }

static const clasp_bytes NONE = {NULL, 0};
static const clasp_bytes NOWHERE = {NULL, 7};
static const clasp_buffer NO_ROOM = {NULL, 0};
static const clasp_buffer NO_PLACE = {NULL, 7};
static clasp_bytes ca, chain, key, archive, password;

static clasp_bytes read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  // As much as there is, so that a reader beyond it is seen.
  uint8_t *data = malloc(1 << 16);
  size_t len = fread(data, 1, 1 << 16, file);
  fclose(file);
  clasp_bytes whole = {realloc(data, len), len};
  return whole;
}

static clasp_roots *trusted(void) {
  clasp_roots *roots = NULL;
  size_t added = 9;
  GOOD(clasp_roots_new(&roots));
  GOOD(clasp_roots_add_pem(roots, ca, &added));
  CHECK(added == 1 && clasp_roots_count(roots) == 1);
  return roots;
}

static clasp_identity *identity_of(void) {
  clasp_identity *identity = NULL;
  GOOD(clasp_identity_from_pem(chain, key, &identity));
  return identity;
}

static clasp_client_config *client_config(uint16_t version, bool shows) {
  clasp_roots *roots = trusted();
  clasp_identity *identity = identity_of();
  clasp_client_builder *builder = NULL;
  clasp_client_config *config = NULL;
  GOOD(clasp_client_builder_new(roots, &builder));
  GOOD(clasp_client_builder_set_versions(builder, version, version));
  GOOD(clasp_client_builder_add_alpn(builder, clasp_string("toy")));
  if (shows) GOOD(clasp_client_builder_set_identity(builder, identity));
  // What it was given is not needed any more.
  clasp_roots_free(roots);
  clasp_identity_free(identity);
  GOOD(clasp_client_builder_build(builder, &config));
  clasp_client_builder_free(builder);
  return config;
}

static clasp_server_config *server_config(bool asks) {
  clasp_roots *roots = trusted();
  clasp_identity *identity = identity_of();
  clasp_server_builder *builder = NULL;
  clasp_server_config *config = NULL;
  GOOD(clasp_server_builder_new(identity, &builder));
  GOOD(clasp_server_builder_add_alpn(builder, clasp_string("toy")));
  GOOD(clasp_server_builder_set_tickets(builder, 3600));
  if (asks) GOOD(clasp_server_builder_set_client_roots(builder, roots, true));
  clasp_roots_free(roots);
  clasp_identity_free(identity);
  GOOD(clasp_server_builder_build(builder, &config));
  clasp_server_builder_free(builder);
  return config;
}

static void nulls_of_archives(void) {
  clasp_identity *identity = (clasp_identity *)&identity;
  clasp_bytes half = {archive.data, archive.len / 2}, no_text = {(const uint8_t *)"\xff", 1};
  NULL_REFUSED(clasp_identity_from_pkcs12(archive, password, NULL));
  NULL_REFUSED(clasp_identity_from_pkcs12(NOWHERE, password, &identity));
  NULL_REFUSED(clasp_identity_from_pkcs12(archive, NOWHERE, &identity));
  CHECK(identity == NULL);
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_identity_from_pkcs12(archive, no_text, &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pkcs12(archive, NONE, &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pkcs12(archive, clasp_string("another"), &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pkcs12(half, password, &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pkcs12(key, password, &identity));
  CHECK(identity == NULL);
  GOOD(clasp_identity_from_pkcs12(archive, password, &identity));
  // It serves.
  clasp_server_builder *builder = NULL;
  clasp_server_config *config = NULL;
  GOOD(clasp_server_builder_new(identity, &builder));
  GOOD(clasp_server_builder_build(builder, &config));
  clasp_server_builder_free(builder);
  clasp_server_config_free(config);
  clasp_identity_free(identity);
}

static void nulls_of_roots_and_identities(void) {
  clasp_roots *roots = (clasp_roots *)&roots;
  size_t added = 9;
  NULL_REFUSED(clasp_roots_new(NULL));
  NULL_REFUSED(clasp_roots_native(NULL));
  NULL_REFUSED(clasp_roots_bundled(NULL));
  GOOD(clasp_roots_bundled(&roots));
  CHECK(clasp_roots_count(roots) > 100 && clasp_roots_count(NULL) == 0);
  NULL_REFUSED(clasp_roots_add_pem(NULL, ca, &added));
  CHECK(added == 0);
  NULL_REFUSED(clasp_roots_add_pem(roots, NOWHERE, &added));
  NULL_REFUSED(clasp_roots_add_pem(roots, ca, NULL));
  NULL_REFUSED(clasp_roots_add_pem_as(NULL, ca, CLASP_PROFILE_LEGACY, &added));
  NULL_REFUSED(clasp_roots_add_der(NULL, ca, CLASP_PROFILE_LEGACY));
  NULL_REFUSED(clasp_roots_add_der(roots, NOWHERE, CLASP_PROFILE_LEGACY));
  REFUSED(CLASP_CODE_CALLER, clasp_roots_add_pem(roots, NONE, &added));
  REFUSED(CLASP_CODE_CALLER, clasp_roots_add_der(roots, ca, CLASP_PROFILE_WEB_PKI));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_roots_add_pem_as(roots, ca, 77, &added));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_roots_add_der(roots, ca, 0));

  clasp_identity *identity = (clasp_identity *)&identity;
  NULL_REFUSED(clasp_identity_from_pem(chain, key, NULL));
  NULL_REFUSED(clasp_identity_from_pem(NOWHERE, key, &identity));
  CHECK(identity == NULL);
  NULL_REFUSED(clasp_identity_from_pem(chain, NOWHERE, &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pem(chain, chain, &identity));
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pem(NONE, NONE, &identity));
  // Another's certificate.
  REFUSED(CLASP_CODE_CALLER, clasp_identity_from_pem(ca, key, &identity));
  CHECK(identity == NULL);
  nulls_of_archives();
  clasp_roots_free(roots);
  clasp_roots_free(NULL);
  clasp_identity_free(NULL);
}

static void misuse_of_client_builders(void) {
  const uint16_t suites[] = {0x1301}, unknown[] = {0xfafa};
  clasp_codes codes = {suites, 1}, nowhere = {NULL, 1}, empty = {NULL, 0}, strange = {unknown, 1};
  clasp_codes odd = {(const uint16_t *)(const void *)((const char *)suites + 1), 1};
  clasp_roots *roots = trusted();
  clasp_identity *identity = identity_of();
  clasp_client_builder *b = (clasp_client_builder *)&b;
  clasp_client_config *config = (clasp_client_config *)&config;
  NULL_REFUSED(clasp_client_builder_new(roots, NULL));
  NULL_REFUSED(clasp_client_builder_new(NULL, &b));
  CHECK(b == NULL);
  NULL_REFUSED(clasp_client_builder_new_dangerous_trust_anyone(NULL));
  NULL_REFUSED(clasp_client_builder_set_identity(NULL, identity));
  NULL_REFUSED(clasp_client_builder_add_alpn(NULL, clasp_string("toy")));
  NULL_REFUSED(clasp_client_builder_set_policy(NULL, CLASP_POLICY_MODERN));
  NULL_REFUSED(clasp_client_builder_set_versions(NULL, CLASP_TLS12, CLASP_TLS13));
  NULL_REFUSED(clasp_client_builder_set_suites(NULL, codes));
  NULL_REFUSED(clasp_client_builder_set_groups(NULL, codes));
  NULL_REFUSED(clasp_client_builder_set_send_server_name(NULL, true));
  NULL_REFUSED(clasp_client_builder_set_sessions(NULL, true));
  NULL_REFUSED(clasp_client_builder_build(NULL, &config));
  CHECK(config == NULL);
  GOOD(clasp_client_builder_new(roots, &b));
  NULL_REFUSED(clasp_client_builder_set_identity(b, NULL));
  NULL_REFUSED(clasp_client_builder_add_alpn(b, NOWHERE));
  NULL_REFUSED(clasp_client_builder_set_suites(b, nowhere));
  NULL_REFUSED(clasp_client_builder_set_groups(b, nowhere));
  NULL_REFUSED(clasp_client_builder_build(b, NULL));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_client_builder_set_suites(b, odd));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_client_builder_add_alpn(b, NONE));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_client_builder_set_policy(b, 3));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_client_builder_set_versions(b, CLASP_TLS13, CLASP_TLS12));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_client_builder_set_versions(b, 0x0301, CLASP_TLS12));
  // What cannot stand shows when it is built; and what is put right builds.
  GOOD(clasp_client_builder_set_suites(b, empty));
  REFUSED(CLASP_CODE_CALLER, clasp_client_builder_build(b, &config));
  GOOD(clasp_client_builder_set_suites(b, strange));
  REFUSED(CLASP_CODE_CALLER, clasp_client_builder_build(b, &config));
  CHECK(config == NULL);
  GOOD(clasp_client_builder_set_policy(b, CLASP_POLICY_DEFAULT));
  GOOD(clasp_client_builder_set_sessions(b, false));
  GOOD(clasp_client_builder_set_send_server_name(b, false));
  for (int again = 0; again < 2; again++) {
    GOOD(clasp_client_builder_build(b, &config));
    clasp_client_config_free(config);
  }
  clasp_client_builder_free(b);
  clasp_client_builder_free(NULL);
  clasp_client_config_free(NULL);
  clasp_identity_free(identity);
  clasp_roots_free(roots);
}

static void misuse_of_server_builders(void) {
  const uint16_t groups[] = {0x001d};
  clasp_codes codes = {groups, 1}, nowhere = {NULL, 1};
  const uint8_t secret[32] = {1, 2, 3};
  clasp_bytes whole = {secret, 32}, part = {secret, 31};
  clasp_roots *roots = trusted();
  clasp_identity *identity = identity_of();
  clasp_server_builder *b = (clasp_server_builder *)&b;
  clasp_server_config *config = (clasp_server_config *)&config;
  NULL_REFUSED(clasp_server_builder_new(identity, NULL));
  NULL_REFUSED(clasp_server_builder_new(NULL, &b));
  CHECK(b == NULL);
  NULL_REFUSED(clasp_server_builder_add_identity(NULL, identity));
  NULL_REFUSED(clasp_server_builder_set_client_roots(NULL, roots, true));
  NULL_REFUSED(clasp_server_builder_add_alpn(NULL, clasp_string("toy")));
  NULL_REFUSED(clasp_server_builder_set_policy(NULL, CLASP_POLICY_MODERN));
  NULL_REFUSED(clasp_server_builder_set_versions(NULL, CLASP_TLS12, CLASP_TLS13));
  NULL_REFUSED(clasp_server_builder_set_suites(NULL, codes));
  NULL_REFUSED(clasp_server_builder_set_groups(NULL, codes));
  NULL_REFUSED(clasp_server_builder_set_tickets(NULL, 60));
  NULL_REFUSED(clasp_server_builder_set_shared_tickets(NULL, whole, 60));
  NULL_REFUSED(clasp_server_builder_set_sessions(NULL, true));
  NULL_REFUSED(clasp_server_builder_build(NULL, &config));
  CHECK(config == NULL);
  GOOD(clasp_server_builder_new(identity, &b));
  NULL_REFUSED(clasp_server_builder_add_identity(b, NULL));
  NULL_REFUSED(clasp_server_builder_set_client_roots(b, NULL, true));
  NULL_REFUSED(clasp_server_builder_set_suites(b, nowhere));
  NULL_REFUSED(clasp_server_builder_set_groups(b, nowhere));
  NULL_REFUSED(clasp_server_builder_add_alpn(b, NOWHERE));
  NULL_REFUSED(clasp_server_builder_set_shared_tickets(b, NOWHERE, 60));
  NULL_REFUSED(clasp_server_builder_build(b, NULL));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_server_builder_set_shared_tickets(b, part, 60));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_server_builder_set_tickets(b, 0));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_server_builder_set_tickets(b, 604801));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_server_builder_set_policy(b, 3));
  GOOD(clasp_server_builder_set_groups(b, codes));
  GOOD(clasp_server_builder_set_shared_tickets(b, whole, 3600));
  GOOD(clasp_server_builder_set_sessions(b, false));
  GOOD(clasp_server_builder_build(b, &config));
  clasp_server_config_free(config);
  clasp_server_builder_free(b);
  clasp_server_builder_free(NULL);
  clasp_server_config_free(NULL);
  clasp_identity_free(identity);
  clasp_roots_free(roots);
}

// Everything that can be asked of any connection, NULL too, has an answer.
static void ask_all(const clasp_connection *c) {
  (void)clasp_connection_wants(c);
  (void)clasp_connection_unsent(c);
  (void)clasp_connection_data(c);
  (void)clasp_connection_is_handshaking(c);
  (void)clasp_connection_is_confirmed(c);
  (void)clasp_connection_peer_closed(c);
  (void)clasp_connection_is_closed(c);
  (void)clasp_connection_failure(c);
  (void)clasp_connection_version(c);
  (void)clasp_connection_suite(c);
  (void)clasp_connection_group(c);
  (void)clasp_connection_signature_scheme(c);
  (void)clasp_connection_alpn(c);
  (void)clasp_connection_server_name(c);
  (void)clasp_connection_is_resumed(c);
  (void)clasp_connection_client_authenticated(c);
  (void)clasp_connection_peer_certificate(c, clasp_connection_peer_certificate_count(c));
  (void)clasp_connection_ocsp(c);
}

static void nulls_of_connections(clasp_connection *c) {
  uint8_t place[64];
  clasp_buffer room = {place, sizeof place};
  size_t n = 9;
  NULL_REFUSED(clasp_connection_feed(NULL, NONE, &n));
  CHECK(n == 0);
  NULL_REFUSED(clasp_connection_ended(NULL));
  NULL_REFUSED(clasp_connection_sent(NULL, 0));
  NULL_REFUSED(clasp_connection_take(NULL, room, &n));
  NULL_REFUSED(clasp_connection_consume(NULL, 0));
  NULL_REFUSED(clasp_connection_read(NULL, room, &n));
  NULL_REFUSED(clasp_connection_write(NULL, NONE, &n));
  NULL_REFUSED(clasp_connection_close(NULL));
  NULL_REFUSED(clasp_connection_abort(NULL, 90));
  NULL_REFUSED(clasp_connection_give_up(NULL));
  NULL_REFUSED(clasp_connection_update_keys(NULL, true));
  NULL_REFUSED(clasp_connection_rest(NULL));
  NULL_REFUSED(clasp_connection_export(NULL, clasp_string("EXPERIMENTAL x"), NONE, room));
  NULL_REFUSED(clasp_connection_tls_exporter(NULL, room, &n));
  NULL_REFUSED(clasp_connection_tls_server_end_point(NULL, NONE, room, &n));
  NULL_REFUSED(clasp_connection_feed(c, NOWHERE, &n));
  NULL_REFUSED(clasp_connection_feed(c, NONE, NULL));
  NULL_REFUSED(clasp_connection_take(c, NO_PLACE, &n));
  NULL_REFUSED(clasp_connection_take(c, room, NULL));
  REFUSED(CLASP_CODE_SHORT_BUFFER, clasp_connection_take(c, NO_ROOM, &n));
  NULL_REFUSED(clasp_connection_read(c, NO_PLACE, &n));
  NULL_REFUSED(clasp_connection_read(c, room, NULL));
  REFUSED(CLASP_CODE_SHORT_BUFFER, clasp_connection_read(c, NO_ROOM, &n));
  NULL_REFUSED(clasp_connection_write(c, NOWHERE, &n));
  NULL_REFUSED(clasp_connection_write(c, NONE, NULL));
  NULL_REFUSED(clasp_connection_export(c, NOWHERE, NONE, room));
  NULL_REFUSED(clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NOWHERE, room));
  NULL_REFUSED(clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NONE, NO_PLACE));
  NULL_REFUSED(clasp_connection_tls_exporter(c, room, NULL));
  NULL_REFUSED(clasp_connection_tls_exporter(c, NO_PLACE, &n));
  NULL_REFUSED(clasp_connection_tls_server_end_point(c, NOWHERE, room, &n));
  NULL_REFUSED(clasp_connection_tls_server_end_point(c, NONE, room, NULL));
  NULL_REFUSED(clasp_connection_tls_server_end_point(c, NONE, NO_PLACE, &n));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_sent(c, (size_t)-1));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_consume(c, clasp_connection_data(c).len + 1));
  ask_all(NULL);
  ask_all(c);
}

// What the one says goes to the other, in pieces of at most so many bytes. The first error is given.
static clasp_error *carry(clasp_connection *from, clasp_connection *to, size_t piece) {
  static uint8_t bytes[20000];
  for (;;) {
    clasp_buffer room = {bytes, piece};
    size_t len = 0, taken = 0;
    clasp_error *error = clasp_connection_take(from, room, &len);
    if (error != NULL || len == 0) return error;
    clasp_bytes part = {bytes, len};
    error = clasp_connection_feed(to, part, &taken);
    if (error != NULL) return error;
    // All of it, unless data waits to be read, or there is to be sent something first.
    CHECK(taken == len || (clasp_connection_wants(to) & (CLASP_HAS_DATA | CLASP_WANTS_SENDING)));
    if (taken < len) return NULL;
  }
}

static clasp_error *shake_hands(clasp_connection *client, clasp_connection *server, size_t piece) {
  clasp_error *error = NULL;
  for (int turn = 0; turn < 6 && error == NULL; turn++) {
    error = carry(client, server, piece);
    if (error == NULL) error = carry(server, client, piece);
  }
  return error;
}

static void begin(const clasp_client_config *cc, const clasp_server_config *sc, clasp_connection **c, clasp_connection **s) {
  GOOD(clasp_connection_new_client(cc, clasp_string("server.test"), c));
  GOOD(clasp_connection_new_server(sc, s));
}

static void misuse_of_connections(void) {
  clasp_client_config *cc = client_config(CLASP_TLS13, false);
  clasp_server_config *sc = server_config(false);
  clasp_connection *c = (clasp_connection *)&c, *s = NULL;
  const uint8_t not_utf8[] = {0xff, 0xfe};
  clasp_bytes bad = {not_utf8, 2};
  NULL_REFUSED(clasp_connection_new_client(cc, clasp_string("server.test"), NULL));
  NULL_REFUSED(clasp_connection_new_client(NULL, clasp_string("server.test"), &c));
  CHECK(c == NULL);
  NULL_REFUSED(clasp_connection_new_client(cc, NOWHERE, &c));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_new_client(cc, NONE, &c));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_new_client(cc, bad, &c));
  NULL_REFUSED(clasp_connection_new_server(NULL, &s));
  NULL_REFUSED(clasp_connection_new_server(sc, NULL));
  begin(cc, sc, &c, &s);
  uint8_t place[8200];
  clasp_buffer room = {place, sizeof place}, little = {place, 8}, enough = {place, 64};
  size_t n = 0;
  CHECK(clasp_connection_wants(c) == (CLASP_WANTS_BYTES | CLASP_WANTS_SENDING));
  CHECK(clasp_connection_wants(s) == CLASP_WANTS_BYTES);
  // Nothing of this does them any harm.
  REFUSED(CLASP_CODE_CALLER, clasp_connection_write(c, clasp_string("too early"), &n));
  REFUSED(CLASP_CODE_CALLER, clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NONE, enough));
  REFUSED(CLASP_CODE_CALLER, clasp_connection_tls_exporter(c, enough, &n));
  REFUSED(CLASP_CODE_CALLER, clasp_connection_update_keys(c, true));
  GOOD(clasp_connection_read(c, enough, &n));
  CHECK(n == 0 && clasp_connection_version(c) == 0);
  GOOD(clasp_connection_rest(c));
  GOOD(shake_hands(c, s, 1000));
  CHECK(clasp_connection_wants(c) == (CLASP_WANTS_BYTES | CLASP_CAN_WRITE));
  nulls_of_connections(c);
  nulls_of_connections(s);
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NONE, room));
  REFUSED(CLASP_CODE_SHORT_BUFFER, clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NONE, NO_ROOM));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_export(c, bad, NONE, enough));
  REFUSED(CLASP_CODE_SHORT_BUFFER, clasp_connection_tls_exporter(c, little, &n));
  CHECK(n == 32);
  REFUSED(CLASP_CODE_SHORT_BUFFER, clasp_connection_tls_server_end_point(c, NONE, little, &n));
  CHECK(n == 32);
  REFUSED(CLASP_CODE_CALLER, clasp_connection_tls_server_end_point(s, clasp_string("no certificate"), enough, &n));
  GOOD(clasp_connection_close(c));
  GOOD(clasp_connection_close(c));
  REFUSED(CLASP_CODE_CALLER, clasp_connection_write(c, clasp_string("too late"), &n));
  GOOD(carry(c, s, 7));
  GOOD(clasp_connection_read(s, enough, &n));
  CHECK(n == 0 && clasp_connection_peer_closed(s));
  // What stands behind the peer's close is ignored, and its transport may end.
  GOOD(clasp_connection_feed(s, clasp_string("noise"), &n));
  CHECK(n == 5);
  GOOD(clasp_connection_ended(s));
  REFUSED(CLASP_CODE_BAD_ARGUMENT, clasp_connection_feed(s, clasp_string("noise"), &n));
  CHECK(clasp_connection_failure(s) == NULL);
  clasp_connection_free(c);
  clasp_connection_free(s);
  clasp_connection_free(NULL);
  clasp_client_config_free(cc);
  clasp_server_config_free(sc);
}

static void exchange_data(clasp_connection *from, clasp_connection *to, size_t total, size_t piece) {
  static uint8_t sent[70000], got[70000];
  size_t written = 0, read = 0;
  CHECK(total <= sizeof sent);
  for (size_t i = 0; i < total; i++) sent[i] = (uint8_t)(i * 31 + total);
  for (int turns = 0; read < total; turns++) {
    CHECK(turns < 100000);
    size_t n = 0;
    clasp_bytes rest = {sent + written, total - written};
    GOOD(clasp_connection_write(from, rest, &n));
    written += n;
    clasp_bytes unsent = clasp_connection_unsent(from);
    clasp_bytes part = {unsent.data, unsent.len < piece ? unsent.len : piece};
    GOOD(clasp_connection_feed(to, part, &n));
    GOOD(clasp_connection_sent(from, n));
    // A piece by copy, and the next where it stands.
    clasp_buffer room = {got + read, total - read < piece ? total - read : piece};
    GOOD(clasp_connection_read(to, room, &n));
    read += n;
    clasp_bytes data = clasp_connection_data(to);
    if (data.len > 0) {
      memcpy(got + read, data.data, data.len);
      read += data.len;
      GOOD(clasp_connection_consume(to, data.len));
    }
  }
  CHECK(memcmp(sent, got, total) == 0);
}

static void check_facts(clasp_connection *c, clasp_connection *s, uint16_t version, bool resumed) {
  CHECK(clasp_connection_version(c) == version && clasp_connection_version(s) == version);
  CHECK(clasp_connection_suite(c) != 0 && clasp_connection_suite(c) == clasp_connection_suite(s));
  CHECK(same(clasp_connection_alpn(c), "toy") && same(clasp_connection_alpn(s), "toy"));
  CHECK(same(clasp_connection_server_name(s), "server.test"));
  CHECK(clasp_connection_is_resumed(c) == resumed && clasp_connection_is_resumed(s) == resumed);
  CHECK(clasp_connection_client_authenticated(s) && clasp_connection_is_confirmed(c));
  CHECK(clasp_connection_peer_certificate_count(c) == 1 && clasp_connection_peer_certificate(c, 0).len > 100);
  CHECK(clasp_connection_peer_certificate(c, 1).len == 0 && clasp_connection_ocsp(c).len == 0);
  CHECK(resumed || (clasp_connection_signature_scheme(c) != 0 && clasp_connection_group(c) != 0));
  uint8_t ours[48], theirs[48];
  clasp_buffer a = {ours, 48}, b = {theirs, 48};
  size_t n = 0, m = 0;
  GOOD(clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), NONE, a));
  GOOD(clasp_connection_export(s, clasp_string("EXPERIMENTAL x"), NONE, b));
  CHECK(memcmp(ours, theirs, 48) == 0);
  GOOD(clasp_connection_export(c, clasp_string("EXPERIMENTAL x"), clasp_string(""), a));
  CHECK((memcmp(ours, theirs, 48) == 0) == (version == CLASP_TLS13));
  GOOD(clasp_connection_tls_exporter(c, a, &n));
  GOOD(clasp_connection_tls_exporter(s, b, &m));
  CHECK(n == 32 && m == 32 && memcmp(ours, theirs, 32) == 0);
  GOOD(clasp_connection_tls_server_end_point(c, NONE, a, &n));
  GOOD(clasp_connection_tls_server_end_point(s, clasp_connection_peer_certificate(c, 0), b, &m));
  CHECK(n == 32 && m == 32 && memcmp(ours, theirs, 32) == 0);
}

static void conversation(uint16_t version) {
  clasp_client_config *cc = client_config(version, true);
  clasp_server_config *sc = server_config(true);
  for (int again = 0; again < 2; again++) {
    clasp_connection *c = NULL, *s = NULL;
    begin(cc, sc, &c, &s);
    GOOD(shake_hands(c, s, again ? 20000 : 1));
    check_facts(c, s, version, again == 1);
    exchange_data(c, s, 70000, 5000);
    exchange_data(s, c, 300, 3);
    if (version == CLASP_TLS13) {
      GOOD(clasp_connection_update_keys(c, true));
      exchange_data(c, s, 10, 50);
      exchange_data(s, c, 10, 50);
    } else {
      REFUSED(CLASP_CODE_CALLER, clasp_connection_update_keys(c, true));
    }
    if (again) {
      // The configurations are not needed any more.
      clasp_client_config_free(cc);
      clasp_server_config_free(sc);
      GOOD(clasp_connection_rest(c));
      exchange_data(c, s, 10, 50);
    }
    GOOD(clasp_connection_close(s));
    GOOD(carry(s, c, 20));
    GOOD(clasp_connection_ended(c));
    clasp_connection_free(c);
    clasp_connection_free(s);
  }
}

// A failure is told by the call, and kept by the connection.
static void failures_of_handshakes(void) {
  clasp_client_config *cc = client_config(CLASP_TLS13, false);
  clasp_server_config *sc = server_config(true);
  clasp_connection *c = NULL, *s = NULL;
  uint8_t place[64];
  clasp_buffer room = {place, sizeof place};
  size_t n = 0;
  // The server wants a certificate.
  begin(cc, sc, &c, &s);
  REFUSED(CLASP_CODE_PEER, shake_hands(c, s, 20000));
  CHECK(clasp_error_alert(clasp_connection_failure(s)) == 116 && !clasp_error_alert_received(clasp_connection_failure(s)));
  REFUSED(CLASP_CODE_ALERT, carry(s, c, 20000));
  CHECK(same(clasp_error_label(clasp_connection_failure(c)), "certificate_required"));
  CHECK(clasp_error_alert_received(clasp_connection_failure(c)) && clasp_connection_wants(c) == 0);
  REFUSED(CLASP_CODE_ALERT, clasp_connection_read(c, room, &n));
  REFUSED(CLASP_CODE_ALERT, clasp_connection_write(c, clasp_string("x"), &n));
  GOOD(clasp_connection_close(c));
  ask_all(c);
  clasp_connection_free(c);
  clasp_connection_free(s);
  // What is no TLS.
  GOOD(clasp_connection_new_server(sc, &s));
  REFUSED(CLASP_CODE_PEER, clasp_connection_feed(s, clasp_string("GET / HTTP/1.0\r\n\r\n"), &n));
  CHECK(clasp_error_hint(clasp_connection_failure(s)).len > 0);
  clasp_connection_free(s);
  // An end in the handshake; and one whose time is over.
  begin(cc, sc, &c, &s);
  REFUSED(CLASP_CODE_TRUNCATED, clasp_connection_ended(c));
  GOOD(clasp_connection_give_up(s));
  GOOD(clasp_connection_give_up(s));
  CHECK(same(clasp_error_label(clasp_connection_failure(s)), "TookTooLong"));
  clasp_connection_free(c);
  clasp_connection_free(s);
  // A server that nobody vouches for.
  clasp_roots *roots = NULL;
  clasp_client_builder *builder = NULL;
  clasp_client_config_free(cc);
  GOOD(clasp_roots_bundled(&roots));
  GOOD(clasp_client_builder_new(roots, &builder));
  GOOD(clasp_client_builder_add_alpn(builder, clasp_string("toy")));
  GOOD(clasp_client_builder_build(builder, &cc));
  clasp_client_builder_free(builder);
  clasp_roots_free(roots);
  begin(cc, sc, &c, &s);
  REFUSED(CLASP_CODE_CERTIFICATE, shake_hands(c, s, 20000));
  REFUSED(CLASP_CODE_ALERT, carry(c, s, 20000));
  CHECK(clasp_error_alert_received(clasp_connection_failure(s)) && !clasp_error_alert_received(clasp_connection_failure(c)));
  CHECK(clasp_error_alert(clasp_connection_failure(s)) == clasp_error_alert(clasp_connection_failure(c)));
  clasp_connection_free(c);
  clasp_connection_free(s);
  clasp_client_config_free(cc);
  clasp_server_config_free(sc);
}

static void ends_of_connections(void) {
  clasp_client_config *cc = client_config(CLASP_TLS13, false);
  clasp_server_config *sc = server_config(false);
  clasp_connection *c = NULL, *s = NULL;
  uint8_t place[64];
  clasp_buffer room = {place, sizeof place};
  size_t n = 0;
  begin(cc, sc, &c, &s);
  GOOD(shake_hands(c, s, 20000));
  // An end behind data that was not read.
  GOOD(clasp_connection_write(c, clasp_string("half of it"), &n));
  GOOD(carry(c, s, 20000));
  GOOD(clasp_connection_ended(s));
  CHECK(clasp_connection_wants(s) == (CLASP_HAS_DATA | CLASP_CAN_WRITE));
  GOOD(clasp_connection_read(s, room, &n));
  CHECK(n == 10);
  REFUSED(CLASP_CODE_TRUNCATED, clasp_connection_read(s, room, &n));
  CHECK(n == 0);
  // An end of the caller's choice.
  GOOD(clasp_connection_abort(c, 90));
  REFUSED(CLASP_CODE_CALLER, clasp_connection_abort(c, 90));
  CHECK(clasp_connection_unsent(c).len > 0 && clasp_error_alert(clasp_connection_failure(c)) == 90);
  clasp_connection_free(c);
  clasp_connection_free(s);
  clasp_client_config_free(cc);
  clasp_server_config_free(sc);
}

static uint32_t random_state = 1;

static uint32_t below(uint32_t limit) {
  random_state = random_state * 1664525 + 1013904223;
  return (random_state >> 8) % limit;
}

// Something, whether or not it is time for it. Whatever comes of it is freed.
static void anything(clasp_connection *one, clasp_connection *other) {
  static uint8_t bytes[20000];
  clasp_buffer room = {bytes, below(4) ? below(sizeof bytes) : below(3)};
  clasp_bytes part = {bytes, below(4) ? below(300) : below(sizeof bytes)};
  size_t n = 0;
  clasp_error *error = NULL;
  switch (below(40)) {
    case 0: error = below(3) ? NULL : clasp_connection_close(one); break;
    case 1: error = below(3) ? NULL : clasp_connection_ended(one); break;
    case 2: error = clasp_connection_update_keys(one, below(2)); break;
    case 3: error = clasp_connection_rest(one); break;
    case 4: error = below(8) ? NULL : clasp_connection_give_up(one); break;
    case 5: error = below(8) ? NULL : clasp_connection_abort(one, (uint8_t)below(256)); break;
    case 6: error = below(8) ? NULL : clasp_connection_feed(one, part, &n); break;
    case 7: error = clasp_connection_export(one, clasp_string("EXPERIMENTAL x"), part, room); break;
    case 8: error = clasp_connection_tls_server_end_point(one, NONE, room, &n); break;
    case 9: error = clasp_connection_sent(one, below(2) ? 0 : below(3)); break;
    case 10: ask_all(one); break;
    case 11: error = clasp_connection_consume(one, clasp_connection_data(one).len); break;
    default:
      if (below(3) == 0) {
        error = clasp_connection_write(one, part, &n);
      } else if (below(2)) {
        error = clasp_connection_read(one, room, &n);
      } else {
        error = carry(one, other, 1 + below(sizeof bytes));
      }
  }
  clasp_error_free(error);
}

static void every_order(int rounds) {
  clasp_client_config *cc[2] = {client_config(CLASP_TLS12, true), client_config(CLASP_TLS13, false)};
  clasp_server_config *sc = server_config(false);
  for (int round = 0; round < rounds; round++) {
    clasp_connection *c = NULL, *s = NULL;
    begin(cc[below(2)], sc, &c, &s);
    for (uint32_t steps = 20 + below(100); steps > 0; steps--) {
      if (below(2)) anything(c, s);
      else anything(s, c);
    }
    clasp_connection_free(c);
    clasp_connection_free(s);
  }
  clasp_client_config_free(cc[0]);
  clasp_client_config_free(cc[1]);
  clasp_server_config_free(sc);
}

int main(int argc, char **argv) {
  CHECK(argc == 7);
  ca = read_file(argv[1]);
  chain = read_file(argv[2]);
  key = read_file(argv[3]);
  archive = read_file(argv[4]);
  password = clasp_string(argv[5]);
  CHECK(clasp_error_code(NULL) == CLASP_CODE_NONE && clasp_error_words(NULL).len == 0 && clasp_error_label(NULL).len == 0);
  CHECK(clasp_error_hint(NULL).len == 0 && clasp_error_alert(NULL) == -1 && !clasp_error_alert_received(NULL));
  clasp_error_free(NULL);
  CHECK(same(clasp_version_name(CLASP_TLS13), "TLS 1.3") && same(clasp_suite_name(0x1301), "TLS_AES_128_GCM_SHA256"));
  CHECK(same(clasp_group_name(0x001d), "x25519") && same(clasp_alert_name(48), "unknown_ca"));
  CHECK(same(clasp_signature_scheme_name(0x0403), "ecdsa_secp256r1_sha256") && same(clasp_suite_name(0xfefe), "unknown"));
  CHECK(clasp_library_version().len >= 5 && clasp_string(NULL).len == 0);
  nulls_of_roots_and_identities();
  misuse_of_client_builders();
  misuse_of_server_builders();
  misuse_of_connections();
  conversation(CLASP_TLS12);
  conversation(CLASP_TLS13);
  failures_of_handshakes();
  ends_of_connections();
  every_order(atoi(argv[6]));
  free((void *)ca.data);
  free((void *)chain.data);
  free((void *)key.data);
  free((void *)archive.data);
  puts("all of it was refused, or done");
  return 0;
}
