//! Every option of every command changes something, or is refused together with what it clashes with. An option without a row in
//! this table fails.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use common::{clasp, clasp_fed, serve, text};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How an option is shown to do something. In lines, `{name}` stands for what [`Stage::fill`] has of this name.
enum Way {
    /// Options of the server, then of `connect` without and with it, and the words that only the latter brings; after `!`, only
    /// the former.
    Connect(&'static str, &'static str, &'static str, &'static str),
    /// The same of `trace connect`.
    Trace(&'static str, &'static str, &'static str, &'static str),
    /// Options of `connect`, then of the server.
    Serve(&'static str, &'static str, &'static str, &'static str),
    /// Whole lines, commands joined by `&&`.
    Run(&'static str, &'static str, &'static str),
    /// Options of `connect` without which the ClientHello is not so, and with which it is.
    Hello(&'static str, fn(&[u8]) -> bool),
    /// A test of its own.
    Elsewhere(&'static str, &'static str),
}
use Way::{Connect, Elsewhere, Hello, Run, Serve, Trace};

const CONNECT: &str = include_str!("connect.rs");
const SERVE: &str = include_str!("serve.rs");
const COMMANDS: &str = include_str!("commands.rs");
const SCAN: &str = include_str!("scan.rs");
const TRACE: &str = include_str!("trace.rs");
const ROLES: &str = include_str!("proxy/roles.rs");
const ROUTES: &str = include_str!("proxy/routes.rs");
const ADMIN: &str = include_str!("proxy/admin.rs");
const HTTP: &str = include_str!("proxy/http.rs");
const HEADER: &str = include_str!("proxy/header.rs");
const LIMITS: &str = include_str!("proxy/limits.rs");
const CAPTURE: &str = include_str!("capture.rs");

const GET: &str = "--ca {root} --get /";
const FIELDS: &str = "--ca {root} --fields";
const ID: &str = "--cert {chain} --key {key}";

#[rustfmt::skip]
const TABLE: &[(&str, &str, Way)] = &[
    ("demo", "json", Elsewhere(COMMANDS, "demo_gives_the_figures_of_the_classic_description")),
    ("demo", "fields", Elsewhere(COMMANDS, "demo_gives_the_figures_of_the_classic_description")),
    ("demo", "svg", Run("demo", "demo --svg {new}", "<svg")),
    ("demo", "list", Run("demo", "demo --list", "client-certificate  3. ")),
    ("demo", "lang", Run("demo rsa --lang en", "demo rsa --lang zh", "客户端开场")),
    ("demo", "html", Elsewhere(TRACE, "the_demo_is_a_page_with_the_clocks_of_both_sides")),

    ("connect", "get", Connect(ID, "--ca {root}", GET, "HTTP/1.1 200")),
    ("connect", "json", Connect(ID, "--ca {root}", "--ca {root} --json", "\"confirmed\": true")),
    ("connect", "timeout", Elsewhere(CONNECT, "every_wait_has_an_end")),
    ("connect", "wait", Elsewhere(CONNECT, "no_answer_is_said_and_is_no_success")),
    ("connect", "ca", Connect(ID, "", "--ca {root}", "trusted, and for this name")),
    ("connect", "profile", Connect("--cert {twin} --key {twins}", "--ca {root}", "--ca {root} --profile web-pki", "public web")),
    ("connect", "common-name", Connect("--cert {old} --key {twins}", "--ca {root} --servername old.test",
        "--ca {root} --servername old.test --common-name", "trusted, and for this name")),
    ("connect", "insecure", Connect(ID, "", "--insecure", "NOT CHECKED")),
    ("connect", "pin", Elsewhere(CONNECT, "a_key_is_pinned_besides_a_chain_or_in_place_of_one")),
    ("connect", "cert", Connect("{id} --client-ca {root}", GET, "{get} --cert {alice} --key {alices}", "HTTP/1.1 200")),
    ("connect", "key", Connect("{id} --client-ca {root}", GET, "{get} --cert {alice} --key {alices}", "HTTP/1.1 200")),
    ("connect", "key-password-file", Connect("{id} --client-ca {root}", "{get} --cert {archive} --key {archive}",
        "{get} --cert {archive} --key {archive} --key-password-file {password}", "HTTP/1.1 200")),
    ("connect", "policy", Connect("{id} --tls 1.2", GET, "{get} --policy modern", "!HTTP/1.1 200")),
    ("connect", "tls", Connect(ID, GET, "{get} --tls 1.2", "version   TLS 1.2")),
    ("connect", "groups", Connect(ID, GET, "{get} --groups p-384", "secp384r1")),
    ("connect", "schemes", Hello("--schemes ed25519 --no-grease", |hello| has(hello, &[0, 13, 0, 4, 0, 2, 8, 7]))),
    ("connect", "no-grease", Hello("--no-grease", |hello| !suites(hello).iter().any(|s| s & 0x0f0f == 0x0a0a))),
    ("connect", "no-status-request", Hello("--no-status-request", |hello| !has(hello, &[0, 5, 0, 5, 1, 0, 0, 0, 0]))),
    ("connect", "servername", Connect(ID, GET, "{get} --servername other.example", "not for this server name")),
    ("connect", "alpn", Connect(ID, GET, "{get} --alpn http/1.1", "alpn      http/1.1")),
    ("connect", "resume", Connect(ID, GET, "{get} --resume", "the session was taken")),
    ("connect", "early-data", Connect("{id} --early-data 4096", "{get} --resume", "{get} --resume --early-data", "early data: taken")),
    ("connect", "keyupdate", Connect("{id} --keyupdate", GET, "{get} --keyupdate", "moved its keys on")),
    ("connect", "keylog", Connect(ID, GET, "{get} --keylog {new}", "CLIENT_TRAFFIC_SECRET_0")),

    ("serve", "listen", Elsewhere(COMMANDS, "serve_and_connect_resume_and_refuse")),
    ("serve", "cert", Serve(GET, "", ID, "HTTP/1.1 200")),
    ("serve", "key", Serve(GET, "", ID, "HTTP/1.1 200")),
    ("serve", "key-password-file", Elsewhere(SERVE, "keys_behind_a_password_are_opened_with_it")),
    ("serve", "policy", Serve("{get} --tls 1.2", ID, "{id} --policy modern", "!HTTP/1.1 200")),
    ("serve", "tls", Serve(GET, ID, "{id} --tls 1.2", "version   TLS 1.2")),
    ("serve", "groups", Serve(GET, ID, "{id} --groups p-384", "secp384r1")),
    ("serve", "client-auth", Serve(GET, "{id} --client-ca {root}", "{id} --client-ca {root} --client-auth request", "HTTP/1.1 200")),
    ("serve", "client-ca", Serve(GET, ID, "{id} --client-ca {root}", "--cert FILE --key FILE")),
    ("serve", "profile", Serve("{get} --cert {twin} --key {twins}", "{id} --client-ca {root}", "{id} --client-ca {root} --profile web-pki",
        "!HTTP/1.1 200")),
    ("serve", "alpn", Serve("--ca {root} --alpn acme", "{id} --json", "{id} --json --alpn acme", "\"alpn\":\"acme\"")),
    ("serve", "tickets", Serve("{get} --resume", ID, "{id} --tickets 0", "the session was not taken")),
    ("serve", "session-cache", Serve("{get} --resume", "{id} --tls 1.2 --tickets 0", "{id} --tls 1.2 --tickets 0 --session-cache 0",
        "the session was not taken")),
    ("serve", "early-data", Serve("{get} --resume --early-data", ID, "{id} --early-data 4096", "early data: taken")),
    ("serve", "keyupdate", Elsewhere(COMMANDS, "early_data_key_updates_and_groups")),
    ("serve", "secure-renegotiation", Elsewhere(SERVE, "clients_without_secure_renegotiation_are_taken_or_not_as_it_is_told")),
    ("serve", "keep-alive", Elsewhere(COMMANDS, "a_connection_that_stood_idle_is_served_and_the_limit_closes_it")),
    ("serve", "send-timeout", Elsewhere(SERVE, "a_window_that_stays_closed_ends_the_connection")),
    ("serve", "max-connections", Elsewhere(SERVE, "no_more_connections_than_were_allowed")),
    ("serve", "drain", Elsewhere(SERVE, "the_end_has_a_limit_and_a_second_signal_is_the_end")),
    ("serve", "echo", Serve("--ca {root} --wait 1", ID, "{id} --echo", "what was fed")),
    ("serve", "keylog", Serve(GET, ID, "{id} --keylog {new}", "SERVER_TRAFFIC_SECRET_0")),
    ("serve", "json", Serve(GET, ID, "{id} --json", "\"version\":")),
    ("serve", "quiet", Serve(GET, ID, "{id} --quiet", "!: TLS 1.3 TLS_")),

    ("proxy", "config", Elsewhere(ROUTES, "listeners_come_and_go_and_what_has_begun_goes_on")),
    ("proxy", "check", Elsewhere(ROUTES, "each_key_wrong_once_is_refused_with_its_line_and_its_words")),
    ("proxy", "watch", Elsewhere(ROUTES, "certificates_that_change_are_shown_without_being_told_and_what_is_broken_is_not")),
    ("proxy", "listen", Elsewhere(ROLES, "tls_ends_here_and_both_directions_end_by_themselves")),
    ("proxy", "to", Elsewhere(ROLES, "tls_ends_here_and_both_directions_end_by_themselves")),
    ("proxy", "cert", Elsewhere(LIMITS, "what_cannot_begin_says_why")),
    ("proxy", "key", Elsewhere(LIMITS, "what_cannot_begin_says_why")),
    ("proxy", "key-password-file", Elsewhere(ROLES, "keys_behind_a_password_are_opened_with_it")),
    ("proxy", "policy", Elsewhere(ROLES, "tls_ends_here_and_both_directions_end_by_themselves")),
    ("proxy", "tls", Elsewhere(ROLES, "a_version_and_a_group_may_be_the_only_ones")),
    ("proxy", "groups", Elsewhere(ROLES, "a_version_and_a_group_may_be_the_only_ones")),
    ("proxy", "alpn", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "client-ca", Elsewhere(ROLES, "who_is_not_on_the_list_is_turned_away_with_an_alert_and_a_line_that_says_why")),
    ("proxy", "client-auth", Elsewhere(ROLES, "a_client_may_be_asked_for_a_certificate_and_have_none")),
    ("proxy", "profile", Elsewhere(LIMITS, "what_cannot_begin_says_why")),
    ("proxy", "allow-cn", Elsewhere(ROLES, "who_is_not_on_the_list_is_turned_away_with_an_alert_and_a_line_that_says_why")),
    ("proxy", "allow-san", Elsewhere(ROLES, "who_is_not_on_the_list_is_turned_away_with_an_alert_and_a_line_that_says_why")),
    ("proxy", "allow-uri", Elsewhere(ROLES, "who_is_not_on_the_list_is_turned_away_with_an_alert_and_a_line_that_says_why")),
    ("proxy", "originate", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "name", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "ca", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "client-cert", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "client-key", Elsewhere(ROLES, "tls_begins_here_with_a_certificate_and_a_name")),
    ("proxy", "admin", Elsewhere(ADMIN, "what_goes_on_is_counted_and_the_end_is_told")),
    ("proxy", "client-cert-header", Elsewhere(HTTP, "the_backend_hears_whose_certificate_it_is_from_us_alone")),
    ("proxy", "proxy-from", Elsewhere(HEADER, "who_the_client_is_is_taken_from_named_networks_and_told_to_the_backend")),
    ("proxy", "send-proxy", Elsewhere(HEADER, "who_the_client_is_is_taken_from_named_networks_and_told_to_the_backend")),
    ("proxy", "max-connections", Elsewhere(LIMITS, "no_more_connections_than_were_allowed")),
    ("proxy", "max-handshakes", Elsewhere(LIMITS, "handshakes_wait_for_a_place_and_not_for_the_silent")),
    ("proxy", "handshake-timeout", Elsewhere(LIMITS, "handshakes_wait_for_a_place_and_not_for_the_silent")),
    ("proxy", "idle-timeout", Elsewhere(LIMITS, "what_stands_still_is_ended")),
    ("proxy", "connect-timeout", Elsewhere(LIMITS, "a_backend_that_does_not_answer_is_not_waited_for")),
    ("proxy", "drain", Elsewhere(LIMITS, "the_end_has_a_limit_and_a_second_signal_is_the_end")),
    ("proxy", "log", Elsewhere(ROLES, "a_client_may_be_asked_for_a_certificate_and_have_none")),
    ("proxy", "quiet", Elsewhere(ROLES, "strangers_are_told_so_and_backends_that_are_not_there_are_named")),

    ("scan", "starttls", Elsewhere(SCAN, "a_server_behind_starttls_is_looked_at")),
    ("scan", "ca", Elsewhere(SCAN, "a_server_of_ours_is_found_good_and_every_part_is_told")),
    ("scan", "servername", Elsewhere(SCAN, "a_name_that_is_not_the_servers_is_found")),
    ("scan", "timeout", Elsewhere(SCAN, "peers_of_all_tempers_get_words_and_a_code")),
    ("scan", "connections", Elsewhere(SCAN, "no_more_connections_at_once_than_were_allowed")),
    ("scan", "all", Elsewhere(SCAN, "a_server_of_ours_is_found_good_and_every_part_is_told")),
    ("scan", "json", Elsewhere(SCAN, "what_changed_since_another_day_is_all_that_is_said")),
    ("scan", "html", Elsewhere(SCAN, "a_server_of_ours_is_found_good_and_every_part_is_told")),
    ("scan", "baseline", Elsewhere(SCAN, "what_changed_since_another_day_is_all_that_is_said")),
    ("scan", "fail-below", Elsewhere(SCAN, "a_name_that_is_not_the_servers_is_found")),

    ("trace", "keylog", Elsewhere(CAPTURE, "captures_that_are_cut_or_closed_or_none_get_words_and_a_code")),
    ("trace", "key", Elsewhere(CAPTURE, "rsa_key_transport_opens_with_the_servers_key_and_what_is_of_the_moment_does_not")),
    ("trace", "json", Elsewhere(CAPTURE, "a_capture_is_shown_as_every_trace_is")),
    ("trace", "fields", Elsewhere(CAPTURE, "a_capture_is_shown_as_every_trace_is")),
    ("trace", "svg", Elsewhere(CAPTURE, "a_capture_is_shown_as_every_trace_is")),
    ("trace", "html", Elsewhere(CAPTURE, "a_capture_is_shown_as_every_trace_is")),
    ("trace", "lang", Elsewhere(CAPTURE, "a_capture_is_shown_as_every_trace_is")),
    ("trace connect", "ca", Trace(ID, "", "--ca {root}", "agreed: ")),
    ("trace connect", "insecure", Trace(ID, "", "--insecure", "agreed: ")),
    ("trace connect", "profile", Trace("--cert {twin} --key {twins}", "--ca {root}", "--ca {root} --profile web-pki", "public web")),
    ("trace connect", "common-name", Trace("--cert {old} --key {twins}", "--ca {root} --servername old.test",
        "--ca {root} --servername old.test --common-name", "agreed: ")),
    ("trace connect", "pin", Trace(ID, "--ca {root}", "--ca {root} --pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "pinned")),
    ("trace connect", "cert", Trace("{id} --client-ca {root}", "--ca {root}", "--ca {root} --cert {alice} --key {alices}", "agreed: ")),
    ("trace connect", "key", Trace("{id} --client-ca {root}", "--ca {root}", "--ca {root} --cert {alice} --key {alices}", "agreed: ")),
    ("trace connect", "key-password-file", Trace("{id} --client-ca {root}", "--ca {root} --cert {archive} --key {archive}",
        "--ca {root} --cert {archive} --key {archive} --key-password-file {password}", "agreed: ")),
    ("trace connect", "policy", Trace("{id} --tls 1.2", "--ca {root}", "--ca {root} --policy modern", "!agreed: ")),
    ("trace connect", "tls", Trace(ID, "--ca {root}", "--ca {root} --tls 1.2", "agreed: TLS 1.2")),
    ("trace connect", "groups", Trace(ID, "--ca {root}", "--ca {root} --groups p-384", "group: secp384r1")),
    ("trace connect", "schemes", Trace(ID, FIELDS, "{fields} --schemes ecdsa_secp256r1_sha256", "!ed25519")),
    ("trace connect", "no-grease", Trace(ID, FIELDS, "{fields} --no-grease", "!GREASE")),
    ("trace connect", "no-status-request", Trace(ID, FIELDS, "{fields} --no-status-request", "!status_request")),
    ("trace connect", "servername", Trace(ID, "--ca {root}", "--ca {root} --servername other.example", "not for this server name")),
    ("trace connect", "alpn", Trace(ID, FIELDS, "{fields} --alpn http/1.1", "\"http/1.1\"")),
    ("trace connect", "keylog", Trace(ID, "--ca {root}", "--ca {root} --keylog {new}", "CLIENT_TRAFFIC_SECRET_0")),
    ("trace connect", "timeout", Elsewhere(TRACE, "peers_of_all_tempers_get_words_and_a_code")),
    ("trace connect", "resume", Trace(ID, "--ca {root}", "--ca {root} --resume", "resumed by ticket")),
    ("trace connect", "json", Trace(ID, "--ca {root}", "--ca {root} --json", "\"clasp-trace\"")),
    ("trace connect", "fields", Trace(ID, "--ca {root}", FIELDS, "cipher_suites[0]: ")),
    ("trace connect", "svg", Trace(ID, "--ca {root}", "--ca {root} --svg {new}", "<svg ")),
    ("trace connect", "html", Trace(ID, "--ca {root}", "--ca {root} --html {new}", "<!doctype html>")),
    ("trace connect", "lang", Trace(ID, "--ca {root} --lang en", "--ca {root} --lang zh", "中间人攻击")),
    ("trace serve", "listen", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "count", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "cert", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "key", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "key-password-file", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "json", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "svg", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "html", Elsewhere(TRACE, "a_server_traces_as_many_as_it_is_told")),
    ("trace serve", "policy", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "tls", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "groups", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "fields", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "lang", Elsewhere(TRACE, "a_server_says_what_it_is_told_and_of_its_own_certificate")),
    ("trace serve", "timeout", Elsewhere(TRACE, "clients_of_all_tempers_get_words_and_a_code")),
    ("trace proxy", "listen", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "count", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "dir", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "ca", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "servername", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "json", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "svg", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "html", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "groups", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "timeout", Elsewhere(TRACE, "whoever_stands_between_has_a_conversation_with_each")),
    ("trace proxy", "insecure", Elsewhere(TRACE, "what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other")),
    ("trace proxy", "tls", Elsewhere(TRACE, "what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other")),
    ("trace proxy", "policy", Elsewhere(TRACE, "what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other")),
    ("trace proxy", "fields", Elsewhere(TRACE, "what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other")),
    ("trace proxy", "lang", Elsewhere(TRACE, "what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other")),

    ("ca init", "name", Run("ca init {new} && inspect {new}/root.pem", "ca init {new} --name Hugo && inspect {new}/root.pem", "Hugo")),
    ("ca init", "intermediate", Run("ca init {new} && ca issue {new} a.test && inspect {new}/a.test.pem",
        "ca init {new} --intermediate && ca issue {new} a.test && inspect {new}/a.test.pem", "Intermediate")),
    ("ca init", "key", Run("ca init {new} && inspect {new}/root.pem", "ca init {new} --key ed25519 && inspect {new}/root.pem", "Ed25519")),
    ("ca init", "days", Run("ca init {new} && verify {new}/root.pem --ca {new}/root.pem --time 2060-01-01T00:00:00Z --profile rfc5280",
        "ca init {new} --days 36500 && verify {new}/root.pem --ca {new}/root.pem --time 2060-01-01T00:00:00Z --profile rfc5280", "!2060-01-01")),
    ("ca issue", "client", Run("ca init {new} && ca issue {new} a.test && ca list {new}", "ca init {new} && ca issue {new} a.test --client && ca list {new}", "client")),
    ("ca issue", "key", Run("ca init {new} && ca issue {new} a.test && inspect {new}/a.test.pem",
        "ca init {new} && ca issue {new} a.test --key ed25519 && inspect {new}/a.test.pem", "Ed25519")),
    ("ca issue", "days", Run("ca init {new} && ca issue {new} a.test && verify {new}/a.test.pem --ca {new}/root.pem --time 2030-01-01T00:00:00Z --profile rfc5280",
        "ca init {new} && ca issue {new} a.test --days 3000 && verify {new}/a.test.pem --ca {new}/root.pem --time 2030-01-01T00:00:00Z --profile rfc5280",
        "accepted")),
    ("ca list", "json", Run("ca list {ca}", "ca list {ca} --json", "\"serial\":")),
    ("ca crl", "days", Run("ca init {new} && ca issue {new} a.test && ca crl {new} && verify {new}/a.test.pem --ca {new}/root.pem --crl {new}/crl.pem --revocation require --time 2027-01-20T00:00:00Z",
        "ca init {new} && ca issue {new} a.test && ca crl {new} --days 900 && verify {new}/a.test.pem --ca {new}/root.pem --crl {new}/crl.pem --revocation require --time 2027-01-20T00:00:00Z", "accepted")),
    ("ca ocsp", "days", Run("ca init {new} && ca issue {new} a.test && ca ocsp {new} a.test.pem && verify {new}/a.test.pem --ca {new}/root.pem --ocsp {new}/a.test.ocsp --revocation require --time 2027-01-20T00:00:00Z",
        "ca init {new} && ca issue {new} a.test && ca ocsp {new} a.test.pem --days 900 && verify {new}/a.test.pem --ca {new}/root.pem --ocsp {new}/a.test.ocsp --revocation require --time 2027-01-20T00:00:00Z", "accepted")),

    ("verify", "name", Run("verify {chain} --ca {root}", "verify {chain} --ca {root} --name other.test", "refused")),
    ("verify", "ca", Run("verify {chain}", "verify {chain} --ca {root}", "accepted")),
    ("verify", "time", Run("verify {chain} --ca {root}", "verify {chain} --ca {root} --time 2060-01-01T00:00:00Z", "refused")),
    ("verify", "crl", Run("verify {revoked} --ca {root}", "verify {revoked} --ca {root} --crl {crl}", "refused")),
    ("verify", "ocsp", Run("verify {revoked} --ca {root}", "verify {revoked} --ca {root} --ocsp {ocsp}", "refused")),
    ("verify", "revocation", Run("verify {chain} --ca {root}", "verify {chain} --ca {root} --revocation require", "refused")),
    ("verify", "leaf-only", Run("verify {deep} --ca {deeproot} --ocsp {deepocsp} --revocation require",
        "verify {deep} --ca {deeproot} --ocsp {deepocsp} --revocation require --leaf-only", "accepted")),
    ("verify", "profile", Run("verify {old} --ca {root} --profile web-pki", "verify {old} --ca {root} --profile rfc5280", "accepted")),
    ("verify", "client", Run("verify {chain} --ca {root}", "verify {chain} --ca {root} --client", "refused")),
    ("verify", "common-name", Run("verify {old} --ca {root} --profile rfc5280 --name old.test",
        "verify {old} --ca {root} --profile rfc5280 --name old.test --common-name", "accepted")),
    ("verify", "json", Run("verify {chain} --ca {root}", "verify {chain} --ca {root} --json", "\"accepted\"")),
    ("inspect", "json", Run("inspect {chain}", "inspect {chain} --json", "{\"")),
];

/// Lines that are refused with exit code 2, and what they name.
#[rustfmt::skip]
const CLASHES: &[(&str, &[&str])] = &[
    ("serve --listen 127.0.0.1:0 --key {key}", &["--cert"]),
    ("connect a.test:443 --json --get /", &["--json", "--get"]),
    ("connect a.test:443 --json --keyupdate", &["--json", "--keyupdate"]),
    ("connect a.test:443 --json --wait 3", &["--json", "--wait"]),
    ("connect a.test:443 --get / --wait 3", &["--get", "--wait"]),
    ("connect a.test:443 --insecure --ca {root}", &["--insecure", "--ca"]),
    ("connect a.test:443 --cert {chain}", &["--key"]),
    ("connect a.test:443 --early-data --get /", &["--resume"]),
    ("connect a.test:443 --early-data --resume", &["--get"]),
    ("connect a.test:443 --early-data --resume --get / --tls 1.2", &["--early-data", "--tls 1.2"]),
    ("connect a.test:443 --keyupdate --tls 1.2", &["--keyupdate", "--tls 1.2"]),
    ("connect a.test:443 --get / --alpn h2", &["--get", "--alpn"]),
    ("connect a.test:443 --tls 1.2 --policy modern", &["modern", "TLS 1.2"]),
    ("trace connect a.test --json --fields", &["--json", "--fields"]),
    ("trace serve --cert {chain}", &["--key"]),
    ("demo --list --json", &["--list", "--json"]),
    ("demo --json --lang zh", &["--json", "--lang"]),
    ("trace proxy a.test --insecure --ca {root}", &["--insecure", "--ca"]),
    ("trace --keylog {chain}", &["FILE.pcap"]),
    ("serve {dir} --echo", &["--echo", "[DIR]"]),
    ("serve --echo --alpn h2", &["--echo", "--alpn"]),
    ("serve --echo --send-timeout 9", &["--echo", "--send-timeout"]),
    ("serve {id} --early-data 9 --tickets 0", &["--early-data", "--tickets 0"]),
    ("serve {id} --early-data 9 --session-cache 0", &["--early-data", "--session-cache 0"]),
    ("serve {id} --early-data 9 --tls 1.2", &["--early-data", "--tls 1.2"]),
    ("serve {id} --keyupdate --tls 1.2", &["--keyupdate", "--tls 1.2"]),
    ("serve {id} --tickets 5 --tls 1.2", &["--tickets", "--tls 1.2"]),
    ("serve {id} --tickets 33", &["--tickets", "32"]),
    ("serve {id} --session-cache 9999 --tls 1.3", &["--session-cache", "TLS 1.3"]),
    ("serve {id} --secure-renegotiation any --policy modern", &["--secure-renegotiation", "TLS 1.3"]),
    ("serve {id} --client-ca {root} --client-auth off", &["--client-ca", "--client-auth off"]),
    ("serve {id} --client-auth require", &["--client-auth", "--client-ca"]),
    ("serve --cert {chain}", &["--cert", "--key"]),
    ("serve {id} --cert {twin} --key {twins}", &["localhost.pem", "twin.test.pem"]),
    ("serve {root} {id}", &["root.pem", "DIR"]),
    ("serve {dir}/absent {id}", &["absent", "DIR"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1", &["--cert", "--originate"]),
    ("proxy --config {chain} --to 127.0.0.1:1", &["--config", "--to"]),
    ("proxy --config {chain} --max-connections 9", &["--config", "--max-connections"]),
    ("proxy --config {chain} --policy modern", &["--config", "--policy"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-cert-header", &["--client-ca"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-ca {root} --client-cert-header --alpn h2", &["--client-cert-header", "--alpn h2"]),
    ("proxy --listen 127.0.0.1:0 {id}", &["--to"]),
    ("proxy --to 127.0.0.1:1 {id}", &["--listen"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 --cert {chain}", &["--cert", "--key"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 --originate --key {key}", &["--key", "--cert"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 --originate --client-ca {root}", &["--cert"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-auth require", &["--client-ca"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --allow-cn a", &["--client-ca"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-ca {root} --client-auth request --allow-cn a", &["--client-auth request", "--allow"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-ca {root} --allow-san *.a.test", &["--allow-san", "*.a.test"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --client-ca {root} --allow-uri spiffe://a.test/a*", &["--allow-uri", "a*"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --name a.test", &["--originate"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --ca {root}", &["--originate"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 --originate --client-cert {chain}", &["--client-key"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --idle-timeout 0", &["--idle-timeout", "86400"]),
    ("proxy --listen 127.0.0.1:0 --to 127.0.0.1:1 {id} --log xml", &["--log", "json"]),
    ("ca init {ca} --intermediate", &["root.pem", "--intermediate"]),
    ("verify {chain} --ca {root} --leaf-only", &["--leaf-only", "--crl"]),
    ("verify {chain} --ca {root} --crl {crl} --revocation ignore", &["--crl", "--revocation ignore"]),
    ("verify {chain} --ca {root} --common-name", &["--name"]),
    ("verify {chain} --ca {root} --common-name --name a.test --profile legacy", &["--common-name", "--profile legacy"]),
];

#[test]
fn every_option_has_a_row() {
    let mut options = BTreeSet::new();
    walk(&clasp_cli::options(), "", &mut options);
    assert!(options.len() > 60, "{}", options.len());
    let rows: BTreeSet<_> =
        TABLE.iter().map(|(command, option, _)| (command.to_string(), option.to_string())).collect();
    assert_eq!(rows.len(), TABLE.len(), "a row twice");
    let without: Vec<_> = options.difference(&rows).collect();
    assert!(without.is_empty(), "options without a row in TABLE of crates/clasp-cli/tests/options.rs: {without:?}");
    let gone: Vec<_> = rows.difference(&options).collect();
    assert!(gone.is_empty(), "rows of TABLE without an option: {gone:?}");
}

#[test]
fn every_command_has_a_row_in_the_readme() {
    let readme = include_str!("../../../README.md");
    for command in clasp_cli::options().get_subcommands().filter(|command| command.get_name() != "help") {
        let row = format!("| `clasp {}", command.get_name());
        assert!(readme.contains(&row), "the table of commands in README.md has no row that begins with {row}");
    }
}

fn walk(command: &clap::Command, path: &str, options: &mut BTreeSet<(String, String)>) {
    for option in command
        .get_opts()
        .chain(command.get_arguments().filter(|a| a.get_action().takes_values() || !a.is_positional()))
    {
        if let Some(long) = option.get_long().filter(|long| !["help", "version"].contains(long)) {
            options.insert((path.to_string(), long.to_string()));
        }
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        walk(sub, format!("{path} {}", sub.get_name()).trim(), options);
    }
}

/// Files to work with, made once.
struct Stage {
    folder: tempfile::TempDir,
    number: std::cell::Cell<u32>,
}

/// Both in one file, behind the password of [`common::password_file`].
fn archive(chain: &str, key: &str) -> Vec<u8> {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let chain = clasp_x509::pem::items(chain.as_bytes(), clasp_x509::kind::Kind::Certificate).unwrap();
    let chain: Vec<_> = chain.iter().map(|section| Certificate::from_der(section.der()).unwrap()).collect();
    let key = PrivateKey::from_der(clasp_x509::pem::private_key(key.as_bytes()).unwrap().der()).unwrap();
    let mut store = KeyStore::new();
    store.add_entry("alice", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("alice", key, chain)));
    store.writer("the pass–word").write().unwrap()
}

impl Stage {
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap(), number: std::cell::Cell::default() };
        for line in [
            "ca init {ca}",
            "ca issue {ca} localhost 127.0.0.1",
            "ca issue {ca} twin.test",
            "ca issue {ca} revoked.test",
            "ca issue {ca} alice --client",
            "ca revoke {ca} revoked.test.pem",
            "ca crl {ca}",
            "ca ocsp {ca} revoked.test.pem",
            "ca init {deepca} --intermediate",
            "ca issue {deepca} a.test",
            "ca ocsp {deepca} a.test.pem",
        ] {
            let (said, code) = stage.run(line);
            assert_eq!(code, Some(0), "{line}: {said}");
        }
        std::fs::create_dir(stage.folder.path().join("www")).unwrap();
        let read = |name: &str| std::fs::read_to_string(stage.fill(name)).unwrap();
        let key = rcgen::KeyPair::from_pem(&read("{ca}/root-key.pem")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&read("{root}"), key).unwrap();
        let own = |names: Vec<String>| {
            let mut params = rcgen::CertificateParams::new(names).unwrap();
            params.not_after = rcgen::date_time_ymd(2060, 1, 1);
            params
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let mut old = own(Vec::new());
        old.distinguished_name.push(rcgen::DnType::CommonName, "old.test");
        std::fs::write(stage.fill("{old}"), old.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        let twin = own(vec!["localhost".into()]);
        std::fs::write(stage.fill("{twin}"), twin.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        std::fs::write(stage.fill("{twins}"), key.serialize_pem()).unwrap();
        std::fs::write(stage.fill("{archive}"), archive(&read("{alice}"), &read("{alices}"))).unwrap();
        common::password_file(stage.folder.path());
        stage
    }

    fn fill(&self, line: &str) -> String {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_string();
        let mut line = line.replace("{get}", GET).replace("{id}", ID).replace("{fields}", FIELDS);
        for (name, file) in [
            ("ca", "ca"),
            ("deepca", "deep"),
            ("dir", "www"),
            ("root", "ca/root.pem"),
            ("chain", "ca/localhost.pem"),
            ("key", "ca/localhost-key.pem"),
            ("twin", "ca/twin.test.pem"),
            ("twins", "ca/twin.test-key.pem"),
            ("alice", "ca/alice-client.pem"),
            ("alices", "ca/alice-client-key.pem"),
            ("archive", "ca/alice.p12"),
            ("password", "password"),
            ("revoked", "ca/revoked.test.pem"),
            ("ocsp", "ca/revoked.test.ocsp"),
            ("crl", "ca/crl.pem"),
            ("old", "ca/old.pem"),
            ("deep", "deep/a.test.pem"),
            ("deeproot", "deep/root.pem"),
            ("deepocsp", "deep/a.test.ocsp"),
            ("new", &format!("new{}", self.number.get())),
        ] {
            line = line.replace(&format!("{{{name}}}"), &path(file));
        }
        line
    }

    /// Runs commands joined by `&&`; gives all that was said, and the last code.
    fn run(&self, line: &str) -> (String, Option<i32>) {
        let (mut said, mut code) = (String::new(), None);
        for command in self.fill(line).split("&&") {
            let output = clasp(&command.split_whitespace().collect::<Vec<_>>());
            said += &(text(&output.stdout) + &text(&output.stderr));
            code = output.status.code();
        }
        (said + &self.written(), code)
    }

    /// What was written into `{new}`, if it is a file; the next run has another.
    fn written(&self) -> String {
        let new = self.fill("{new}");
        self.number.set(self.number.get() + 1);
        if Path::new(&new).is_file() { std::fs::read_to_string(&new).unwrap() } else { String::new() }
    }

    /// What a server and a client with these options say.
    fn talk(&self, serving: &str, connect: &[&str], connecting: &str) -> String {
        let (serving, connecting) = (self.fill(serving), self.fill(connecting));
        let home = self.folder.path().join("home");
        let server = serve(&serving.split_whitespace().collect::<Vec<_>>(), &home);
        let target = format!("localhost:{}", server.port());
        let line: Vec<_> = connect.iter().copied().chain([&*target]).chain(connecting.split_whitespace()).collect();
        let output = clasp_fed(&line, b"what was fed\r\n\r\n");
        let mut said = text(&output.stdout) + &text(&output.stderr);
        while let Ok(line) = server.lines.recv_timeout(Duration::from_millis(200)) {
            said += &(line + "\n");
        }
        said + &self.written()
    }
}

/// A peer that takes a hello and hangs up, and what it took.
fn taker() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("localhost:{}", listener.local_addr().unwrap().port());
    let (say, hear) = channel();
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let mut head = [0; 5];
            tcp.read_exact(&mut head).unwrap();
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            tcp.read_exact(&mut hello).unwrap();
            let _gone = tcp.write_all(&[21, 3, 3, 0, 2, 2, 40]);
            say.send(hello).unwrap();
        }
    });
    (target, hear)
}

fn has(hello: &[u8], bytes: &[u8]) -> bool {
    hello.windows(bytes.len()).any(|w| w == bytes)
}

/// Behind type, length, version, random and session ID.
fn suites(hello: &[u8]) -> Vec<u16> {
    let at = 39 + usize::from(hello[38]);
    let length = usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    hello[at + 2..at + 2 + length].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

fn shows(option: &str, without: &str, with: &str, words: &str) {
    let (lacks, has, words) = match words.strip_prefix('!') {
        Some(words) => (with, without, words),
        None => (without, with, words),
    };
    assert!(has.contains(words), "--{option}: {words:?} is not in {has}");
    assert!(!lacks.contains(words), "--{option} changes nothing: {words:?} is in {lacks}");
}

fn rows(of: impl Fn(&str) -> bool) {
    let stage = Stage::new();
    let (target, hellos) = taker();
    for (_, option, way) in TABLE.iter().filter(|(command, ..)| of(command)) {
        match way {
            Connect(serving, without, with, words) => {
                let talk = |options| stage.talk(serving, &["connect"], options);
                shows(option, &talk(without), &talk(with), words);
            }
            Trace(serving, without, with, words) => {
                let talk = |options| stage.talk(serving, &["trace", "connect"], options);
                shows(option, &talk(without), &talk(with), words);
            }
            Serve(connecting, without, with, words) => {
                let talk = |options| stage.talk(options, &["connect"], connecting);
                shows(option, &talk(without), &talk(with), words);
            }
            Run(without, with, words) => shows(option, &stage.run(without).0, &stage.run(with).0, words),
            Hello(with, is_so) => {
                let hello = |options: &str| {
                    stage.run(&format!("connect {target} --insecure {options}"));
                    hellos.recv_timeout(Duration::from_secs(10)).unwrap()
                };
                assert!(!is_so(&hello("")), "--{option} changes nothing");
                assert!(is_so(&hello(with)), "--{option} has no effect");
            }
            Elsewhere(file, test) => {
                let (_, body) = file.split_once(&format!("fn {test}(")).expect(test);
                let body = body.split_once("\n}\n").map_or(body, |(body, _)| body);
                let uses = [format!("--{option}\""), format!("--{option} ")];
                assert!(uses.iter().any(|way| body.contains(way)), "{test} does not use --{option}");
            }
        }
    }
}

#[test]
fn each_option_of_connect_changes_something() {
    rows(|command| command == "connect");
}

#[test]
fn each_option_of_serve_changes_something() {
    rows(|command| command == "serve");
}

#[test]
fn each_option_of_trace_changes_something() {
    rows(|command| command.starts_with("trace"));
}

#[test]
fn each_option_of_the_others_changes_something() {
    rows(|command| !["connect", "serve"].contains(&command) && !command.starts_with("trace"));
}

#[test]
fn what_would_do_nothing_is_refused_by_name() {
    let stage = Stage::new();
    for (line, names) in CLASHES {
        let (said, code) = stage.run(line);
        assert_eq!(code, Some(2), "{line}: {said}");
        let error = said.split("Usage:").next().unwrap();
        for name in *names {
            assert!(error.contains(name), "{line}: {name} is not named in {said}");
        }
    }
}

/// README: each has `--help` with examples and exit codes.
#[test]
fn each_commands_help_has_examples_and_exit_codes() {
    let mut command = clasp_cli::options();
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let (name, help) = (sub.get_name().to_owned(), sub.render_long_help().to_string());
        assert!(help.contains("Examples:\n  clasp ") && help.contains("Exit codes: 0 "), "{name}: {help}");
    }
}
