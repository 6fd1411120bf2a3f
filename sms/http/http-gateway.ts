import { ourCode } from '../codes.ts';
import { toUSVString } from 'node:util';
import type { buildConnector } from 'undici';
import { gatewayPlaceholders, type HttpGatewayConfig } from '../../domain/http-gateway.ts';
import { profiles, segmentsOf } from '../../domain/segments.ts';
import { readingOf, secretField } from '../callback.ts';
import type {
  AnsweringMessage,
  Call,
  DeliveryReceipt,
  InboundMessage,
  Provider,
  Reading,
  SendRequest,
} from '../provider.ts';
import { createReference } from '../reference.ts';
import { knowsSecret } from '../secret.ts';
import { createTransport } from '../transport.ts';
import { encodeHex } from './hex.ts';
import { encodeLatin1, toLatin1 } from './latin1.ts';
import { createTable } from './table.ts';
import { type AccessTokens, createAuthorizedSend, MissingSecret } from './authentication.ts';
import { type Fill, type Values, plain, compileTemplate, compileBody } from './request-template.ts';
import { answerOutcome } from './answer.ts';
import {
  notDescribed,
  isFromPhone,
  orOtherType,
  itemsOf,
  isLong,
  type ReferenceReader,
  createReceiptReader,
  readInbound,
} from './callbacks.ts';

const gateway = { provider: 'gateway' } as const;

export interface HttpGatewayOptions extends HttpGatewayConfig {
  /** {secret.name}. */
  values: Readonly<Record<string, string>>;
  callbackSecret: string;
  statusCallbackUrl: string;
  /** The prefix of our references (sms/reference.ts). */
  reference: string;
  sendTimeoutMs: number;
  connections: number;
  /** Opens connections, but none into the deployment's own network, because the address comes from a user. */
  connect: buildConnector.connector;
  tokens: AccessTokens;
}

/** A gateway that an admin has described (domain/http-gateway.ts, docs/providers.md). */
export function createHttpGateway(options: HttpGatewayOptions): Provider {
  const { request, answer, receipts, inbound, from, codings, values: secrets, callbackSecret } = options;
  const reference = createReference(options.reference);
  const compile = (template: string): Fill => compileTemplate(template, secrets);

  const [origin = ''] = /^https?:\/\/[^/?#]+/.exec(request.url) ?? [];
  const path = compile(request.url.slice(origin.length));
  const headers = Object.entries(request.headers).map(
    ([name, template]) => [name, compile(template)] as const,
  );
  const encode = request.charset === 'utf-8' ? encodeURIComponent : encodeLatin1;
  const body = compileBody(request, compile, encode);
  const transport = createTransport({
    baseUrl: origin,
    headers: body.type === null ? {} : { 'content-type': body.type },
    ownUserAgent: headers.some(([name]) => name.toLowerCase() === 'user-agent'),
    timeoutMs: options.sendTimeoutMs,
    connections: options.connections,
    connect: options.connect,
  });
  const exchangeWith = createAuthorizedSend(transport, { ...options, ...request });
  const codes = createTable(answer.codes);
  const reader: ReferenceReader = {
    reference,
    // Otherwise an id of the gateway could be mistaken for one of ours.
    isNumberSent: gatewayPlaceholders(options).some((name) => name === 'messageId' || name === 'receiptUrl'),
    isIdKnown: answer.messageId !== null,
  };
  const readReceipt = receipts === null ? null : createReceiptReader(receipts, reader);
  const credentials = new Set([callbackSecret, ...Object.values(secrets).filter(isLong)]);
  const receiptsIn = (call: Call): Reading<DeliveryReceipt> =>
    receipts === null || readReceipt === null
      ? notDescribed(call, 'receipts')
      : readingOf(itemsOf(call, receipts, credentials).map(readReceipt));
  const repliesIn = (call: Call): Reading<InboundMessage | AnsweringMessage> =>
    inbound === null
      ? notDescribed(call, 'inbound')
      : readingOf(
          itemsOf(call, inbound, credentials).map((item) => readInbound(item, inbound, from, reader)),
        );

  const valuesOf = ({ messageId, text }: SendRequest, to: string): Values => {
    const { encoding } = segmentsOf(text, profiles.gsm);
    return {
      to,
      text,
      get hex() {
        return encodeHex(text, encoding);
      },
      from,
      // SMPP's data coding, as gateways support it: GSM-7 or UCS-2.
      coding: encoding === 'GSM-7' ? codings.gsm : codings.unicode,
      // A test send has no message id and expects no receipt.
      messageId: String(messageId ?? 0),
      reference: reference.write(messageId ?? 0),
      receiptUrl:
        messageId === null
          ? ''
          : `${options.statusCallbackUrl}?${secretField}=${callbackSecret}&message=${messageId}`,
    };
  };

  return {
    deduplicates: options.deduplicates,
    callbackAnswer: options.callbackAnswer,
    send: async (message) => {
      const to = numberAs(options.numbers, message.to);
      if (to === null) {
        const detail = { code: 'number_abroad', params: gateway } as const;
        return { kind: 'refused', reason: 'number_invalid', ...ourCode('NUMBER_ABROAD'), detail };
      }
      const wellFormed = toUSVString(message.text);
      const text = request.charset === 'utf-8' ? wellFormed : toLatin1(wellFormed);
      if (text === null) {
        const detail = { code: 'not_in_charset', params: gateway } as const;
        return { kind: 'refused', reason: 'content_refused', ...ourCode('NOT_IN_CHARSET'), detail };
      }
      const values = valuesOf({ ...message, text }, to);
      try {
        const exchange = await exchangeWith({
          method: request.method,
          // A template may end with the host.
          path: path(values, encode).replace(/^(?!\/)/, '/'),
          headers: headers.flatMap(([name, fill]) => [name, fill(values, plain)]),
          body: body.fill(values),
          mayLeave: message.mayLeave,
        });
        return 'exchange' in exchange
          ? answerOutcome(exchange.exchange, { ...answer, codes }, values.reference)
          : exchange.outcome;
      } catch (error) {
        if (!(error instanceof MissingSecret)) throw error;
        return {
          kind: 'account',
          ...ourCode('SECRET_MISSING'),
          detail: { code: 'secret_missing', params: { name: error.message } },
        };
      }
    },
    verify: (callback) => knowsSecret(callback, callbackSecret),
    referenceSuffices: true,
    receiptsById:
      reader.isIdKnown && (receipts?.providerMessageId ?? inbound?.providerMessageId ?? null) !== null,
    readReceipts: (call) =>
      orOtherType(receiptsIn(call), 'receipts', () => {
        const replies = repliesIn(call);
        return replies.read.every((reply) => isFromPhone(reply, from)) ? replies : null;
      }),
    readInbound: (call) => orOtherType(repliesIn(call), 'inbound', () => receiptsIn(call)),
    close: () => transport.close(),
  };
}

/** A number in the format of the gateway; null if the format cannot represent it. */
function numberAs(numbers: HttpGatewayConfig['numbers'], e164: string): string | null {
  switch (numbers) {
    case 'plus':
      return e164;
    case 'digits':
      return e164.slice(1);
    case 'national':
      return e164.startsWith('+55') ? e164.slice(3) : null;
  }
}
