// An HTTPS client: client HOST PORT PATH [ROOTS.pem [CERT.pem KEY.pem]]
//
//   cc client.c $(pkg-config --cflags --libs clasp-c) -o client
//   ./client example.com 443 /
//
// Without roots of its own it trusts what the system trusts. It says on stderr what the handshake came to, and the answer on stdout.
#define _POSIX_C_SOURCE 200809L

#include <clasp.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

// Says what went wrong, and frees it. True where nothing did.
static bool ok(clasp_error *error) {
  if (error == NULL) return true;
  clasp_bytes words = clasp_error_words(error), hint = clasp_error_hint(error);
  fprintf(stderr, "error: %.*s\n", (int)words.len, (const char *)words.data);
  if (hint.len > 0) fprintf(stderr, "hint: %.*s\n", (int)hint.len, (const char *)hint.data);
  clasp_error_free(error);
  return false;
}

// A whole file; the caller frees it. No bytes if it cannot be read.
static clasp_bytes read_file(const char *path) {
  clasp_bytes none = {NULL, 0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return none;
  }
  size_t capacity = 1 << 20;
  uint8_t *data = malloc(capacity);
  size_t len = data == NULL ? 0 : fread(data, 1, capacity, file);
  fclose(file);
  clasp_bytes whole = {data, len};
  return whole;
}

static bool trust(clasp_roots **roots, const char *path) {
  if (path == NULL) return ok(clasp_roots_native(roots));
  if (!ok(clasp_roots_new(roots))) return false;
  clasp_bytes pem = read_file(path);
  size_t added = 0;
  bool added_some = ok(clasp_roots_add_pem(*roots, pem, &added));
  free((void *)pem.data);
  return added_some;
}

static bool show(clasp_client_builder *builder, const char *chain_path, const char *key_path) {
  clasp_bytes chain = read_file(chain_path), key = read_file(key_path);
  clasp_identity *identity = NULL;
  bool shown = ok(clasp_identity_from_pem(chain, key, &identity)) && ok(clasp_client_builder_set_identity(builder, identity));
  clasp_identity_free(identity);
  // The compiler must not leave this out: the key was read into it.
  volatile uint8_t *secret = (volatile uint8_t *)key.data;
  for (size_t i = 0; i < key.len; i++) secret[i] = 0;
  free((void *)key.data);
  free((void *)chain.data);
  return shown;
}

static clasp_client_config *configure(int argc, char **argv) {
  clasp_roots *roots = NULL;
  clasp_client_builder *builder = NULL;
  clasp_client_config *config = NULL;
  bool good = trust(&roots, argc > 4 ? argv[4] : NULL) && ok(clasp_client_builder_new(roots, &builder)) &&
              ok(clasp_client_builder_add_alpn(builder, clasp_string("http/1.1"))) &&
              (argc <= 6 || show(builder, argv[5], argv[6]));
  if (good) good = ok(clasp_client_builder_build(builder, &config));
  clasp_client_builder_free(builder);
  clasp_roots_free(roots);
  return good ? config : NULL;
}

static int dial(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
  int fault = getaddrinfo(host, port, &hints, &all), fd = -1;
  if (fault != 0) {
    fprintf(stderr, "%s: %s\n", host, gai_strerror(fault));
    return -1;
  }
  for (struct addrinfo *each = all; each != NULL && fd < 0; each = each->ai_next) {
    fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(all);
  if (fd < 0) perror(host);
  return fd;
}

// Sends all there is to send.
static bool flush(int fd, clasp_connection *tls) {
  for (;;) {
    clasp_bytes unsent = clasp_connection_unsent(tls);
    if (unsent.len == 0) return true;
    ssize_t sent = write(fd, unsent.data, unsent.len);
    if (sent < 0) {
      perror("write");
      return false;
    }
    if (!ok(clasp_connection_sent(tls, (size_t)sent))) return false;
  }
}

// Receives once.
static bool receive(int fd, clasp_connection *tls) {
  uint8_t received[16384];
  ssize_t len = read(fd, received, sizeof received);
  if (len < 0) {
    perror("read");
    return false;
  }
  if (len == 0) return ok(clasp_connection_ended(tls));
  // All of it is taken, because all data was read before.
  size_t taken = 0;
  clasp_bytes bytes = {received, (size_t)len};
  bool good = ok(clasp_connection_feed(tls, bytes, &taken));
  // What is to be sent after an error is the alert, which may well find nobody.
  return flush(fd, tls) && good;
}

static bool handshake(int fd, clasp_connection *tls) {
  while (clasp_connection_is_handshaking(tls)) {
    if (!flush(fd, tls) || !receive(fd, tls)) return false;
  }
  clasp_bytes version = clasp_version_name(clasp_connection_version(tls));
  clasp_bytes suite = clasp_suite_name(clasp_connection_suite(tls));
  clasp_bytes group = clasp_group_name(clasp_connection_group(tls));
  fprintf(stderr, "%.*s, %.*s, %.*s\n", (int)version.len, (const char *)version.data, (int)suite.len,
          (const char *)suite.data, (int)group.len, (const char *)group.data);
  return flush(fd, tls);
}

static bool say(int fd, clasp_connection *tls, const char *request) {
  clasp_bytes rest = clasp_string(request);
  while (rest.len > 0) {
    size_t taken = 0;
    if (!ok(clasp_connection_write(tls, rest, &taken)) || !flush(fd, tls)) return false;
    rest.data += taken;
    rest.len -= taken;
  }
  return true;
}

// Reads up to the peer's end. An end without close_notify is an error: data may be missing.
static bool print_answer(int fd, clasp_connection *tls) {
  uint8_t plain[16384];
  for (;;) {
    clasp_buffer buffer = {plain, sizeof plain};
    size_t len = 0;
    if (!ok(clasp_connection_read(tls, buffer, &len))) {
      flush(fd, tls);
      return false;
    }
    if (len > 0) {
      fwrite(plain, 1, len, stdout);
    } else if (clasp_connection_peer_closed(tls)) {
      return ok(clasp_connection_close(tls)) && flush(fd, tls);
    } else if (!flush(fd, tls) || !receive(fd, tls)) {
      return false;
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: client HOST PORT PATH [ROOTS.pem [CERT.pem KEY.pem]]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  char request[1024];
  snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", argv[3], argv[1]);
  clasp_client_config *config = configure(argc, argv);
  clasp_connection *tls = NULL;
  int fd = -1;
  bool good = config != NULL && ok(clasp_connection_new_client(config, clasp_string(argv[1]), &tls)) &&
              (fd = dial(argv[1], argv[2])) >= 0 && handshake(fd, tls) && say(fd, tls, request) && print_answer(fd, tls);
  if (fd >= 0) close(fd);
  clasp_connection_free(tls);
  clasp_client_config_free(config);
  return good ? 0 : 1;
}
