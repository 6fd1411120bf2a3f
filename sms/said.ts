import { textAt } from './json.ts';

/** Where providers say what has become of a message, and why: Twilio, Zenvia, Infobip. */
const places = [
  'MessageStatus',
  'SmsStatus',
  'messageStatus.code',
  'status.name',
  'ErrorCode',
  'messageStatus.causes.0.channelErrorCode',
  'error.name',
] as const;

/** What a receipt says in the provider's own words: `undelivered, 30003`. Null where it has no such place. */
export function saidIn(payload: unknown): string | null {
  const said = places.flatMap((place) => textAt(payload, place) ?? []);
  return said.length === 0 ? null : [...new Set(said)].join(', ');
}
