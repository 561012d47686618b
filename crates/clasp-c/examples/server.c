// An HTTPS server that says hello, one client after the other: server PORT CERT.pem KEY.pem [CLIENT_ROOTS.pem [CLIENTS]]
//
//   cc server.c $(pkg-config --cflags --libs clasp-c) -o server
//   ./server 8443 cert.pem key.pem
//
// With roots for clients it asks them for a certificate, and serves no other ("-" for none). After CLIENTS clients it ends. Port 0 is
// any that is free; which one is said on stdout.
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <clasp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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

static clasp_identity *read_identity(const char *chain_path, const char *key_path) {
  clasp_bytes chain = read_file(chain_path), key = read_file(key_path);
  clasp_identity *identity = NULL;
  bool good = ok(clasp_identity_from_pem(chain, key, &identity));
  // The compiler must not leave this out: the key was read into it.
  volatile uint8_t *secret = (volatile uint8_t *)key.data;
  for (size_t i = 0; i < key.len; i++) secret[i] = 0;
  free((void *)key.data);
  free((void *)chain.data);
  return good ? identity : NULL;
}

static bool ask_clients(clasp_server_builder *builder, const char *path) {
  clasp_roots *roots = NULL;
  clasp_bytes pem = read_file(path);
  size_t added = 0;
  bool good = ok(clasp_roots_new(&roots)) && ok(clasp_roots_add_pem(roots, pem, &added)) &&
              ok(clasp_server_builder_set_client_roots(builder, roots, true));
  free((void *)pem.data);
  clasp_roots_free(roots);
  return good;
}

static clasp_server_config *configure(int argc, char **argv) {
  clasp_identity *identity = read_identity(argv[2], argv[3]);
  clasp_server_builder *builder = NULL;
  clasp_server_config *config = NULL;
  bool good = identity != NULL && ok(clasp_server_builder_new(identity, &builder)) &&
              ok(clasp_server_builder_add_alpn(builder, clasp_string("http/1.1"))) &&
              ok(clasp_server_builder_set_tickets(builder, 12 * 3600)) &&
              (argc <= 4 || strcmp(argv[4], "-") == 0 || ask_clients(builder, argv[4]));
  if (good) good = ok(clasp_server_builder_build(builder, &config));
  clasp_server_builder_free(builder);
  clasp_identity_free(identity);
  return good ? config : NULL;
}

static int listen_at(const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  socklen_t len = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 16) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
    perror("listen");
    close(fd);
    return -1;
  }
  printf("listening on 127.0.0.1 port %d\n", ntohs(address.sin_port));
  fflush(stdout);
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
    // The client was too slow: it is told so.
    perror("read");
    return ok(clasp_connection_give_up(tls)) && flush(fd, tls) && false;
  }
  if (len == 0) return ok(clasp_connection_ended(tls));
  // All of it is taken, because all data was read before.
  size_t taken = 0;
  clasp_bytes bytes = {received, (size_t)len};
  bool good = ok(clasp_connection_feed(tls, bytes, &taken));
  // What is to be sent after an error is the alert, which may well find nobody.
  return flush(fd, tls) && good;
}

// Reads the head of a request: up to an empty line. Gives its length, or 0.
static size_t read_request(int fd, clasp_connection *tls, char *request, size_t capacity) {
  size_t len = 0;
  while (len + 1 < capacity) {
    clasp_buffer room = {(uint8_t *)request + len, capacity - len - 1};
    size_t more = 0;
    if (!ok(clasp_connection_read(tls, room, &more))) {
      flush(fd, tls);
      return 0;
    }
    len += more;
    request[len] = 0;
    if (strstr(request, "\r\n\r\n") != NULL) return len;
    if (more == 0 && (clasp_connection_peer_closed(tls) || !flush(fd, tls) || !receive(fd, tls))) return 0;
  }
  return 0;
}

static bool say(int fd, clasp_connection *tls, const char *answer) {
  clasp_bytes rest = clasp_string(answer);
  while (rest.len > 0) {
    size_t taken = 0;
    if (!ok(clasp_connection_write(tls, rest, &taken)) || !flush(fd, tls)) return false;
    rest.data += taken;
    rest.len -= taken;
  }
  return ok(clasp_connection_close(tls)) && flush(fd, tls);
}

static void serve(int fd, const clasp_server_config *config) {
  struct timeval limit = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  clasp_connection *tls = NULL;
  char request[8192], answer[512];
  if (ok(clasp_connection_new_server(config, &tls)) && read_request(fd, tls, request, sizeof request) > 0) {
    clasp_bytes version = clasp_version_name(clasp_connection_version(tls));
    clasp_bytes name = clasp_connection_server_name(tls);
    snprintf(answer, sizeof answer,
             "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello from %.*s over %.*s%s%s\n", (int)name.len,
             (const char *)name.data, (int)version.len, (const char *)version.data,
             clasp_connection_client_authenticated(tls) ? ", to a client with a certificate" : "",
             clasp_connection_is_resumed(tls) ? ", resumed" : "");
    if (say(fd, tls, answer)) shutdown(fd, SHUT_WR);
  }
  clasp_connection_free(tls);
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: server PORT CERT.pem KEY.pem [CLIENT_ROOTS.pem [CLIENTS]]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  clasp_server_config *config = configure(argc, argv);
  int listener = config == NULL ? -1 : listen_at(argv[1]);
  long clients = argc > 5 ? atol(argv[5]) : -1;
  while (listener >= 0 && clients != 0) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      perror("accept");
      break;
    }
    serve(fd, config);
    if (clients > 0) clients--;
  }
  if (listener >= 0) close(listener);
  clasp_server_config_free(config);
  return listener >= 0 && clients == 0 ? 0 : 1;
}
