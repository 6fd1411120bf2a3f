import { type DestinationStream, type Logger, pino } from 'pino';

/** The fields with credentials, and those in which PostgreSQL quotes a row or a COPY, which may be personal data. */
const secret = [
  ...['req.headers.authorization', 'req.headers.cookie', 'headers.authorization', 'headers.cookie'],
  ...['err', 'error', 'err.cause', 'error.cause'].flatMap((error) =>
    ['detail', 'where', 'internal_query', 'query', 'parameters', 'args'].map((field) => `${error}.${field}`),
  ),
];

/** The log of a process, as lines of JSON on stdout. */
export const createLog = (name: string, level: string, destination?: DestinationStream): Logger => {
  const serializers = { error: pino.stdSerializers.err };
  const options = { level, name, redact: { paths: secret, remove: true }, serializers };
  return destination ? pino(options, destination) : pino(options);
};
