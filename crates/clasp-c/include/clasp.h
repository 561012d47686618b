// Clasp's TLS for C: TLS 1.2 and 1.3 over bytes, client and server, without sockets.
//
// Written from the sources of the crate clasp-c by its tests; do not edit it.
//
// Errors: a function that can fail returns NULL where it did not, or else an error that the caller frees with clasp_error_free. What
// it gives by a pointer it has set before, to NULL or 0 where it failed.
// Pointers: NULL is refused (CLASP_CODE_NULL_POINTER) wherever nothing else is said. Functions that only look return 0, false or no
// bytes for NULL. What is shown in one argument may not be written through another, during the call.
// Ownership: each clasp_..._new, _from_, _native, _bundled and _build gives an object that the caller frees once, with the
// clasp_..._free of its type. What is given to an object is shared with it, and freed by itself, whenever the caller likes.
// Lengths: in bytes, with no NUL at the end. Strings are UTF-8.
// Threads: what a function takes as const may be used by any number of threads at a time; everything else by one at a time, and which
// one may change. There is no state but that of the objects.
// The library does not end the program for a fault of its own: that is CLASP_CODE_BUG, and words on stderr. For want of memory it does.


#ifndef CLASP_H
#define CLASP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define CLASP_MUST_USE __attribute__((warn_unused_result))
#else
#define CLASP_MUST_USE
#endif


// What the public web demands of certificates: RFC 5280 and the CA/Browser Forum's Baseline Requirements.
#define CLASP_PROFILE_WEB_PKI 1

// Path validation of RFC 5280, for private authorities.
#define CLASP_PROFILE_RFC5280 2

// What old devices present, for a device that is pinned by its own authority: never for the public web.
#define CLASP_PROFILE_LEGACY 3

// TLS 1.3 and 1.2 with forward secrecy and AEAD: what a builder begins with.
#define CLASP_POLICY_DEFAULT 0

// TLS 1.3 alone.
#define CLASP_POLICY_MODERN 1

// The default's, and what devices need that know TLS 1.2 with RSA key transport or CBC alone.
#define CLASP_POLICY_LEGACY 2

// TLS 1.2, as a version's number.
#define CLASP_TLS12 771

// TLS 1.3, as a version's number.
#define CLASP_TLS13 772

// Bytes of the transport are wanted: clasp_connection_feed, or clasp_connection_ended at its end.
#define CLASP_WANTS_BYTES 1

// There are bytes for the transport: clasp_connection_unsent, or clasp_connection_take.
#define CLASP_WANTS_SENDING 2

// There is plaintext to read: clasp_connection_read, or clasp_connection_data.
#define CLASP_HAS_DATA 4

// Plaintext can be written: clasp_connection_write.
#define CLASP_CAN_WRITE 8

// What kind of failure it is: what a program decides by.
typedef enum clasp_code {
  // There is no error.
  CLASP_CODE_NONE = 0,
  // A pointer was NULL that may not be. Nothing was done.
  CLASP_CODE_NULL_POINTER = 1,
  // Another argument cannot be what it is. Nothing was done.
  CLASP_CODE_BAD_ARGUMENT = 2,
  // There is not enough room. Nothing was written; the needed length is told.
  CLASP_CODE_SHORT_BUFFER = 3,
  // The program asked for something that cannot be, now or at all. The connection goes on, unless it has failed before.
  CLASP_CODE_CALLER = 4,
  // The peer broke a rule, or has nothing in common with us. The connection has failed.
  CLASP_CODE_PEER = 5,
  // The peer's certificate was not accepted. The connection has failed.
  CLASP_CODE_CERTIFICATE = 6,
  // The peer ended the connection with a fatal alert.
  CLASP_CODE_ALERT = 7,
  // The transport ended without a word of the peer: data may be missing. Nothing more can be received.
  CLASP_CODE_TRUNCATED = 8,
  // The system failed: its randomness, its store of roots.
  CLASP_CODE_OUTSIDE = 9,
  // A fault of Clasp's own; please report it. The connection can only be freed.
  CLASP_CODE_BUG = 10,
} clasp_code;

// Collects a client's settings. One thread at a time. Nothing that can be replayed is ever sent (no early data).
typedef struct clasp_client_builder clasp_client_builder;

// What all connections of a client share, their sessions among it. Nothing changes it: any number of threads may use it. A
// connection keeps what it needs, so a configuration may be freed before its connections.
typedef struct clasp_client_config clasp_client_config;

// One end of a TLS connection: bytes of the transport go in and out, and so does plaintext. One thread at a time; which one may
// change.
typedef struct clasp_connection clasp_connection;

// What went wrong. Nothing changes it: any number of threads may look at it. Whoever got it from a function that returns
// clasp_error * frees it.
typedef struct clasp_error clasp_error;

// A certificate chain and its private key. Nothing changes it: any number of threads, builders and configurations may share it. The
// key is wiped when the last of them is freed.
typedef struct clasp_identity clasp_identity;

// Authorities that are trusted. One thread at a time may add to them; builders that were given them have what they held then.
typedef struct clasp_roots clasp_roots;

// Collects a server's settings. One thread at a time. Early data is not taken.
typedef struct clasp_server_builder clasp_server_builder;

// What all connections of a server share, their sessions and ticket keys among it. Nothing changes it: any number of threads may
// use it. A connection keeps what it needs, so a configuration may be freed before its connections.
typedef struct clasp_server_config clasp_server_config;

// Bytes that somebody else owns: a pointer and a length. Those that a function takes are read before it returns, and not kept.
// Those that a function returns last as long as it says. There is no NUL at their end. A NULL with a length of 0 is no bytes.
typedef struct clasp_bytes {
  // The first of them.
  const uint8_t *data;
  // How many.
  size_t len;
} clasp_bytes;

// Numbers of the protocol that the caller owns, such as cipher suites: read before the function returns, and not kept.
typedef struct clasp_codes {
  // The first of them.
  const uint16_t *data;
  // How many.
  size_t count;
} clasp_codes;

// Room that the caller owns, and that a function writes into. It is never read; it need not be initialised.
typedef struct clasp_buffer {
  // Its first byte.
  uint8_t *data;
  // Its size in bytes.
  size_t capacity;
} clasp_buffer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What kind of failure it is; CLASP_CODE_NONE of NULL.
enum clasp_code clasp_error_code(const struct clasp_error *error);

// The name of the cause, one word: "NoCommonSuite", or an alert's "unknown_ca". For tests and logs; it lasts until the error is
// freed.
struct clasp_bytes clasp_error_label(const struct clasp_error *error);

// What went wrong, in one line of UTF-8: what, what was seen, what was wanted, where. What peers say is escaped in it. It lasts
// until the error is freed.
struct clasp_bytes clasp_error_words(const struct clasp_error *error);

// What to change, in one line of UTF-8; no bytes where nobody knows. It lasts until the error is freed.
struct clasp_bytes clasp_error_hint(const struct clasp_error *error);

// The number of the alert that stands for it on the wire (RFC 9846 6), 0 to 255: one that was received, or one that is for the peer.
// -1 where there is none.
int32_t clasp_error_alert(const struct clasp_error *error);

// Whether that alert came from the peer.
bool clasp_error_alert_received(const struct clasp_error *error);

// Frees an error. NULL is borne. Never one of clasp_connection_failure, which belongs to its connection.
void clasp_error_free(struct clasp_error *error);

// Trusts nobody yet. Free *roots with clasp_roots_free.
CLASP_MUST_USE struct clasp_error *clasp_roots_new(struct clasp_roots **roots);

// Trusts what the system trusts, by CLASP_PROFILE_WEB_PKI. Reads the system's files: it takes a while, and may be kept for
// all configurations. Free *roots with clasp_roots_free.
CLASP_MUST_USE
struct clasp_error *clasp_roots_native(struct clasp_roots **roots);

// Trusts the roots of Mozilla's program as they were when this was built, by CLASP_PROFILE_WEB_PKI. They go stale with the library.
// Free *roots with clasp_roots_free.
CLASP_MUST_USE
struct clasp_error *clasp_roots_bundled(struct clasp_roots **roots);

// Trusts every certificate of a PEM file as the caller's own authority (CLASP_PROFILE_RFC5280); *added is their number. If one cannot
// be read, none is added.
CLASP_MUST_USE
struct clasp_error *clasp_roots_add_pem(struct clasp_roots *roots,
                                        struct clasp_bytes pem,
                                        size_t *added);

// The same, with the profile that chains to them are held to: one of CLASP_PROFILE_...
CLASP_MUST_USE
struct clasp_error *clasp_roots_add_pem_as(struct clasp_roots *roots,
                                           struct clasp_bytes pem,
                                           uint32_t profile,
                                           size_t *added);

// Trusts one certificate in DER, with the profile that chains to it are held to: one of CLASP_PROFILE_...
CLASP_MUST_USE
struct clasp_error *clasp_roots_add_der(struct clasp_roots *roots,
                                        struct clasp_bytes der,
                                        uint32_t profile);

// How many are trusted; 0 of NULL.
size_t clasp_roots_count(const struct clasp_roots *roots);

// Frees roots. NULL is borne; builders and configurations keep what they were given.
void clasp_roots_free(struct clasp_roots *roots);

// Reads a chain in PEM, own certificate first, and its private key in PEM (PKCS #8, PKCS #1 or SEC 1, unencrypted). The key has to be
// the certificate's. What Clasp reads of the key it wipes; the caller wipes what it has read into `key_pem`. Free *identity with
// clasp_identity_free.
CLASP_MUST_USE
struct clasp_error *clasp_identity_from_pem(struct clasp_bytes chain_pem,
                                            struct clasp_bytes key_pem,
                                            struct clasp_identity **identity);

// Reads a PKCS #12 archive (RFC 7292; .p12, .pfx) and its password, in UTF-8: one private key, its certificate, and those that lead to
// a root. What Clasp makes of the key it wipes; what the reader of archives copies meanwhile is not, and the password is the caller's to
// wipe. Free *identity with clasp_identity_free.
CLASP_MUST_USE
struct clasp_error *clasp_identity_from_pkcs12(struct clasp_bytes archive,
                                               struct clasp_bytes password,
                                               struct clasp_identity **identity);

// Frees an identity. NULL is borne; builders and configurations keep what they were given.
void clasp_identity_free(struct clasp_identity *identity);

// Begins a configuration that trusts servers whose chains end in one of these roots. Free *builder with
// clasp_client_builder_free.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_new(const struct clasp_roots *roots,
                                             struct clasp_client_builder **builder);

// Begins a configuration that trusts anybody. Dangerous: it keeps out whoever looks on, never whoever stands between. Free *builder
// with clasp_client_builder_free.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_new_dangerous_trust_anyone(struct clasp_client_builder **builder);

// The certificate for servers that ask for one; one that was set before is replaced.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_identity(struct clasp_client_builder *builder,
                                                      const struct clasp_identity *identity);

// Offers an application protocol (RFC 7301), 1 to 255 bytes, behind those that were added before.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_add_alpn(struct clasp_client_builder *builder,
                                                  struct clasp_bytes protocol);

// What connections may use: one of CLASP_POLICY_... It undoes what was said of versions, suites and groups.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_policy(struct clasp_client_builder *builder,
                                                    uint32_t policy);

// Narrows the policy to the versions from `lowest` to `highest`: CLASP_TLS12, CLASP_TLS13.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_versions(struct clasp_client_builder *builder,
                                                      uint16_t lowest,
                                                      uint16_t highest);

// Replaces the policy's cipher suites, by their numbers, best first.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_suites(struct clasp_client_builder *builder,
                                                    struct clasp_codes suites);

// Replaces the policy's groups of the key exchange, by their numbers, best first.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_groups(struct clasp_client_builder *builder,
                                                    struct clasp_codes groups);

// Whether the server is told which name is meant (RFC 6066 3). On by default.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_set_send_server_name(struct clasp_client_builder *builder,
                                                              bool yes);

// Whether sessions are kept, so that later connections can resume them. On by default.
CLASP_MUST_USE struct clasp_error *clasp_client_builder_set_sessions(struct clasp_client_builder *builder, bool yes);

// Holds the settings against one another and makes a configuration of them. The builder stays as it is: it can go on, and is freed by
// itself. Free *config with clasp_client_config_free.
CLASP_MUST_USE
struct clasp_error *clasp_client_builder_build(const struct clasp_client_builder *builder,
                                               struct clasp_client_config **config);

// Frees a builder. NULL is borne.
void clasp_client_builder_free(struct clasp_client_builder *builder);

// Frees a configuration. NULL is borne; connections keep what they need.
void clasp_client_config_free(struct clasp_client_config *config);

// Begins a configuration with the identity of the server. Free *builder with clasp_server_builder_free.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_new(const struct clasp_identity *identity,
                                             struct clasp_server_builder **builder);

// Adds another identity: chosen by the name that a client asks for, then by what it can verify. The first is the default.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_add_identity(struct clasp_server_builder *builder,
                                                      const struct clasp_identity *identity);

// Asks clients for a certificate whose chain ends in one of these roots. If `required`, a client without one is refused; one with
// another is in any case.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_client_roots(struct clasp_server_builder *builder,
                                                          const struct clasp_roots *roots,
                                                          bool required);

// Speaks an application protocol (RFC 7301), 1 to 255 bytes; those that were added before are liked better. A client that offers
// others alone is refused.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_add_alpn(struct clasp_server_builder *builder,
                                                  struct clasp_bytes protocol);

// What connections may use: one of CLASP_POLICY_... It undoes what was said of versions, suites and groups.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_policy(struct clasp_server_builder *builder,
                                                    uint32_t policy);

// Narrows the policy to the versions from `lowest` to `highest`: CLASP_TLS12, CLASP_TLS13.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_versions(struct clasp_server_builder *builder,
                                                      uint16_t lowest,
                                                      uint16_t highest);

// Replaces the policy's cipher suites, by their numbers, best first.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_suites(struct clasp_server_builder *builder,
                                                    struct clasp_codes suites);

// Replaces the policy's groups of the key exchange, by their numbers, best first.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_groups(struct clasp_server_builder *builder,
                                                    struct clasp_codes groups);

// Gives clients tickets, so that the server need not keep their sessions: 1 to 604800 seconds (seven days). Their keys are made
// with the configuration, change by themselves and are known to it alone.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_tickets(struct clasp_server_builder *builder,
                                                     uint32_t lifetime_seconds);

// The same for several machines: whoever has the same `secret`, lifetime and time of day opens the tickets. It is 32 random bytes;
// Clasp's copy of it is wiped.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_set_shared_tickets(struct clasp_server_builder *builder,
                                                            struct clasp_bytes secret,
                                                            uint32_t lifetime_seconds);

// Whether sessions are kept in memory, for clients without tickets. On by default.
CLASP_MUST_USE struct clasp_error *clasp_server_builder_set_sessions(struct clasp_server_builder *builder, bool yes);

// Holds the settings against one another and makes a configuration of them. The builder stays as it is: it can go on, and is freed by
// itself. Free *config with clasp_server_config_free.
CLASP_MUST_USE
struct clasp_error *clasp_server_builder_build(const struct clasp_server_builder *builder,
                                               struct clasp_server_config **config);

// Frees a builder. NULL is borne.
void clasp_server_builder_free(struct clasp_server_builder *builder);

// Frees a configuration. NULL is borne; connections keep what they need.
void clasp_server_config_free(struct clasp_server_config *config);

// Begins a connection to the server of this name: a DNS name, or an IP address in text (UTF-8). Its first bytes for the server can
// be sent at once. Free *connection with clasp_connection_free.
CLASP_MUST_USE
struct clasp_error *clasp_connection_new_client(const struct clasp_client_config *config,
                                                struct clasp_bytes server_name,
                                                struct clasp_connection **connection);

// Begins a connection with a client, which speaks first. Free *connection with clasp_connection_free.
CLASP_MUST_USE
struct clasp_error *clasp_connection_new_server(const struct clasp_server_config *config,
                                                struct clasp_connection **connection);

// Frees a connection, and wipes its keys. NULL is borne. It says nothing to the peer: clasp_connection_close does.
void clasp_connection_free(struct clasp_connection *connection);

// What the connection can do now: CLASP_WANTS_... and CLASP_HAS_DATA, CLASP_CAN_WRITE, added up. 0 where it is done with, and of
// NULL.
uint32_t clasp_connection_wants(const struct clasp_connection *connection);

// Gives the connection bytes that the transport has received, and has it do what follows. *taken is how many it took: fewer than all
// where there is data to be read first; give it the rest then. After each call there may be bytes to send, after an error too: an
// alert for the peer.
CLASP_MUST_USE
struct clasp_error *clasp_connection_feed(struct clasp_connection *connection,
                                          struct clasp_bytes received,
                                          size_t *taken);

// Says that the transport has ended: nothing more will be received. An error (CLASP_CODE_TRUNCATED) if the peer had not said that it
// was done; where there is data to be read first, clasp_connection_read gives that error behind it.
CLASP_MUST_USE
struct clasp_error *clasp_connection_ended(struct clasp_connection *connection);

// Bytes for the transport, which need not be all. They last until the next call that changes the connection. Say with
// clasp_connection_sent how many were sent, and look again. No bytes of NULL.
struct clasp_bytes clasp_connection_unsent(const struct clasp_connection *connection);

// The transport has taken the first `len` bytes of clasp_connection_unsent.
CLASP_MUST_USE struct clasp_error *clasp_connection_sent(struct clasp_connection *connection, size_t len);

// Copies bytes for the transport into `buffer`, as many as there are and there is room for; they count as sent. *given is how many;
// 0 if there are none.
CLASP_MUST_USE
struct clasp_error *clasp_connection_take(struct clasp_connection *connection,
                                          struct clasp_buffer buffer,
                                          size_t *given);

// Plaintext of the peer where it was decrypted. It lasts until the next call that changes the connection. Say with
// clasp_connection_consume how much was read. No bytes where there is nothing yet: clasp_connection_read looks for more.
struct clasp_bytes clasp_connection_data(const struct clasp_connection *connection);

// The first `len` bytes of clasp_connection_data have been read. The next are made ready, if there are some.
CLASP_MUST_USE struct clasp_error *clasp_connection_consume(struct clasp_connection *connection, size_t len);

// Copies plaintext of the peer into `buffer`. *given is how many bytes; 0 if there are none: the transport has to give more first,
// or, where clasp_connection_peer_closed says so, there will be none. Call it until it gives 0.
CLASP_MUST_USE
struct clasp_error *clasp_connection_read(struct clasp_connection *connection,
                                          struct clasp_buffer buffer,
                                          size_t *given);

// Encrypts plaintext for the peer. *taken is how much was taken: less than all where bytes have to be sent first; write the rest then.
CLASP_MUST_USE
struct clasp_error *clasp_connection_write(struct clasp_connection *connection,
                                           struct clasp_bytes plaintext,
                                           size_t *taken);

// Says that nothing more will be written (close_notify), which is then to be sent. Data of the peer can still be read. A second close
// does nothing.
CLASP_MUST_USE
struct clasp_error *clasp_connection_close(struct clasp_connection *connection);

// Ends the connection with a fatal alert of this number (RFC 9846 6.2), which is then to be sent: 90 is user_canceled.
CLASP_MUST_USE struct clasp_error *clasp_connection_abort(struct clasp_connection *connection, uint8_t alert);

// Ends the connection because the peer was too slow, by the caller's clock: Clasp has none. The alert is then to be sent, and
// clasp_connection_failure says what was waited for.
CLASP_MUST_USE
struct clasp_error *clasp_connection_give_up(struct clasp_connection *connection);

// TLS 1.3: moves our sending keys on, and asks the peer to do the same if `ask` (RFC 9846 4.6.3). The message is then to be sent.
CLASP_MUST_USE
struct clasp_error *clasp_connection_update_keys(struct clasp_connection *connection,
                                                 bool ask);

// Nothing will happen for long: gives back what memory is not needed meanwhile. The next bytes take it again.
CLASP_MUST_USE struct clasp_error *clasp_connection_rest(struct clasp_connection *connection);

// Whether the handshake is still going on.
bool clasp_connection_is_handshaking(const struct clasp_connection *connection);

// Client: whether the server has let us in, with our certificate or without the one that it asked for. In TLS 1.3 the handshake is
// done before that is known.
bool clasp_connection_is_confirmed(const struct clasp_connection *connection);

// Whether the peer has said that it is done (close_notify): what has been read is all there is.
bool clasp_connection_peer_closed(const struct clasp_connection *connection);

// Whether we have: nothing more can be written.
bool clasp_connection_is_closed(const struct clasp_connection *connection);

// The error that ended the connection, or NULL. It belongs to the connection, and lasts as long.
const struct clasp_error *clasp_connection_failure(const struct clasp_connection *connection);

// The protocol version: CLASP_TLS12 or CLASP_TLS13; 0 before the handshake is done. So it is with all facts.
uint16_t clasp_connection_version(const struct clasp_connection *connection);

// The number of the cipher suite; 0 if it is not known yet.
uint16_t clasp_connection_suite(const struct clasp_connection *connection);

// The number of the key exchange's group; 0 with RSA key transport, and in a resumption of TLS 1.2.
uint16_t clasp_connection_group(const struct clasp_connection *connection);

// The number of the signature scheme by which the server proved its key; 0 where it is not known, as with a resumption.
uint16_t clasp_connection_signature_scheme(const struct clasp_connection *connection);

// The application protocol (RFC 7301); no bytes if none was agreed. It lasts as long as the connection.
struct clasp_bytes clasp_connection_alpn(const struct clasp_connection *connection);

// The server's name as the client asked for it, UTF-8; no bytes if it did not. It lasts as long as the connection.
struct clasp_bytes clasp_connection_server_name(const struct clasp_connection *connection);

// Whether an earlier session was resumed.
bool clasp_connection_is_resumed(const struct clasp_connection *connection);

// Server: whether the client proved a certificate.
bool clasp_connection_client_authenticated(const struct clasp_connection *connection);

// How many certificates the peer has shown.
size_t clasp_connection_peer_certificate_count(const struct clasp_connection *connection);

// One of the peer's certificates in DER, its own at 0; no bytes where there is none. It lasts as long as the connection.
struct clasp_bytes clasp_connection_peer_certificate(const struct clasp_connection *connection,
                                                     size_t index);

// The OCSP response that the peer stapled, DER; no bytes without one. It lasts as long as the connection.
struct clasp_bytes clasp_connection_ocsp(const struct clasp_connection *connection);

// Fills `buffer` with keying material that only the two ends of this connection have (RFC 5705, RFC 9846 7.5): exactly its capacity,
// which may be 8160 bytes. `label` is UTF-8. A `context` whose data is NULL is none; in TLS 1.2 that is another thing than an empty
// one. The caller wipes what it was given.
CLASP_MUST_USE
struct clasp_error *clasp_connection_export(const struct clasp_connection *connection,
                                            struct clasp_bytes label,
                                            struct clasp_bytes context,
                                            struct clasp_buffer buffer);

// The channel binding `tls-exporter` (RFC 9266), 32 bytes. *needed is the length, if there is not enough room too.
CLASP_MUST_USE
struct clasp_error *clasp_connection_tls_exporter(const struct clasp_connection *connection,
                                                  struct clasp_buffer buffer,
                                                  size_t *needed);

// The channel binding `tls-server-end-point` (RFC 5929 4), at most 64 bytes. *needed is the length, if there is not enough room too.
// A client passes no bytes as `certificate`, for the server's own; a server passes its certificate in DER.
CLASP_MUST_USE
struct clasp_error *clasp_connection_tls_server_end_point(const struct clasp_connection *connection,
                                                          struct clasp_bytes certificate,
                                                          struct clasp_buffer buffer,
                                                          size_t *needed);

// The name of a version: "TLS 1.3"; "unknown" where it has none. It lasts for ever, and so do the names that follow.
struct clasp_bytes clasp_version_name(uint16_t version);

// The registered name of a cipher suite.
struct clasp_bytes clasp_suite_name(uint16_t suite);

// The registered name of a group.
struct clasp_bytes clasp_group_name(uint16_t group);

// The registered name of a signature scheme.
struct clasp_bytes clasp_signature_scheme_name(uint16_t scheme);

// The registered name of an alert.
struct clasp_bytes clasp_alert_name(uint8_t alert);

// The version of this library: "0.1.0".
struct clasp_bytes clasp_library_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLASP_H */

#ifndef CLASP_STRING_H
#define CLASP_STRING_H

// The bytes of a string that ends with NUL, without that.
static inline clasp_bytes clasp_string(const char *string) {
  clasp_bytes bytes = {(const uint8_t *)string, string ? strlen(string) : 0};
  return bytes;
}

#endif  /* CLASP_STRING_H */
