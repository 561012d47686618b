// Node's tls: a page for everybody. Arguments: port, and "everything" for all that it can be asked for.
'use strict';
const fs = require('fs');
const https = require('https');

const [port, mode] = process.argv.slice(2);
const kind = mode === 'everything' ? 'rsa' : 'p256';
const options = { cert: fs.readFileSync(kind + '.pem'), key: fs.readFileSync(kind + '.key') };
if (mode === 'everything') {
  Object.assign(options, { minVersion: 'TLSv1', ciphers: 'ALL:eNULL:@SECLEVEL=0', ecdhCurve: 'auto' });
}
https.createServer(options, (_, response) => response.end('page\n')).listen(Number(port), '127.0.0.1');
