import { toUSVString } from 'node:util';
import { profiles, segmentsOf } from '../../domain/segments.ts';
import { lookedUp, outcomeOf, outcomeOfCode, type Wording } from '../answers.ts';
import { missing, type Part, quoted, readingOf, secretField, unreadPart } from '../callback.ts';
import { outcomeCode, type OutcomeCode, ourCode, refused } from '../codes.ts';
import {
  duplicateName,
  infobipCode,
  infobipError,
  type InfobipStatus,
  infobipStatus,
  isDuplicate,
} from './codes.ts';
import { asPayload, at, listAt, parseJson, textAt } from '../json.ts';
import type {
  Call,
  DeliveryReceipt,
  InboundMessage,
  ListedMessage,
  Provider,
  Reading,
  SendOutcome,
} from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport } from '../transport.ts';

export interface InfobipOptions {
  /** The account's own base URL, `https://xxxxx.api.infobip.com`. */
  baseUrl: string;
  apiKey: string;
  /** The secret that Infobip sends with receipts (as `?key=` in the URL that we pass) and with replies. */
  callbackSecret: string;
  /** A number, a short code or a name, registered with the account. */
  from: string;
  statusCallbackUrl: string;
  /** Sends texts with the language tables of Portuguese where they were counted with them (domain/segments.ts). */
  portuguese: boolean;
  /** The prefix of our references (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
}

/**
 * Infobip's SMS API v3: https://www.infobip.com/docs/api/channels/sms/outbound-sms/send-sms-messages
 *
 * Our reference is Infobip's message id, and Infobip refuses a second message with the same id. So a send whose answer
 * was lost is repeated: REJECTED_DUPLICATE_MESSAGE_ID means that the first one arrived. A lookup then shows whether the
 * first one was accepted or refused, because it is not documented whether a refused message frees its id.
 */
export function createInfobip(options: InfobipOptions): Provider {
  const { from, portuguese, callbackSecret, statusCallbackUrl } = options;
  const reference = createReference(options.reference);
  const transport = createTransport({
    baseUrl: options.baseUrl,
    headers: {
      authorization: `App ${options.apiKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
    },
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
  });
  const url = `${statusCallbackUrl}?${secretField}=${encodeURIComponent(callbackSecret)}`;
  const webhooks = { delivery: { url }, contentType: 'application/json' };

  /** https://www.infobip.com/docs/api/channels/sms/logs-and-status-reports/get-outbound-sms-message-logs */
  const logsOf = (id: string) =>
    transport.send({ method: 'GET', path: `/sms/3/logs?messageId=${encodeURIComponent(id)}`, body: null });
  const outcomeOfFirst = async (id: string): Promise<SendOutcome> => {
    const exchange = await logsOf(id);
    const logs = exchange.kind === 'answered' ? listAt(parseJson(exchange.body), 'results') : [];
    const first = logs.find((log) => !isDuplicate(statusAt(log, 'status')));
    const status = statusAt(first, 'status');
    if (textAt(first, 'status.groupName') !== 'REJECTED') {
      return { kind: 'accepted', providerMessageId: id };
    }
    // The id is used: this message cannot be sent again.
    const { reason, detail } = infobipStatus(status) ?? refused('request_refused', unlisted);
    return { kind: 'refused', reason, ...codeOf(status), detail };
  };

  return {
    deduplicates: true,
    referenceSuffices: true,
    receiptsById: false,
    send: async ({ messageId, to, text, mayLeave }) => {
      const destination = { to: to.slice(1) };
      const message = {
        sender: from,
        content: contentOf(toUSVString(text), portuguese),
        ...(messageId === null
          ? { destinations: [destination] }
          : { destinations: [{ ...destination, messageId: reference.write(messageId) }], webhooks }),
      };
      const body = JSON.stringify({ messages: [message] });
      const exchange = await transport.post('/sms/3/messages', body, mayLeave);
      const outcome = outcomeOf(exchange, wording);
      const repeated = outcome.kind === 'refused' && outcome.code === duplicateName && messageId !== null;
      return repeated ? outcomeOfFirst(reference.write(messageId)) : outcome;
    },
    lookUp: async ({ messageId }) => {
      const id = reference.write(messageId);
      const read = lookedUp(await logsOf(id));
      return read.kind === 'unavailable'
        ? read
        : { kind: 'listed', messages: readLogs(read.json, id, reference) };
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    readReceipts: (call) => readEach(call, (report, part) => readReceipt(report, part, reference)),
    readInbound: (call) => readEach(call, readMessage),
    close: () => transport.close(),
  };
}

/**
 * https://www.infobip.com/docs/sms/language: without `language`, a text with ã is sent in Unicode. Infobip's own
 * transliteration is not used: we remove accents before, so that the sent text is the one that was counted and shown.
 */
function contentOf(text: string, portuguese: boolean): object {
  const shift = portuguese ? segmentsOf(text, profiles.portuguese).shift : null;
  if (shift === null) return { text };
  return {
    text,
    language: { languageCode: 'PT', singleShift: shift !== 'locking', lockingShift: shift !== 'single' },
  };
}

const wording: Wording = {
  provider: 'Infobip',
  accepted: readAcceptance,
  errorCode: (body) => textAt(body, 'errorCode') ?? textAt(body, 'requestError.serviceException.messageId'),
  meaningOf: infobipCode,
};

/** A 200 may contain a refusal, which the group of the message's status shows. */
function readAcceptance(body: unknown): SendOutcome | null {
  const id = textAt(body, 'messages.0.messageId');
  const group = textAt(body, 'messages.0.status.groupName');
  const status = statusAt(body, 'messages.0.status');
  if (id === null || group === null) return null;
  if (['ACCEPTED', 'OK', 'PENDING', 'DELIVERED'].includes(group)) {
    return { kind: 'accepted', providerMessageId: id };
  }
  return outcomeOfCode(infobipStatus(status) ?? refused('request_refused', unlisted), codeOf(status));
}

const unlisted = { code: 'refused', params: { provider: 'Infobip' } } as const;

/** The outcome by the status of a message. The HTTP status has no meaning here. */
const codeOf = (status: InfobipStatus): OutcomeCode =>
  isDuplicate(status)
    ? ourCode(duplicateName)
    : outcomeCode(status.name, infobipCode(status.name) !== undefined, 'UNLISTED_STATUS');

const statusAt = (value: unknown, path: string): InfobipStatus => ({
  name: textAt(value, `${path}.name`) ?? '',
  id: textAt(value, `${path}.id`),
});

/** The reports or messages in `results` of a callback; `part` is a callback with one of them. */
function readEach<T>(call: Call, read: (result: unknown, part: Call) => Part<T>): Reading<T> {
  const { json } = call;
  const isOne = at(json, 'results') === undefined && at(json, 'messageId') !== undefined;
  const results = Array.isArray(json) ? (json as unknown[]) : isOne ? [json] : listAt(json, 'results');
  if (results.length === 0) return readingOf([unreadPart(call, missing(call, 'results'))]);
  return readingOf(results.map((result) => read(result, { ...call, json: { results: [result] } })));
}

function readReceipt(report: unknown, part: Call, reference: Reference): Part<DeliveryReceipt> {
  const read = readReport(report, reference);
  const group = textAt(report, 'status.groupName');
  const messageId = reference.read(textAt(report, 'messageId'));
  if (read === null) {
    if (group === null && typeof at(report, 'text') === 'string')
      return unreadPart(part, { code: 'other_type', params: { type: 'text', kind: 'receipts' } });
    const field = group === null ? 'status.groupName' : 'messageId';
    return unreadPart(part, { code: 'field_missing', params: { field } }, messageId);
  }
  return group !== null && !groups.includes(group)
    ? unreadPart(part, { code: 'status_unknown', params: { status: quoted(group) } }, messageId)
    : { read };
}

/** https://www.infobip.com/docs/developer-resources/api-fundamentals/message-status-codes */
const groups = ['ACCEPTED', 'OK', 'PENDING', 'DELIVERED', 'UNDELIVERABLE', 'EXPIRED', 'REJECTED'];

/**
 * One delivery report; null if it is none. DELIVERED_TO_OPERATOR is no delivery yet. EXPIRED_DLR_UNKNOWN means that the
 * outcome will never be known.
 * https://www.infobip.com/docs/developer-resources/api-fundamentals/message-status-codes
 */
function readReport(report: unknown, reference: Reference): (DeliveryReceipt & ListedId) | null {
  const id = textAt(report, 'messageId');
  const group = textAt(report, 'status.groupName');
  const reported = statusAt(report, 'status');
  if (id === null || group === null) return null;
  const status = statusOf(group, reported);
  const error = statusAt(report, 'error');
  const isError = error.name !== '' && error.name !== 'NO_ERROR';
  const code = isError ? error.name : reported.name;
  const ended = status === 'undelivered' || status === 'failed';
  const meaning = (isError ? infobipError(error) : undefined) ?? infobipStatus(reported);
  return {
    messageId: reference.read(id),
    providerMessageId: id,
    status,
    reason: ended ? (meaning?.reason ?? 'not_delivered') : null,
    code: ended ? code : null,
    payload: asPayload(report),
  };
}

type ListedId = Pick<ListedMessage, 'providerMessageId'>;

/** The logs of one id. If they contain only a refused repetition, a first message exists. */
function readLogs(json: unknown, id: string, reference: Reference): ListedMessage[] {
  const logs = listAt(json, 'results').filter((log) => textAt(log, 'messageId') === id);
  const firsts = logs.filter((log) => !isDuplicate(statusAt(log, 'status')));
  if (firsts.length === 0) {
    const taken = { providerMessageId: id, status: 'sent', reason: null, code: null } as const;
    return logs.slice(0, 1).map((log) => ({ ...taken, payload: asPayload(log) }));
  }
  return firsts.flatMap((log) => {
    const read = readReport(log, reference);
    if (read === null) return [];
    const { providerMessageId, status, reason, code, payload } = read;
    return [{ providerMessageId, status: status ?? ('sent' as const), reason, code, payload }];
  });
}

function statusOf(group: string, reported: InfobipStatus): DeliveryReceipt['status'] {
  if (isDuplicate(reported)) return null;
  if (reported.name === 'DELIVERED_TO_OPERATOR' || reported.name === 'EXPIRED_DLR_UNKNOWN') return 'sent';
  switch (group) {
    case 'DELIVERED':
      return 'delivered';
    case 'UNDELIVERABLE':
    case 'EXPIRED':
      return 'undelivered';
    case 'REJECTED':
      return 'failed';
    default:
      return null;
  }
}

/** https://www.infobip.com/docs/api/channels/sms/inbound-sms */
function readMessage(message: unknown, part: Call): Part<InboundMessage> {
  const id = textAt(message, 'messageId');
  const from = textAt(message, 'from');
  const to = textAt(message, 'to');
  const text = at(message, 'text');
  if (text === undefined && at(message, 'status') !== undefined)
    return unreadPart(part, { code: 'other_type', params: { type: 'status', kind: 'inbound' } });
  const without = (field: string) => unreadPart(part, { code: 'field_missing', params: { field } });
  if (id === null) return without('messageId');
  if (from === null) return without('from');
  if (to === null) return without('to');
  if (typeof text !== 'string') return without('text');
  return { read: { providerMessageId: id, from: withPlus(from), to, text, payload: asPayload(message) } };
}

/** A number with its country code, which Infobip writes without the +. */
const withPlus = (number: string): string => (/^\d{10,15}$/.test(number) ? `+${number}` : number);
