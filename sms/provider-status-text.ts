import { textAt } from './json.ts';

/** Where the receipts of Twilio, Zenvia and Infobip contain the status of a message and its reason. */
const places = [
  'MessageStatus',
  'SmsStatus',
  'messageStatus.code',
  'status.name',
  'ErrorCode',
  'messageStatus.causes.0.channelErrorCode',
  'error.name',
] as const;

/** The status in a receipt, in the provider's words, such as `undelivered, 30003`; null if there is none. */
export function providerStatusText(payload: unknown): string | null {
  const texts = places.flatMap((place) => textAt(payload, place) ?? []);
  return texts.length === 0 ? null : [...new Set(texts)].join(', ');
}
