import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Callbacks } from './callbacks.ts';
import { faults as faultsSchema, type Faults } from './faults.ts';
import { answerJson, readBody } from './http.ts';
import type { Entry, Ledger } from './ledger.ts';
import { countSegments } from './messages.ts';
import type { ReceiptCounts } from './receipts.ts';
import type { Phones } from './phones.ts';
import type { TwilioApi } from './twilio-api.ts';

const replyBody = z.strictObject({
  /** The virtual phone that answers. */
  from: z.string().regex(/^\+[1-9]\d{7,14}$/),
  /** The sender it answers; if omitted: the last one that wrote to it. */
  to: z.string().min(1).optional(),
  body: z.string().max(1600),
});
const inboundBody = z.strictObject({ url: z.url({ protocol: /^https?$/ }) });
const NDJSON_GROUP = 1000;

interface Answer {
  status: number;
  body: object;
}

/** Why an answer from a virtual phone reaches nobody, for display. */
type ReplyFault = 'nobody_wrote' | 'no_inbound_url' | 'inbound_silent';

/** The control API's answers to invalid requests. */
class ControlError extends Error {
  readonly status: number;
  readonly code: ReplyFault | 'refused';

  constructor(status: number, message: string, code: ReplyFault | 'refused' = 'refused') {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** /sandbox/…: the routes that are not part of Twilio's API. Answers JSON, errors as `{ error, code }`. */
export function createControl(options: {
  accountSid: string;
  ledger: Ledger;
  phones: Phones;
  receipts: () => ReceiptCounts;
  callbacks: Callbacks;
  api: TwilioApi;
  faults: { get: () => Faults; set: (faults: Faults) => void };
  inboundUrl: string | null;
}) {
  const { accountSid, ledger, phones, receipts, callbacks, api, faults } = options;
  let { inboundUrl } = options;

  async function reply(json: unknown): Promise<object> {
    const { from, to, body } = parse(replyBody, json);
    const answered = phones.lastTo(from, to);
    const sender = to ?? answered?.from;
    if (sender === undefined)
      throw new ControlError(
        409,
        `No message has been sent to ${from}: enter in "to" the number that it answers.`,
        'nobody_wrote',
      );
    const url = inboundUrl ?? besideReceipts(answered);
    if (url === null)
      throw new ControlError(
        409,
        'No inbound URL is set: PUT /sandbox/inbound {"url": …}.',
        'no_inbound_url',
      );
    const sid = phones.addReply({ from, to: sender, body });
    const status = await callbacks
      .post(url, inboundForm({ accountSid, sid, from, to: sender, body }))
      .catch((error: unknown) => {
        throw new ControlError(502, `The inbound URL did not answer: ${String(error)}`, 'inbound_silent');
      });
    return { sid, from, to: sender, status };
  }

  function summary(query: URLSearchParams): object {
    const lastSid = ledger.length === 0 ? null : ledger.sidOf(ledger.length - 1);
    return {
      ...ledger.summarize(firstOf(query)),
      lastSid,
      receipts: receipts(),
      answers: api.counts(),
    };
  }

  const firstOf = (query: URLSearchParams): number => {
    const since = query.get('since');
    return since === null ? 0 : ledger.indexSince(sinceOf(since));
  };

  async function writeEntries(response: ServerResponse, query: URLSearchParams): Promise<void> {
    const first = firstOf(query);
    const end = Math.min(first + (Number(query.get('limit')) || Infinity), ledger.length);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    try {
      await pipeline(Readable.from(entryLines(first, end)), response);
    } catch (error) {
      // The client may go away at any time.
      if (!response.destroyed) throw error;
    }
  }

  function* entryLines(first: number, end: number): Generator<string> {
    for (let index = first; index < end; index += NDJSON_GROUP) {
      let lines = '';
      for (let one = index; one < Math.min(index + NDJSON_GROUP, end); one++) {
        const { at, sid, to, from, body, reference, status, errorCode } = ledger.get(one);
        lines += JSON.stringify({ at, sid, to, from, body, reference, status, errorCode }) + '\n';
      }
      yield lines;
    }
  }

  async function route(method: string, url: URL, json: () => unknown): Promise<Answer> {
    const [, , noun = '', phone] = url.pathname.split('/').map(decodeURIComponent);
    switch (`${method} ${noun}${phone === undefined ? '' : '/:phone'}`) {
      case 'GET ledger':
        return { status: 200, body: summary(url.searchParams) };
      case 'GET faults':
        return { status: 200, body: faults.get() };
      case 'PUT faults':
        faults.set(parse(faultsSchema, json()));
        return { status: 200, body: faults.get() };
      case 'PUT inbound':
        inboundUrl = parse(inboundBody, json()).url;
        return { status: 200, body: { url: inboundUrl } };
      case 'POST replies':
        return { status: 201, body: await reply(json()) };
      case 'GET phones':
        return { status: 200, body: phones.latest() };
      case 'GET phones/:phone':
        return { status: 200, body: phones.conversation(phone ?? '') };
      default:
        throw new ControlError(404, `There is no ${method} ${url.pathname}.`);
    }
  }

  return {
    /** Call for an authenticated request under /sandbox/. */
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const body = (await readBody(request)) ?? '';
      const url = new URL(request.url ?? '/', 'http://sandbox');
      try {
        if (url.pathname === '/sandbox/ledger' && url.searchParams.get('format') === 'ndjson') {
          await writeEntries(response, url.searchParams);
          return;
        }
        const answer = await route(request.method ?? '', url, () => parseJson(body));
        answerJson(response, answer.status, JSON.stringify(answer.body));
      } catch (error) {
        if (!(error instanceof ControlError)) throw error;
        answerJson(response, error.status, JSON.stringify({ error: error.message, code: error.code }));
      }
    },
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ControlError(400, 'The body is not JSON.');
  }
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (!result.success) throw new ControlError(422, z.prettifyError(result.error));
  return result.data;
}

/** An instant, or a sid: only what was accepted after it. */
function sinceOf(text: string): Date | string {
  if (/^SM[0-9a-f]{32}$/.test(text)) return text;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new ControlError(422, '"since" is an instant (ISO 8601) or a sid.');
  return at;
}

/**
 * Unless configured otherwise, replies are posted beside the receipts of the message they answer:
 * `…/7/receipts?message=1` and `…/7/inbound`. So each provider row that uses this gateway gets its own.
 */
const besideReceipts = (answered: Entry | null): string | null =>
  answered?.statusCallback ? new URL('inbound', answered.statusCallback).href : null;

/** https://www.twilio.com/docs/messaging/guides/webhook-request */
const inboundForm = (reply: { accountSid: string; sid: string; from: string; to: string; body: string }) => ({
  ToCountry: '',
  ToState: '',
  ToCity: '',
  ToZip: '',
  FromCountry: '',
  FromState: '',
  FromCity: '',
  FromZip: '',
  SmsMessageSid: reply.sid,
  SmsSid: reply.sid,
  MessageSid: reply.sid,
  AccountSid: reply.accountSid,
  SmsStatus: 'received',
  NumMedia: '0',
  NumSegments: String(countSegments(reply.body)),
  From: reply.from,
  To: reply.to,
  Body: reply.body,
  ApiVersion: '2010-04-01',
});
