import { createAccessTokens } from '../mailing/access-tokens.ts';
import { createAddressGuard } from '../mailing/address-guard.ts';
import { pino } from 'pino';
import { buildConnector } from 'undici';
import { webserviceDepsOf } from '../mailing/webservice.ts';
import { buildApp } from '../api/http/app.ts';
import { createTemporal } from '../api/services/temporal.ts';
import { readBodiesAsText } from '../api/providers/webhooks.ts';
import { readConfig } from '../config.ts';
import { connect } from '../db/core/client.ts';
import { createSecretBox } from '../db/core/secrets.ts';
import { taskQueue } from '../domain/ids.ts';
import { createOutgoing } from '../outgoing/index.ts';

/** The API with one additional route, which only reads the body and answers: the base cost of a receipt. */
const config = readConfig();
const sql = connect(config.DATABASE_URL, { max: config.DATABASE_POOL, application: 'torpedo-api' });
const app = await buildApp({
  sql,
  temporal: createTemporal({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    tls: false,
    uiUrl: null,
    taskQueue,
  }),
  box: createSecretBox(config.SECRET_KEYS),
  logger: pino({ level: config.LOG_LEVEL }),
  sms: {
    publicUrl: config.PUBLIC_URL,
    sandboxUrl: config.SANDBOX_URL,
    sendTimeoutMs: config.SEND_TIMEOUT_MS,
    connections: 1,
    // Nothing is sent.
    connect: buildConnector({}),
    tokens: createAccessTokens(createAddressGuard([])),
  },
  outgoing: createOutgoing([]),
  webservice: webserviceDepsOf(config),
  uploadLimitBytes: config.UPLOAD_LIMIT_BYTES,
});
await app.register(async (empty) => {
  readBodiesAsText(empty);
  empty.post('/empty/:id', { config: { access: 'open' }, schema: { hide: true } }, async (_, reply) =>
    reply.code(204).send(),
  );
});
console.log(await app.listen({ host: config.HOST, port: config.PORT }));
// Without a handler, --cpu-prof would write nothing.
process.once('SIGTERM', () => process.exit());
