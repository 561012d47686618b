// Botan 2 as a peer: TLS 1.2. It takes bytes and gives bytes; the socket is ours.
#include "peer.h"

#include <botan/auto_rng.h>
#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_client.h>
#include <botan/tls_extensions.h>
#include <botan/tls_policy.h>
#include <botan/tls_server.h>
#include <botan/tls_session_manager.h>
#include <botan/version.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace tls_of = Botan::TLS;

static std::vector<std::string> split(const std::string &list) {
    std::vector<std::string> words;
    std::istringstream text(list);
    for (std::string word; std::getline(text, word, ',');) words.push_back(word);
    return words;
}

// What the row wants, and everything where it leaves a choice.
class RowPolicy : public tls_of::Policy {
public:
    RowPolicy(const options *o, bool server) : m_etm(!is(o, "etm", "no")), m_auth(server ? option(o, "auth") : "no") {
        if (!server) {
            // Botan's names are without the TLS_.
            auto suite = tls_of::Ciphersuite::from_name(option(o, "suite") + 4);
            if (!suite.valid()) throw std::runtime_error("no suite " + std::string(option(o, "suite")));
            m_suite = suite.ciphersuite_code();
        }
        for (const auto &name : split(option(o, "group"))) m_groups.push_back(group(name));
    }

    std::vector<std::string> allowed_ciphers() const override {
        return {"AES-256/GCM", "AES-128/GCM", "ChaCha20Poly1305", "AES-256", "AES-128"};
    }
    std::vector<std::string> allowed_macs() const override { return {"AEAD", "SHA-384", "SHA-256", "SHA-1"}; }
    std::vector<std::string> allowed_key_exchange_methods() const override { return {"ECDH", "DH", "RSA"}; }
    std::vector<std::string> allowed_signature_methods() const override { return {"ECDSA", "RSA", "IMPLICIT"}; }
    bool require_cert_revocation_info() const override { return false; }
    bool negotiate_encrypt_then_mac() const override { return m_etm; }
    bool request_client_certificate_authentication() const override { return m_auth == "request"; }
    bool require_client_certificate_authentication() const override { return m_auth == "require"; }
    bool allow_tls10() const override { return false; }
    bool allow_tls11() const override { return false; }
    bool allow_dtls10() const override { return false; }
    bool allow_dtls12() const override { return false; }

    std::vector<uint16_t> ciphersuite_list(tls_of::Protocol_Version version, bool srp) const override {
        return m_suite ? std::vector<uint16_t>{m_suite} : Policy::ciphersuite_list(version, srp);
    }
    std::vector<tls_of::Group_Params> key_exchange_groups() const override {
        using G = tls_of::Group_Params;
        if (!m_groups.empty()) return m_groups;
        return {G::X25519,     G::SECP256R1,  G::SECP384R1,  G::SECP521R1, G::FFDHE_2048,
                G::FFDHE_3072, G::FFDHE_4096, G::FFDHE_6144, G::FFDHE_8192};
    }
    // What the client likes best.
    tls_of::Group_Params choose_key_exchange_group(const std::vector<tls_of::Group_Params> &theirs) const override {
        const auto ours = key_exchange_groups();
        for (auto group : theirs) {
            if (std::find(ours.begin(), ours.end(), group) != ours.end()) return group;
        }
        return tls_of::Group_Params::NONE;
    }

private:
    static tls_of::Group_Params group(const std::string &name) {
        using G = tls_of::Group_Params;
        static const std::map<std::string, G> known = {
            {"x25519", G::X25519},       {"secp256r1", G::SECP256R1}, {"secp384r1", G::SECP384R1},
            {"secp521r1", G::SECP521R1}, {"ffdhe2048", G::FFDHE_2048}, {"ffdhe3072", G::FFDHE_3072},
            {"ffdhe4096", G::FFDHE_4096}, {"ffdhe6144", G::FFDHE_6144}, {"ffdhe8192", G::FFDHE_8192},
        };
        return known.at(name);
    }

    bool m_etm;
    std::string m_auth;
    uint16_t m_suite = 0;
    std::vector<tls_of::Group_Params> m_groups;
};

class RowCredentials : public Botan::Credentials_Manager {
public:
    RowCredentials(const options *o, Botan::RandomNumberGenerator &random) : m_tickets(!is(o, "tickets", "no")) {
        m_ca.add_certificate(Botan::X509_Certificate(option(o, "ca")));
        if (*option(o, "cert")) {
            m_chain.emplace_back(option(o, "cert"));
            Botan::DataSource_Stream source(option(o, "key"));
            m_key = Botan::PKCS8::load_key(source);
        }
        random.random_vec(m_ticket_key, 32);
    }

    std::vector<Botan::Certificate_Store *> trusted_certificate_authorities(const std::string &,
                                                                            const std::string &) override {
        return {&m_ca};
    }
    std::vector<Botan::X509_Certificate> cert_chain(const std::vector<std::string> &kinds, const std::string &,
                                                    const std::string &) override {
        const bool wanted = m_key && std::find(kinds.begin(), kinds.end(), m_key->algo_name()) != kinds.end();
        return wanted ? m_chain : std::vector<Botan::X509_Certificate>();
    }
    Botan::Private_Key *private_key_for(const Botan::X509_Certificate &, const std::string &,
                                        const std::string &) override {
        return m_key.get();
    }
    Botan::SymmetricKey psk(const std::string &type, const std::string &context,
                            const std::string &identity) override {
        if (type == "tls-server" && context == "session-ticket" && m_tickets) return m_ticket_key;
        return Credentials_Manager::psk(type, context, identity);
    }

private:
    bool m_tickets;
    Botan::Certificate_Store_In_Memory m_ca;
    std::vector<Botan::X509_Certificate> m_chain;
    std::unique_ptr<Botan::Private_Key> m_key;
    Botan::secure_vector<uint8_t> m_ticket_key;
};

struct side {
    side(const options *o, bool is_server)
        : server(is_server), sessions(random), credentials(o, random), policy(o, is_server),
          protocols(split(option(o, "alpn"))), offers_tickets(!is(o, "tickets", "no")), ems(!is(o, "ems", "no")) {}

    bool server;
    Botan::AutoSeeded_RNG random;
    tls_of::Session_Manager_In_Memory sessions;
    RowCredentials credentials;
    RowPolicy policy;
    std::vector<std::string> protocols;
    bool offers_tickets, ems;
    // Of the client's last connection: there is no question whether this one resumes it.
    Botan::secure_vector<uint8_t> secret;
};

struct tls : public tls_of::Callbacks {
    tls(side &of, int on) : its(of), socket(on) {
        if (of.server) {
            channel.reset(new tls_of::Server(*this, of.sessions, of.credentials, of.policy, of.random));
        } else {
            channel.reset(new tls_of::Client(*this, of.sessions, of.credentials, of.policy, of.random,
                                             tls_of::Server_Information("localhost", 443),
                                             tls_of::Protocol_Version::TLS_V12, of.protocols));
        }
    }

    void tls_emit_data(const uint8_t data[], size_t size) override {
        for (size_t at = 0; at < size;) {
            ssize_t n = ::send(socket, data + at, size - at, 0);
            if (n <= 0) throw std::runtime_error("the socket takes no more");
            at += static_cast<size_t>(n);
        }
    }
    void tls_record_received(uint64_t, const uint8_t data[], size_t size) override {
        plain.append(reinterpret_cast<const char *>(data), size);
    }
    void tls_alert(tls_of::Alert alert) override {
        if (alert.type() == tls_of::Alert::CLOSE_NOTIFY) closed = true;
    }
    bool tls_session_established(const tls_of::Session &session) override {
        resumed = !its.secret.empty() && session.master_secret() == its.secret;
        secret = session.master_secret();
        return true;
    }
    std::string tls_server_choose_app_protocol(const std::vector<std::string> &theirs) override {
        for (const auto &name : its.protocols) {
            if (std::find(theirs.begin(), theirs.end(), name) != theirs.end()) return name;
        }
        return "";
    }
    // There are no settings for these.
    void tls_modify_extensions(tls_of::Extensions &extensions, tls_of::Connection_Side) override {
        if (!its.ems) extensions.remove_extension(tls_of::TLSEXT_EXTENDED_MASTER_SECRET);
        if (!its.offers_tickets) extensions.remove_extension(tls_of::TLSEXT_SESSION_TICKET);
    }

    // Feeds what comes until there is this much; false at the end of TCP.
    bool more() {
        uint8_t buffer[CHUNK];
        ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        channel->received_data(buffer, static_cast<size_t>(n));
        return true;
    }

    side &its;
    int socket;
    std::unique_ptr<tls_of::Channel> channel;
    std::string plain, protocol;
    bool closed = false, resumed = false;
    Botan::secure_vector<uint8_t> secret;
};

static const char *library() {
    static const std::string name = Botan::version_string();
    return name.c_str();
}

static struct side *side_new(const struct options *o, int server) {
    try {
        return new side(o, server != 0);
    } catch (const std::exception &e) {
        wrong("%s", e.what());
        return nullptr;
    }
}

static void side_free(struct side *side) {
    delete side;
}

static struct tls *tls_new(struct side *side, int socket) {
    std::unique_ptr<tls> made;
    try {
        made.reset(new tls(*side, socket));
        while (!made->channel->is_active()) {
            if (!made->more() || made->channel->is_closed()) {
                wrong("handshake: ended");
                return nullptr;
            }
        }
        return made.release();
    } catch (const std::exception &e) {
        wrong("handshake: %s", e.what());
        return nullptr;
    }
}

static int tls_read(struct tls *tls, char *into, int room) {
    try {
        while (tls->plain.empty() && !tls->closed) {
            if (!tls->more()) return wrong("cut");
        }
    } catch (const std::exception &e) {
        return wrong("reading: %s", e.what());
    }
    size_t n = std::min(tls->plain.size(), static_cast<size_t>(room));
    memcpy(into, tls->plain.data(), n);
    tls->plain.erase(0, n);
    return static_cast<int>(n);
}

static int tls_write(struct tls *tls, const char *from, int bytes) {
    try {
        tls->channel->send(reinterpret_cast<const uint8_t *>(from), static_cast<size_t>(bytes));
        return 0;
    } catch (const std::exception &e) {
        return wrong("writing: %s", e.what());
    }
}

static int tls_close_notify(struct tls *tls) {
    try {
        // It answers a close_notify by itself, and says none twice.
        if (!tls->channel->is_closed()) tls->channel->close();
        return 0;
    } catch (const std::exception &e) {
        return wrong("closing: %s", e.what());
    }
}

static int tls_resumed(struct tls *tls) {
    return tls->resumed;
}

static const char *tls_protocol(struct tls *tls) {
    tls->protocol = tls->channel->application_protocol();
    return tls->protocol.c_str();
}

static void tls_free(struct side *side, struct tls *tls, int may_resume) {
    if (may_resume && !side->server) side->secret = tls->secret;
    delete tls;
}
