import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseForm } from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AnswerFault, answerFault, type Faults, refusalCode } from './faults.ts';
import { answerJson, readBody } from './http.ts';
import type { Entry, Ledger } from './ledger.ts';
import {
  type ApiError,
  countSegments,
  errorBody,
  errors,
  messageResource,
  replyResource,
  notFound,
  readSendForm,
  refusal,
} from './messages.ts';
import type { Phones, Reply } from './phones.ts';
import type { Receipts } from './receipts.ts';

const MAX_PAGE_SIZE = 1000;

/** The part of Twilio's API that sends and looks up messages, with the configured faults. */
export function createTwilioApi(options: {
  accountSid: string;
  seed: number;
  ledger: Ledger;
  phones: Phones;
  receipts: Receipts;
  faults: () => Faults;
}) {
  const { accountSid, seed, ledger, phones, receipts, faults } = options;
  const base = `/2010-04-01/Accounts/${accountSid}/Messages`;
  const counts: Record<'requests' | 'refused' | AnswerFault, number> = {
    requests: 0,
    refused: 0,
    http429: 0,
    http503: 0,
    drop_before_accept: 0,
    http500: 0,
    http500_after_accept: 0,
    drop_after_accept: 0,
    hang_after_accept: 0,
  };

  async function send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === null) {
      request.socket.destroy();
      return;
    }
    const fault = answerFault(faults(), seed, counts.requests++);
    if (fault !== null) counts[fault]++;

    if (fault === 'drop_before_accept') request.socket.destroy();
    else if (fault === 'http429') await refuse(response, errors.tooManyRequests);
    else if (fault === 'http503') await refuse(response, errors.unavailable);
    else if (fault === 'http500') await refuse(response, errors.internal);
    else await judge(body, fault, request, response);
  }

  async function judge(
    body: string,
    fault: 'http500_after_accept' | 'drop_after_accept' | 'hang_after_accept' | null,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const form = readSendForm(parseForm(body));
    if ('code' in form) {
      counts.refused++;
      return refuse(response, form);
    }
    const code = refusalCode(faults(), form.to);
    if (code !== null && code < 30_000) {
      counts.refused++;
      return refuse(response, refusal(code, form.to, form.from));
    }

    const index = ledger.append({ ...form, segments: countSegments(form.body) });
    if (form.statusCallback !== null) receipts.added();
    await ledger.written();
    if (fault === 'drop_after_accept') request.socket.destroy();
    else if (fault === 'http500_after_accept') await refuse(response, errors.internal);
    else if (fault === null)
      await answer(response, 201, JSON.stringify(messageResource(ledger.get(index), accountSid)));
  }

  async function answer(response: ServerResponse, status: number, json: string, headers = {}): Promise<void> {
    const { latencyMs } = faults();
    if (latencyMs > 0) await sleep(latencyMs);
    answerJson(response, status, json, headers);
  }

  function refuse(response: ServerResponse, error: ApiError): Promise<void> {
    const later = error.status === 429 || error.status === 503;
    return answer(
      response,
      error.status,
      errorBody(error),
      later ? { 'retry-after': faults().retryAfterSeconds } : {},
    );
  }

  /** All accepted messages and answers, or those to one number. */
  function* newestFirst(to?: string): Generator<Entry | Reply> {
    const replies = phones.newestFirst().filter((reply) => to === undefined || reply.to === to);
    let next = replies.shift();
    // A sender's name is not a number, and received no messages.
    if (to === undefined || to.startsWith('+')) {
      for (const entry of ledger.newestFirst(to)) {
        for (; next && next.at >= entry.at; next = replies.shift()) yield next;
        yield entry;
      }
    }
    for (; next; next = replies.shift()) yield next;
  }

  function list(response: ServerResponse, { pathname, searchParams }: URL): Promise<void> {
    const pageSize = Math.min(Math.max(Number(searchParams.get('PageSize')) || 50, 1), MAX_PAGE_SIZE);
    const page = Math.max(Number(searchParams.get('Page')) || 0, 0);
    const start = page * pageSize;
    const found: (Entry | Reply)[] = [];
    let matching = 0;
    for (const entry of newestFirst(searchParams.get('To') ?? undefined)) {
      if (!matches(entry, searchParams)) continue;
      if (matching++ >= start) found.push(entry);
      if (found.length > pageSize) break;
    }
    const uriOf = (number: number): string => {
      const query = new URLSearchParams(searchParams);
      query.set('Page', String(number));
      query.set('PageSize', String(pageSize));
      return `${pathname}?${query.toString()}`;
    };
    const messages = found
      .slice(0, pageSize)
      .map((entry) =>
        'status' in entry ? messageResource(entry, accountSid) : replyResource(entry, accountSid),
      );
    const listing = {
      messages,
      page,
      page_size: pageSize,
      start,
      end: start + Math.max(messages.length - 1, 0),
      uri: uriOf(page),
      first_page_uri: uriOf(0),
      next_page_uri: found.length > pageSize ? uriOf(page + 1) : null,
      previous_page_uri: page > 0 ? uriOf(page - 1) : null,
    };
    return answer(response, 200, JSON.stringify(listing));
  }

  function fetchOne(response: ServerResponse, pathname: string): Promise<void> {
    const index = ledger.indexOf(pathname.slice(base.length + 1, -'.json'.length));
    if (index === null) return refuse(response, notFound(pathname));
    return answer(response, 200, JSON.stringify(messageResource(ledger.get(index), accountSid)));
  }

  return {
    /** Call for an authenticated request under /2010-04-01/. */
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      if (request.method === 'POST' && request.url === `${base}.json`) return send(request, response);
      const url = new URL(request.url ?? '/', 'http://sandbox');
      request.resume();
      if (request.method === 'GET' && url.pathname === `${base}.json`) return list(response, url);
      if (request.method === 'GET' && url.pathname.startsWith(`${base}/`))
        return fetchOne(response, url.pathname);
      return refuse(response, notFound(url.pathname));
    },
    counts: () => ({ ...counts }),
  };
}
export type TwilioApi = ReturnType<typeof createTwilioApi>;

/** The filters of https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources */
function matches(entry: Entry | Reply, query: URLSearchParams): boolean {
  const from = query.get('From');
  if (from !== null && entry.from !== from) return false;
  // `DateSent=2026-11-23` is that day (UTC); `DateSent>` and `DateSent<` (encoded) are from and until, inclusive: a
  // day, or an instant in whole seconds.
  const boundOf = (name: string): string | null => query.get(name)?.slice(0, 19).replace(/Z$/, '') ?? null;
  const day = query.get('DateSent');
  const earliest = boundOf('DateSent>');
  const latest = boundOf('DateSent<');
  const at = entry.at.toISOString();
  if (day !== null && at.slice(0, 10) !== day.slice(0, 10)) return false;
  if (earliest !== null && at.slice(0, earliest.length) < earliest) return false;
  return latest === null || at.slice(0, latest.length) <= latest;
}
