import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { createExampleWebservice } from './server.ts';

/** `npm run example:webservice [-- --port 3004 --contacts 1000 --token example-token]` runs until Ctrl-C. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '3004' },
    contacts: { type: 'string', default: '1000' },
    token: { type: 'string', default: 'example-token' },
  },
});

const server = createExampleWebservice({
  contacts: Number(values.contacts),
  pageSize: 250,
  token: values.token,
});
server.on('error', (error) => {
  console.error(`Cannot listen on port ${values.port}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/contacts`;
  console.log(`The example web service has ${values.contacts} contacts at ${url}

  curl -s -H 'Authorization: Bearer ${values.token}' '${url}?since=2025-01-01T00:00:00-03:00'

In Torpedo: an integration with a bearer token (${values.token}) for the host 127.0.0.1, a campaign with the address above and the
parameter since={lastRunAt}, and the field map mobile=contato.celular, phone=contato.telefone. Start Torpedo with
WEBSERVICE_ALLOW=127.0.0.1, because this address is not on the public internet.`);
});
