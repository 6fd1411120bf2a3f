import { textAt } from './json.ts';

/** Where providers report the status of a message, and its reason: Twilio, Zenvia, Infobip. */
const places = [
  'MessageStatus',
  'SmsStatus',
  'messageStatus.code',
  'status.name',
  'ErrorCode',
  'messageStatus.causes.0.channelErrorCode',
  'error.name',
] as const;

/** The status in a receipt, in the provider's words: `undelivered, 30003`. Null if it contains none. */
export function providerStatusText(payload: unknown): string | null {
  const texts = places.flatMap((place) => textAt(payload, place) ?? []);
  return texts.length === 0 ? null : [...new Set(texts)].join(', ');
}
