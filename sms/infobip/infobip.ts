import { toUSVString } from 'node:util';
import { lookedUp, outcomeOf, outcomeOfCode, type Wording } from '../answers.ts';
import { parseJson, secretField } from '../callback.ts';
import { outcomeCode, type OutcomeCode, refused } from '../codes.ts';
import { infobipCodes } from './codes.ts';
import { asPayload, at, listAt, textAt } from '../json.ts';
import type {
  Callback,
  DeliveryReceipt,
  InboundMessage,
  ListedMessage,
  Provider,
  SendOutcome,
} from '../provider.ts';
import { createReference, type Reference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport } from '../transport.ts';

export interface InfobipOptions {
  /** The account's own address, `https://xxxxx.api.infobip.com`. */
  baseUrl: string;
  apiKey: string;
  /** What Infobip sends along with receipts (`?key=`, in the URL we give it) and with replies. */
  callbackSecret: string;
  /** A number, a short code or a name, registered with the account. */
  from: string;
  statusCallbackUrl: string;
  /** What our references begin with (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
}

/**
 * Infobip's SMS API v3: https://www.infobip.com/docs/api/channels/sms/outbound-sms/send-sms-messages
 *
 * Our reference is Infobip's message id, and Infobip refuses a second message with the same id: a send whose answer was
 * lost is repeated, and REJECTED_DUPLICATE_MESSAGE_ID then says that there was a first one. Whether that one was taken or
 * refused is looked up: nothing says that a refused message leaves its id free.
 */
export function createInfobip(options: InfobipOptions): Provider {
  const { from, callbackSecret, statusCallbackUrl } = options;
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
    const log = exchange.kind === 'answered' ? parseJson(exchange.body) : null;
    const name = textAt(log, 'results.0.status.name') ?? '';
    if (textAt(log, 'results.0.status.groupName') !== 'REJECTED' || name === duplicate) {
      return { kind: 'accepted', providerMessageId: id };
    }
    // Its id is used up: what would pass for a new message ends this one.
    const { reason, detail } = infobipCodes.get(name) ?? refused('request_refused', 'Infobip refused it.');
    return { kind: 'refused', reason, ...codeOf(name), detail };
  };

  return {
    deduplicates: true,
    send: async ({ messageId, to, text, mayLeave }) => {
      const destination = { to: to.slice(1) };
      const message = {
        sender: from,
        content: { text: toUSVString(text) },
        ...(messageId === null
          ? { destinations: [destination] }
          : { destinations: [{ ...destination, messageId: reference.write(messageId) }], webhooks }),
      };
      const body = JSON.stringify({ messages: [message] });
      const exchange = await transport.post('/sms/3/messages', body, mayLeave);
      const outcome = outcomeOf(exchange, wording);
      const repeated = outcome.kind === 'refused' && outcome.code === duplicate && messageId !== null;
      return repeated ? outcomeOfFirst(reference.write(messageId)) : outcome;
    },
    lookUp: async ({ messageId }) => {
      const id = reference.write(messageId);
      const read = lookedUp(await logsOf(id), 'Infobip');
      return read.kind === 'unavailable'
        ? read
        : { kind: 'listed', messages: readLogs(read.json, id, reference) };
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    readReceipts: ({ json }) => listAt(json, 'results').flatMap((report) => readReport(report, reference)),
    readInbound,
    close: () => transport.close(),
  };
}

/** The status of a second message with the same id. */
const duplicate = 'REJECTED_DUPLICATE_MESSAGE_ID';

const wording: Wording = {
  provider: 'Infobip',
  accepted: readAcceptance,
  errorCode: (body) => textAt(body, 'errorCode') ?? textAt(body, 'requestError.serviceException.messageId'),
  meaningOf: (code) => infobipCodes.get(code),
};

/** A 200 may hold a refusal: what counts is the group of the message's status. */
function readAcceptance(body: unknown): SendOutcome | null {
  const id = textAt(body, 'messages.0.messageId');
  const group = textAt(body, 'messages.0.status.groupName');
  const name = textAt(body, 'messages.0.status.name') ?? '';
  if (id === null || group === null) return null;
  if (['ACCEPTED', 'OK', 'PENDING', 'DELIVERED'].includes(group)) {
    return { kind: 'accepted', providerMessageId: id };
  }
  const meaning =
    infobipCodes.get(name) ??
    refused('request_refused', 'Infobip refuses the message for a reason of its own.');
  return outcomeOfCode(meaning, codeOf(name));
}

/** Of a status of a message, which comes with an HTTP status that says nothing. */
const codeOf = (name: string): OutcomeCode =>
  outcomeCode(name, infobipCodes.has(name) || name === duplicate, 'UNLISTED_STATUS');

/**
 * One delivery report. DELIVERED_TO_OPERATOR is no delivery yet, and after EXPIRED_DLR_UNKNOWN nobody will ever know.
 * https://www.infobip.com/docs/developer-resources/api-fundamentals/message-status-codes
 */
function readReport(report: unknown, reference: Reference): DeliveryReceipt[] {
  const id = textAt(report, 'messageId');
  const group = textAt(report, 'status.groupName');
  const name = textAt(report, 'status.name') ?? '';
  if (id === null || group === null) return [];
  const status = statusOf(group, name);
  const error = textAt(report, 'error.name');
  const code = error === null || error === 'NO_ERROR' ? name : error;
  const ended = status === 'undelivered' || status === 'failed';
  const meaning = infobipCodes.get(code) ?? infobipCodes.get(name);
  return [
    {
      messageId: reference.read(id),
      providerMessageId: id,
      status,
      reason: ended ? (meaning?.reason ?? 'not_delivered') : null,
      code: ended ? code : null,
      payload: asPayload(report),
    },
  ];
}

/** What the logs say of one id. Where they know only of a repetition that was refused, there was a first one. */
function readLogs(json: unknown, id: string, reference: Reference): ListedMessage[] {
  const logs = listAt(json, 'results').filter((log) => textAt(log, 'messageId') === id);
  const firsts = logs.filter((log) => textAt(log, 'status.name') !== duplicate);
  if (firsts.length === 0) {
    const taken = { providerMessageId: id, status: 'sent', reason: null, code: null } as const;
    return logs.slice(0, 1).map((log) => ({ ...taken, payload: asPayload(log) }));
  }
  return firsts.flatMap((log) =>
    readReport(log, reference).map(({ providerMessageId, status, reason, code, payload }) => ({
      providerMessageId,
      status: status ?? 'sent',
      reason,
      code,
      payload,
    })),
  );
}

function statusOf(group: string, name: string): DeliveryReceipt['status'] {
  if (name === 'DELIVERED_TO_OPERATOR' || name === 'EXPIRED_DLR_UNKNOWN') return 'sent';
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

/** https://www.infobip.com/docs/api/channels/sms/inbound-sms: several messages in `results`. */
function readInbound({ json }: Callback): InboundMessage[] {
  return listAt(json, 'results').flatMap((report) => {
    const id = textAt(report, 'messageId');
    const from = textAt(report, 'from');
    const to = textAt(report, 'to');
    const text = at(report, 'text');
    if (id === null || from === null || to === null || typeof text !== 'string') return [];
    return [{ providerMessageId: id, from: withPlus(from), to, text, payload: asPayload(report) }];
  });
}

/** A number with its country code, which Infobip writes without the plus. */
const withPlus = (number: string): string => (/^\d{10,15}$/.test(number) ? `+${number}` : number);
