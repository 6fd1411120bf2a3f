import { AddressRefused } from './address-guard.ts';
import { WebserviceRefused } from './refused.ts';

/** The words for what goes wrong between us and a web service. Hosts are named, paths and parameters never are. */

// https://nodejs.org/api/tls.html#x509-certificate-error-codes
const certificates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes without those between it and a trusted authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted here',
  CERT_REVOKED: 'its certificate has been revoked',
  HOSTNAME_MISMATCH: 'its certificate is for another name',
};

/** What an error of the connection or of the stream means. Errors that are not from there come back as they are. */
export function refusalOf(error: unknown, url: URL, idleMs: number): unknown {
  if (error instanceof WebserviceRefused) return error;
  const host = url.hostname;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AddressRefused) {
    return new WebserviceRefused(
      'address_refused',
      `${host} is in a private or reserved network, where campaigns may not fetch from. An operator of this deployment can allow it (WEBSERVICE_ALLOW).`,
    );
  }
  if (!(cause instanceof Error)) return error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const refused = (...[kind, message]: ConstructorParameters<typeof WebserviceRefused>) =>
    new WebserviceRefused(kind, message);
  const certificate = certificates[code];
  if (certificate !== undefined) {
    return refused('tls_failed', `The connection to ${host} is not safe: ${certificate} (${code}).`);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) {
    return refused(
      'tls_failed',
      `${host} does not speak TLS as it should at this port. Is the address meant to begin with http://, or is the port another?`,
    );
  }
  if (cause.name === 'HTTPParserError' || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return refused('not_http', `What ${host} answers is not HTTP. Is the port the right one?`);
  }
  // https://nodejs.org/api/zlib.html#error-codes: Z_… of zlib, ERR_… of Brotli and of Node itself.
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR__ERROR_') ||
    code.startsWith('ERR_BROTLI') ||
    code.startsWith('ERR_PADDING')
  ) {
    return refused(
      'compression_broken',
      `The answer of ${host} says that it is compressed, and can not be decompressed: it is broken, or cut off.`,
    );
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
    case 'EAI_FAIL':
    case 'ESERVFAIL':
    case 'ENODATA':
    case 'ETIMEOUT':
      return refused('dns_failed', `The name ${host} can not be found (DNS). Is it written as it should be?`);
    case 'ECONNREFUSED':
      return refused('connection_refused', `${host} refuses the connection: nothing listens at this port.`);
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return refused('connection_failed', `${host} can not be reached: no connection came about in time.`);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return refused(
        'timed_out',
        `${host} took the request and gave no answer within ${idleMs / 1000} seconds.`,
      );
    case 'UND_ERR_BODY_TIMEOUT':
      return refused(
        'timed_out',
        `${host} fell silent in the middle of its answer for ${idleMs / 1000} seconds.`,
      );
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return refused(
        'connection_lost',
        `The connection to ${host} broke off before its answer was complete.`,
      );
    default:
      return error;
  }
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfterOf(value: string): number | null {
  if (value === '') return null;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

/** What a status means that is neither success nor a redirect. */
export function statusRefusal(
  status: number,
  { host, retryAfter, hasCredentials }: { host: string; retryAfter: string; hasCredentials: boolean },
): WebserviceRefused {
  const retryAfterMs = retryAfterOf(retryAfter);
  switch (status) {
    case 401:
      return new WebserviceRefused(
        'unauthorized',
        hasCredentials
          ? `${host} does not accept the credentials of the integration (401). Correct them there.`
          : `${host} asks for credentials (401). Choose an integration for the campaign.`,
      );
    case 403:
      return new WebserviceRefused('forbidden', `${host} forbids access to this address (403).`);
    case 404:
    case 410:
      return new WebserviceRefused('address_not_found', `${host} has nothing at this address (${status}).`);
    case 408:
      return new WebserviceRefused('timed_out', `${host} gave up waiting for the request (408).`);
    case 429:
      return new WebserviceRefused('too_many_requests', `${host} asks for fewer requests (429).`, {
        retryAfterMs,
      });
    default:
      if (status >= 500)
        return new WebserviceRefused('server_error', `${host} has failed by itself (${status}).`, {
          retryAfterMs,
        });
      if (status >= 400)
        return new WebserviceRefused(
          'request_refused',
          `${host} refuses the request (${status}). Are all parameters right?`,
        );
      return new WebserviceRefused(
        'status_unexpected',
        `${host} answered with the status ${status}, which has no records.`,
      );
  }
}
