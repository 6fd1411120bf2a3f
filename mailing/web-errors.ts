import { AddressRefused } from './address-guard.ts';
import type { CertificateFault } from '../domain/problems/webservices.ts';
import { WebserviceRefused } from './refused.ts';

/** Errors between Torpedo and a web service. The sentences name hosts, never paths and parameters. */

// https://nodejs.org/api/tls.html#x509-certificate-error-codes
const certificates: Readonly<Record<string, CertificateFault>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'other_name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self_signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'chain_incomplete',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  CERT_REVOKED: 'revoked',
  HOSTNAME_MISMATCH: 'other_name',
};

/** The problem that an error of the connection or of the stream means. Returns other errors unchanged. */
export function refusalOf(error: unknown, url: URL, idleMs: number): unknown {
  if (error instanceof WebserviceRefused) return error;
  const host = url.hostname;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AddressRefused) {
    return WebserviceRefused.of({ code: 'address_refused', params: { host } });
  }
  if (!(cause instanceof Error)) return error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const refused = (...found: Parameters<typeof WebserviceRefused.of>) => WebserviceRefused.of(...found);
  const certificate = certificates[code];
  if (certificate !== undefined) {
    const params = { host, certificate: { fault: certificate, code } };
    return refused({ code: 'tls_failed', params });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) {
    return refused({ code: 'tls_failed', params: { host, certificate: null } });
  }
  if (cause.name === 'HTTPParserError' || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return refused({ code: 'not_http', params: { host } });
  }
  // https://nodejs.org/api/zlib.html#error-codes: Z_… of zlib, ERR_… of Brotli and of Node itself.
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR__ERROR_') ||
    code.startsWith('ERR_BROTLI') ||
    code.startsWith('ERR_PADDING')
  ) {
    return refused({ code: 'compression_broken', params: { host } });
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
      return refused({ code: 'dns_failed', params: { host } });
    case 'ECONNREFUSED':
      return refused({ code: 'connection_refused', params: { host } });
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return refused({ code: 'connection_failed', params: { host } });
    case 'UND_ERR_HEADERS_TIMEOUT':
      return refused({ code: 'timed_out', params: { host, at: 'start', seconds: idleMs / 1000 } });
    case 'UND_ERR_BODY_TIMEOUT':
      return refused({ code: 'timed_out', params: { host, at: 'middle', seconds: idleMs / 1000 } });
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return refused({ code: 'connection_lost', params: { host } });
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

/** The problem of a status that is not a success or a redirect. */
export function statusRefusal(
  status: number,
  { host, retryAfter, hasCredentials }: { host: string; retryAfter: string; hasCredentials: boolean },
): WebserviceRefused {
  const patience = { retryAfterMs: retryAfterOf(retryAfter) };
  const refused = (...found: Parameters<typeof WebserviceRefused.of>) => WebserviceRefused.of(...found);
  switch (status) {
    case 401:
      return refused({ code: 'unauthorized', params: { host, withCredentials: hasCredentials } });
    case 403:
      return refused({ code: 'forbidden', params: { host } });
    case 404:
    case 410:
      return refused({ code: 'address_not_found', params: { host, status } });
    case 408:
      return refused({ code: 'timed_out', params: { host, at: 'request', seconds: 0 } });
    case 429:
      return refused({ code: 'too_many_requests', params: { host } }, patience);
    default:
      if (status >= 500)
        return refused({ code: 'server_error', params: { host, status, of: 'records' } }, patience);
      if (status >= 400) return refused({ code: 'request_refused', params: { host, status } });
      return refused({ code: 'status_unexpected', params: { host, status } });
  }
}
