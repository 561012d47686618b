//! A handshake message as its fields, each behind its length.

use clasp::suite::Kx;
use clasp::wire::code::HandshakeType as H;
use clasp_testkit::hollow_bytes::Wrap;

/// A field: bytes, or other fields, behind a length of so many bytes (none for what has a fixed length).
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    width: usize,
    raw: Vec<u8>,
    parts: Vec<Self>,
}

/// Where a field stands.
pub(crate) type Path = Vec<usize>;

fn numbered(width: usize, length: usize) -> Vec<u8> {
    length.to_be_bytes()[8 - width..].to_vec()
}

impl Field {
    fn fixed(raw: &[u8]) -> Self {
        Self { name: "fixed".into(), width: 0, raw: raw.to_vec(), parts: Vec::new() }
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        if self.parts.is_empty() { self.raw.clone() } else { self.parts.iter().flat_map(Self::bytes).collect() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let content = self.content();
        [numbered(self.width, content.len()), content].concat()
    }

    pub(crate) fn is_extensions(&self) -> bool {
        self.name.ends_with("extensions")
    }

    /// The extensions of another type.
    pub(crate) fn without(&self, typ: u16) -> Vec<u8> {
        let typ = typ.to_be_bytes();
        let pairs = self.parts.chunks(2).filter(|pair| pair[0].raw != typ);
        pairs.flatten().flat_map(Self::bytes).collect()
    }

    /// Every field with a length; the body itself too, whose length is the message's.
    pub(crate) fn paths(&self) -> Vec<Path> {
        let mut all = vec![Vec::new()];
        for (n, part) in self.parts.iter().enumerate().filter(|(_, part)| part.width > 0) {
            all.extend(part.paths().into_iter().map(|rest| [vec![n], rest].concat()));
        }
        all
    }

    pub(crate) fn at(&self, path: &[usize]) -> &Self {
        path.iter().fold(self, |field, n| &field.parts[*n])
    }

    /// How long the field's content may be for every length around it to hold it.
    pub(crate) fn room(&self, path: &[usize]) -> usize {
        let own = self.at(path).content().len();
        (0..=path.len()).map(|n| self.at(&path[..n])).fold(0xff_ffff, |room, around| {
            let most = if around.width == 0 { 0xff_ffff } else { (1 << (8 * around.width)) - 1 };
            room.min(most - (around.content().len() - own.min(around.content().len())))
        })
    }

    fn at_mut(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |field, n| &mut field.parts[*n])
    }

    /// The message with this in the field.
    pub(crate) fn replaced(&self, path: &[usize], content: &[u8]) -> Vec<u8> {
        let mut message = self.clone();
        let field = message.at_mut(path);
        (field.raw, field.parts) = (content.to_vec(), Vec::new());
        message.bytes()
    }

    /// The message with a field whose length says more than there is.
    pub(crate) fn announcing(&self, path: &[usize], more: usize) -> Option<Vec<u8>> {
        let mut message = self.clone();
        let field = message.at_mut(path);
        let (width, content) = (field.width, field.content());
        if width == 0 {
            return None;
        }
        let length = content.len().saturating_add(more).min((1 << (8 * width)) - 1);
        *field = Self::fixed(&[numbered(width, length), content].concat());
        Some(message.bytes())
    }
}

/// Takes fields off the front.
struct Parts<'a> {
    rest: &'a [u8],
    parts: Vec<Field>,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, parts: Vec::new() }
    }

    fn fixed(mut self, n: usize) -> Self {
        let (raw, rest) = self.rest.split_at(n);
        self.parts.push(Field::fixed(raw));
        self.rest = rest;
        self
    }

    /// A vector whose content is read by `inside`.
    fn vec(mut self, width: usize, name: &str, inside: impl FnOnce(Parts<'_>) -> Parts<'_>) -> Self {
        let mut length = [0; 8];
        length[8 - width..].copy_from_slice(&self.rest[..width]);
        let (raw, rest) = self.rest[width..].split_at(usize::from_be_bytes(length));
        let inside = inside(Parts::of(raw));
        assert!(inside.rest.is_empty() || inside.parts.is_empty(), "{name} is another thing");
        self.parts.push(Field { name: name.into(), width, raw: raw.to_vec(), parts: inside.parts });
        self.rest = rest;
        self
    }

    fn bytes(self, width: usize, name: &str) -> Self {
        self.vec(width, name, |p| p)
    }

    fn many(mut self, one: impl Fn(Self) -> Self) -> Self {
        while !self.rest.is_empty() {
            self = one(self);
        }
        self
    }

    fn extensions(self, client: bool, name: &str) -> Self {
        if self.rest.is_empty() {
            return self;
        }
        self.vec(2, &format!("{name} extensions"), |p| {
            p.many(|p| {
                let typ = u16::from_be_bytes([p.rest[0], p.rest[1]]);
                p.fixed(2).vec(2, &format!("extension {typ}"), |p| extension(typ, client, p))
            })
        })
    }
}

/// What stands in an extension.
fn extension(typ: u16, client: bool, p: Parts<'_>) -> Parts<'_> {
    match (typ, client) {
        _ if p.rest.is_empty() => p,
        (0, true) => p.vec(2, "server_name_list", |p| p.fixed(1).bytes(2, "host_name")),
        (5, true) => p.fixed(1).bytes(2, "responder_id_list").bytes(2, "request_extensions"),
        (10 | 13 | 50, _) => p.bytes(2, "list of codes"),
        (11, _) => p.bytes(1, "ec_point_format_list"),
        (16, _) => p.vec(2, "protocol_name_list", |p| p.many(|p| p.bytes(1, "protocol_name"))),
        (27, _) => p.bytes(1, "algorithms"),
        (41, true) => p
            .vec(2, "identities", |p| p.many(|p| p.bytes(2, "identity").fixed(4)))
            .vec(2, "binders", |p| p.many(|p| p.bytes(1, "binder"))),
        (43, true) => p.bytes(1, "versions"),
        (44, _) => p.bytes(2, "cookie"),
        (45, true) => p.bytes(1, "ke_modes"),
        (47, _) => p.vec(2, "authorities", |p| p.many(|p| p.bytes(2, "distinguished name"))),
        (51, true) => p.vec(2, "client_shares", |p| p.many(|p| p.fixed(2).bytes(2, "key_exchange"))),
        (51, false) if p.rest.len() > 2 => p.fixed(2).bytes(2, "key_exchange"),
        (0xff01, _) => p.bytes(1, "renegotiated_connection"),
        _ => p,
    }
}

/// Takes a message apart. `record` is the record it stands in.
pub(crate) fn message(kind: H, kx: Kx, tls13: bool, record: &[u8], wrap: Wrap) -> Field {
    let body = match wrap {
        Wrap::Plain => &record[9..],
        Wrap::Gcm12 => &record[17..record.len() - 16],
        Wrap::Inner13 => &record[9..record.len() - 17],
    };
    let p = Parts::of(body);
    let p = match (kind, tls13) {
        (H::ClientHello, _) => {
            let p = p.fixed(34).bytes(1, "session_id").bytes(2, "cipher_suites").bytes(1, "compression_methods");
            p.extensions(true, "ClientHello")
        }
        (H::ServerHello, _) => p.fixed(34).bytes(1, "session_id").fixed(3).extensions(false, "ServerHello"),
        (H::EncryptedExtensions, _) => p.extensions(false, "Encrypted"),
        (H::Certificate, false) => p.vec(3, "certificate_list", |p| p.many(|p| p.bytes(3, "certificate"))),
        (H::Certificate, true) => p
            .bytes(1, "certificate_request_context")
            .vec(3, "certificate_list", |p| p.many(|p| p.bytes(3, "cert_data").extensions(false, "Certificate"))),
        (H::CertificateRequest, false) => p
            .bytes(1, "certificate_types")
            .bytes(2, "supported_signature_algorithms")
            .vec(2, "certificate_authorities", |p| p.many(|p| p.bytes(2, "distinguished name"))),
        (H::CertificateRequest, true) => {
            p.bytes(1, "certificate_request_context").extensions(false, "CertificateRequest")
        }
        (H::CertificateStatus, _) => p.fixed(1).bytes(3, "OCSPResponse"),
        (H::CertificateVerify, _) => p.fixed(2).bytes(2, "signature"),
        (H::ServerKeyExchange, _) if kx == Kx::Dhe => {
            p.bytes(2, "dh_p").bytes(2, "dh_g").bytes(2, "dh_Ys").fixed(2).bytes(2, "signature")
        }
        (H::ServerKeyExchange, _) => p.fixed(3).bytes(1, "point").fixed(2).bytes(2, "signature"),
        (H::ClientKeyExchange, _) if kx == Kx::Ecdhe => p.bytes(1, "point"),
        (H::ClientKeyExchange, _) => p.bytes(2, "exchange"),
        (H::NewSessionTicket, false) => p.fixed(4).bytes(2, "ticket"),
        (H::NewSessionTicket, true) => {
            p.fixed(8).bytes(1, "ticket_nonce").bytes(2, "ticket").extensions(false, "NewSessionTicket")
        }
        _ => p,
    };
    assert!(p.rest.is_empty() || p.parts.is_empty(), "{kind} is another thing");
    Field { name: format!("the body of {kind}"), width: 0, raw: body.to_vec(), parts: p.parts }
}
