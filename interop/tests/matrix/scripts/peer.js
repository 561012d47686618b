// Node's tls as a peer. The lines it is told: peers/scripted.rs.
'use strict';
const fs = require('fs');
const tls = require('tls');
const crypto = require('crypto');
const readline = require('readline');

const CHUNK = 16 * 1024;
const say = (line) => console.log(String(line).replace(/\n/g, ' '));

function context(o) {
  const version = 'TLSv' + o.version;
  const c = { minVersion: version, maxVersion: version, ca: fs.readFileSync(o.ca) };
  // OpenSSL wants a suite of TLS 1.2 in the list even where none can be used.
  c.ciphers = [o.openssl, o.version === '1.3' || !o.openssl ? 'ALL' : undefined, '@SECLEVEL=0'].filter(Boolean).join(':');
  if (o.alpn) c.ALPNProtocols = o.alpn.split(',');
  if (o.cert) Object.assign(c, { cert: fs.readFileSync(o.cert), key: fs.readFileSync(o.key) });
  if (o.tickets === 'no') c.secureOptions = crypto.constants.SSL_OP_NO_TICKET;
  return c;
}

let server;
function serve(o) {
  const c = Object.assign(context(o), {
    dhparam: fs.readFileSync(o.dh), ecdhCurve: 'auto', allowHalfOpen: true,
    requestCert: o.auth !== 'no', rejectUnauthorized: o.auth === 'require',
  });
  const sessions = new Map();
  server = tls.createServer(c);
  server.on('newSession', (id, data, done) => { sessions.set(id.toString('hex'), data); done(); });
  server.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) || null));
  server.on('tlsClientError', (e) => say('log refused: ' + e.message));
  const raws = new Map();
  server.on('connection', (raw) => raws.set(raw.remotePort, raw));
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    const raw = raws.get(socket.remotePort);
    let total = 0;
    socket.on('data', (data) => {
      total += data.length;
      socket.write(data, () => {
        if (total < Number(o.bytes)) return;
        if (o.end === 'cut') raw.destroy();
        if (o.end === 'server') socket.end();
      });
    });
    socket.on('end', () => socket.end());
    socket.on('error', (e) => say('log served with ' + e.message));
  });
  server.listen(0, '127.0.0.1', () => say('listening ' + server.address().port));
}

function once(o, session) {
  return new Promise((resolve, reject) => {
    const payload = fs.readFileSync(o.payload);
    const c = Object.assign(context(o), { port: Number(o.port), host: '127.0.0.1', servername: 'localhost', session });
    c.ecdhCurve = o.group ? o.group.replace('secp256r1', 'prime256v1').replace('x25519', 'X25519').replace(',', ':') : 'auto';
    const back = [];
    let sent = 0, got = 0, last;
    const raw = require('net').connect({ port: Number(o.port), host: '127.0.0.1', noDelay: true });
    raw.on('error', reject);
    const socket = tls.connect(Object.assign(c, { socket: raw, allowHalfOpen: true }));
    const send = () => { socket.write(payload.subarray(sent, sent + CHUNK)); sent = Math.min(sent + CHUNK, payload.length); };
    socket.on('session', (data) => { last = data; });
    socket.on('secureConnect', () => {
      if (socket.isSessionReused() !== (session !== undefined)) reject(new Error('resumed is ' + socket.isSessionReused()));
      if (o.alpn && socket.alpnProtocol !== 'http/1.1') reject(new Error('the protocol is ' + socket.alpnProtocol));
      send();
    });
    socket.on('data', (data) => {
      back.push(data);
      got += data.length;
      if (got < sent) return;
      if (sent < payload.length) return send();
      if (!Buffer.concat(back).equals(payload)) return reject(new Error('the echo is not what was sent'));
      if (o.end === 'cut') { raw.destroy(); return resolve(last); }
      if (o.end === 'client') socket.end();
    });
    socket.on('end', () => {
      if (got < payload.length) return reject(new Error('closed in the middle of an answer'));
      if (o.end === 'server') socket.end();
    });
    socket.on('close', () => (got < payload.length ? reject(new Error('closed early')) : resolve(last)));
    socket.on('error', reject);
  });
}

async function connect(o) {
  let session;
  for (let n = 0; n < Number(o.connections); n++) session = await once(o, session);
  say('ok');
}

process.on('uncaughtException', (e) => say('log uncaught: ' + e.stack));
say(`Node ${process.version}, OpenSSL ${process.versions.openssl}`);
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, ...rest] = line.split(' ');
  const o = Object.fromEntries(rest.map((x) => [x.slice(0, x.indexOf('=')), x.slice(x.indexOf('=') + 1)]));
  const failed = (e) => say('failed ' + e.message);
  try {
    if (word === 'serve') serve(o);
    else if (word === 'connect') connect(o).catch(failed);
    else if (word === 'stop') server.close();
  } catch (e) {
    failed(e);
  }
}).on('close', () => process.exit(0));
