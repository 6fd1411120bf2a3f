import { createFormat } from '../domain/format.ts';
import { problemWords } from '../domain/problems/catalog.ts';
import type { Fault, ProblemCode } from '../domain/problems/coded.ts';
import type { fileSentences } from '../domain/problems/mailings.ts';
import { passingWebserviceProblems } from '../domain/problems/retries.ts';

/** Why a whole mailing is refused. */
type FileFault = Fault<keyof typeof fileSentences>;

/** Why a web service returned no mailing. The codes are stable, like those above. */
export const webserviceRefusals = [
  // May pass: retried for a while.
  'dns_failed',
  'connection_refused',
  'connection_failed',
  'connection_lost',
  'timed_out',
  'server_error',
  'too_many_requests',
  // Permanent until a user changes something.
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
  /** The line of the file, from 1, if known. */
  line?: number;
  expected?: string;
  /** The value found. May quote the file's first line: show it to the user who uploaded the file, never log it. */
  found?: string;
}

const english = createFormat('en', null);

/** The mailing cannot be used at all, unlike a single invalid line. The message is a plain English sentence. */
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

/** Problems that may pass by themselves. */
const passing: ReadonlySet<WebserviceRefusal> = new Set(passingWebserviceProblems);

const plain = createFormat('en', null);

interface Patience {
  /** The wait that the service asked for (Retry-After). */
  retryAfterMs?: number | null;
}

/**
 * The web service cannot be read. The message is a plain sentence; it names hosts, but never a path, a parameter, a
 * secret or a value of the records. It quotes an error that the service reports (`service_error`): show it on the page
 * of the run, but not in a history or a log.
 */
export class WebserviceRefused extends Error {
  override readonly name = 'WebserviceRefused';
  readonly fault: WebserviceFault;
  /** The wait that the service asked for (Retry-After). */
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

  /** Whether another attempt may succeed. */
  get mayPass(): boolean {
    return passing.has(this.code);
  }
}
