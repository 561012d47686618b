/*
 * A TLS library in C or C++ as a peer: the lines it is told (peers/scripted.rs), the echo, the sockets. What a library has to
 * bring is declared here and defined in the file that includes this one. One connection at a time is served.
 */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHUNK (16 * 1024)
#define WORDS 24

/* What one line says: NAME=VALUE, as many as there are. */
struct options {
    char text[4096];
    const char *names[WORDS];
    const char *values[WORDS];
    int count;
};

/* ---- What the library brings. Whoever fails calls `wrong` first. ---- */

/* A configuration, and of a client the session that its last connection left. */
struct side;
/* One connection. */
struct tls;

static const char *library(void);
static struct side *side_new(const struct options *o, int server);
static void side_free(struct side *side);
/* The handshake on a connected socket; of a client with the session of the connection before it, if there was one. */
static struct tls *tls_new(struct side *side, int socket);
/* How many bytes came, 0 for a close_notify, -1 for anything else. */
static int tls_read(struct tls *tls, char *into, int room);
/* 0, or -1. */
static int tls_write(struct tls *tls, const char *from, int bytes);
static int tls_close_notify(struct tls *tls);
static int tls_resumed(struct tls *tls);
/* The application protocol that was agreed on, or NULL. */
static const char *tls_protocol(struct tls *tls);
/* Ends it; the side keeps its session where it may be resumed. */
static void tls_free(struct side *side, struct tls *tls, int may_resume);

/* ---- Words. ---- */

static pthread_mutex_t speaking = PTHREAD_MUTEX_INITIALIZER;
static __thread char trouble[512];

/* Remembers what went wrong, for the row's story. Gives -1. */
static int wrong(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    vsnprintf(trouble, sizeof trouble, format, rest);
    va_end(rest);
    return -1;
}

static void say(const char *format, ...) {
    char line[1024];
    va_list rest;
    va_start(rest, format);
    vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    for (char *c = line; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
    pthread_mutex_lock(&speaking);
    puts(line);
    fflush(stdout);
    pthread_mutex_unlock(&speaking);
}

/* The value of an option, or "". */
static const char *option(const struct options *o, const char *name) {
    for (int i = 0; i < o->count; i++) {
        if (strcmp(o->names[i], name) == 0) return o->values[i];
    }
    return "";
}

static int is(const struct options *o, const char *name, const char *value) {
    return strcmp(option(o, name), value) == 0;
}

static int number(const struct options *o, const char *name) {
    return atoi(option(o, name));
}

/* The first word, and behind it the options. */
static const char *parse(struct options *o, const char *line) {
    char *rest = NULL;
    snprintf(o->text, sizeof o->text, "%s", line);
    o->count = 0;
    const char *command = strtok_r(o->text, " \n", &rest);
    for (char *word; o->count < WORDS && (word = strtok_r(NULL, " \n", &rest));) {
        char *equals = strchr(word, '=');
        if (!equals) continue;
        *equals = 0;
        o->names[o->count] = word;
        o->values[o->count++] = equals + 1;
    }
    return command ? command : "";
}

/* ---- Sockets. ---- */

static void set_limits(int socket) {
    struct timeval limit = {20, 0};
    int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* ---- The server. ---- */

struct serving {
    struct options options;
    struct side *side;
    int listener;
};

static int serve_one(const struct serving *s, int socket) {
    char buffer[CHUNK];
    int total = 0, wanted = number(&s->options, "bytes"), n = 0;
    int theirs = is(&s->options, "end", "client"), cut = is(&s->options, "end", "cut");
    struct tls *tls = tls_new(s->side, socket);
    if (!tls) return -1;
    int failed = 0;
    while (theirs || total < wanted) {
        n = tls_read(tls, buffer, sizeof buffer);
        if (n <= 0) break;
        failed = tls_write(tls, buffer, n);
        if (failed) break;
        total += n;
    }
    if (n < 0) failed = -1;
    if (!failed && !cut) failed = tls_close_notify(tls);
    if (!failed && !cut && !theirs && n > 0 && tls_read(tls, buffer, sizeof buffer) != 0) {
        failed = wrong("no close_notify where one was due");
    }
    tls_free(s->side, tls, !failed);
    return failed;
}

/* An alert would be lost to a peer whose bytes were not read when the socket is closed. */
static void drain(int socket) {
    char buffer[CHUNK];
    struct timeval limit = {2, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    shutdown(socket, SHUT_WR);
    while (recv(socket, buffer, sizeof buffer, 0) > 0) {
    }
}

static void *serve_all(void *given) {
    struct serving *s = (struct serving *)given;
    for (;;) {
        int socket = accept(s->listener, NULL, NULL);
        if (socket < 0) break;
        set_limits(socket);
        if (serve_one(s, socket)) {
            say("log served with %s", trouble);
            drain(socket);
        }
        close(socket);
    }
    close(s->listener);
    side_free(s->side);
    free(s);
    return NULL;
}

/* Listens; gives the listener, or -1. */
static int serve(const struct options *o) {
    struct serving *s = (struct serving *)calloc(1, sizeof *s);
    parse(&s->options, "");
    memcpy(&s->options, o, sizeof *o);
    /* The words point into the text, which has moved. */
    for (int i = 0; i < o->count; i++) {
        s->options.names[i] = s->options.text + (o->names[i] - o->text);
        s->options.values[i] = s->options.text + (o->values[i] - o->text);
    }
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    pthread_t thread;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s->listener, (struct sockaddr *)&address, sizeof address) || listen(s->listener, 8) ||
        getsockname(s->listener, (struct sockaddr *)&address, &length)) {
        return wrong("listening: %s", strerror(errno));
    }
    s->side = side_new(&s->options, 1);
    if (!s->side) return -1;
    int listener = s->listener;
    if (pthread_create(&thread, NULL, serve_all, s)) return wrong("no thread");
    pthread_detach(thread);
    say("listening %d", ntohs(address.sin_port));
    return listener;
}

/* ---- The client. ---- */

static int echo_all(struct tls *tls, const char *payload, int bytes) {
    char back[CHUNK];
    for (int at = 0; at < bytes; at += CHUNK) {
        int piece = bytes - at < CHUNK ? bytes - at : CHUNK;
        if (tls_write(tls, payload + at, piece)) return -1;
        for (int have = 0; have < piece;) {
            int n = tls_read(tls, back + have, piece - have);
            if (n < 0) return -1;
            if (n == 0) return wrong("closed in the middle of an answer");
            have += n;
        }
        if (memcmp(back, payload + at, (size_t)piece)) return wrong("the piece at %d came back changed", at);
    }
    return 0;
}

static int talk(struct tls *tls, const struct options *o, const char *payload, int bytes, int again) {
    char byte;
    if (echo_all(tls, payload, bytes)) return -1;
    if (tls_resumed(tls) != again) return wrong("resumed is %d, wanted %d", !again, again);
    const char *protocol = *option(o, "alpn") ? tls_protocol(tls) : "http/1.1";
    if (!protocol || strcmp(protocol, "http/1.1")) return wrong("the protocol is %s", protocol ? protocol : "none");
    if (is(o, "end", "cut")) return 0;
    if (is(o, "end", "client") && tls_close_notify(tls)) return -1;
    int n = tls_read(tls, &byte, 1);
    if (n > 0) return wrong("data where the end was due");
    if (n < 0) return -1;
    return is(o, "end", "server") ? tls_close_notify(tls) : 0;
}

static int connect_once(struct side *side, const struct options *o, const char *payload, int bytes, int again) {
    struct sockaddr_in address = loopback(number(o, "port"));
    int connected = socket(AF_INET, SOCK_STREAM, 0);
    set_limits(connected);
    int failed = connect(connected, (struct sockaddr *)&address, sizeof address);
    if (failed) failed = wrong("connecting: %s", strerror(errno));
    if (!failed) {
        struct tls *tls = tls_new(side, connected);
        failed = tls ? talk(tls, o, payload, bytes, again) : -1;
        if (tls) tls_free(side, tls, !failed);
        if (failed) drain(connected);
    }
    close(connected);
    return failed;
}

static int connect_all(const struct options *o) {
    int bytes = number(o, "bytes"), failed = 0;
    char *payload = (char *)malloc((size_t)bytes + 1);
    FILE *file = fopen(option(o, "payload"), "rb");
    if (!file || fread(payload, 1, (size_t)bytes, file) != (size_t)bytes) failed = wrong("no payload");
    if (file) fclose(file);
    struct side *side = failed ? NULL : side_new(o, 0);
    if (!side) failed = -1;
    for (int n = 0; n < number(o, "connections") && !failed; n++) {
        failed = connect_once(side, o, payload, bytes, n > 0);
    }
    if (side) side_free(side);
    free(payload);
    return failed;
}

int main(void) {
    char line[4096];
    struct options o;
    int listener = -1;
    signal(SIGPIPE, SIG_IGN);
    say("%s", library());
    while (fgets(line, sizeof line, stdin)) {
        const char *command = parse(&o, line);
        int failed = 0;
        if (strcmp(command, "serve") == 0) {
            listener = serve(&o);
            failed = listener < 0;
        } else if (strcmp(command, "connect") == 0) {
            failed = connect_all(&o);
            if (!failed) say("ok");
        } else if (strcmp(command, "stop") == 0 && listener >= 0) {
            shutdown(listener, SHUT_RDWR);
        }
        if (failed) say("failed %s", trouble);
    }
    return 0;
}

#endif
