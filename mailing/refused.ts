import { createFormat } from '../domain/format.ts';
import { problemWords } from '../domain/problems/catalog.ts';
import type { Fault, ProblemCode } from '../domain/problems/coded.ts';
import type { fileSentences } from '../domain/problems/mailings.ts';
import { passingWebserviceProblems } from '../domain/problems/retries.ts';

/** Why a mailing is refused as a whole. */
type FileFault = Fault<keyof typeof fileSentences>;

/** Why a web service gives no mailing. Stable, like the above. */
export const webserviceRefusals = [
  // Tried again for a while: it may pass.
  'dns_failed',
  'connection_refused',
  'connection_failed',
  'connection_lost',
  'timed_out',
  'server_error',
  'too_many_requests',
  // For good, until someone changes something.
  'address_missing',
  'address_refused',
  'tls_failed',
  'not_http',
  'unauthorized',
  'forbidden',
  'address_not_found',
  'request_refused',
  'status_unexpected',
  'authorization_failed',
  'integration_origin',
  'integration_sealed',
  'too_many_redirects',
  'redirect_broken',
  'too_large',
  'takes_too_long',
  'compression_broken',
  'compression_unknown',
  'answer_encoding',
  'html',
  'empty_answer',
  'not_json',
  'cut_off',
  'too_deep',
  'record_too_large',
  'no_records',
  'records_ambiguous',
  'not_records',
  'too_many_pages',
  'page_repeated',
  'next_page_unreadable',
  'more_pages',
  'pages_incomplete',
  'page_attribute_missing',
  'service_error',
  'credentials_not_sent',
] as const satisfies readonly ProblemCode[];
export type WebserviceRefusal = (typeof webserviceRefusals)[number];
type WebserviceFault = Fault<WebserviceRefusal>;

interface Details {
  /** The line of the file, from 1, where it is known. */
  line?: number;
  expected?: string;
  /** What was there instead. May quote the file's first line: for the person who sent the file, not for a log. */
  found?: string;
}

const english = createFormat('en', null);

/** The mailing can't be used at all, in contrast to one bad line in it. The message is a plain sentence in English. */
export class MailingRefused extends Error {
  override readonly name = 'MailingRefused';
  readonly fault: FileFault;
  readonly line: number | null;
  readonly expected: string | null;
  readonly found: string | null;

  constructor(fault: FileFault, { line, expected, found }: Details = {}) {
    super(problemWords(fault, english));
    this.fault = fault;
    this.line = line ?? ('line' in fault.params ? fault.params.line : null);
    this.expected = expected ?? null;
    this.found = found ?? null;
  }

  get code(): FileFault['code'] {
    return this.fault.code;
  }
}

/** Those that may pass by themselves. */
const passing: ReadonlySet<WebserviceRefusal> = new Set(passingWebserviceProblems);

const plain = createFormat('en', null);

interface Patience {
  /** The service asked for so much patience (Retry-After). */
  retryAfterMs?: number | null;
}

/**
 * The web service can't be read. The message is a plain sentence; it names hosts, and never a path, a parameter, a
 * secret or a value of the records. An error that the service reports is quoted (`service_error`): for the page of the run
 * and not for a history or a log.
 */
export class WebserviceRefused extends Error {
  override readonly name = 'WebserviceRefused';
  readonly fault: WebserviceFault;
  /** The service asked for so much patience (Retry-After). */
  readonly retryAfterMs: number | null;

  private constructor(fault: WebserviceFault, retryAfterMs: number | null) {
    super(problemWords<WebserviceRefusal>(fault, plain));
    this.fault = fault;
    this.retryAfterMs = retryAfterMs;
  }

  get code(): WebserviceRefusal {
    return this.fault.code;
  }

  static of(fault: WebserviceFault, { retryAfterMs = null }: Patience = {}): WebserviceRefused {
    return new WebserviceRefused(fault, retryAfterMs);
  }

  /** Whether another attempt may find it mended. */
  get mayPass(): boolean {
    return passing.has(this.code);
  }
}
