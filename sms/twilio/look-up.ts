import { toUSVString } from 'node:util';
import { lookedUp } from '../answers.ts';
import { asPayload, at, listAt, textAt } from '../json.ts';
import type { ListedMessage, LookUpAnswer, LookUpRequest } from '../provider.ts';
import type { Transport } from '../transport.ts';
import { readTwilioStatus } from './callbacks.ts';

/** Twilio's dates are whole seconds, and its clock differs from ours. */
const slackMs = 60_000;
/** So few that texts of 1,600 characters fit into the maximum answer of the transport. */
const pageSize = 20;
/** The messages to one number within minutes fit on one page. */
const maxPages = 10;

/**
 * Looks up a message in Twilio's list:
 * https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
 *
 * The list contains neither our reference nor the URL of the status callback. A candidate has the same number, sender
 * and text, and was created in the period in which our message was passed to Twilio.
 */
export async function lookUpTwilio(
  transport: Transport,
  { path, sender }: { path: string; sender: string },
  { to, text, from, until }: LookUpRequest,
): Promise<LookUpAnswer> {
  const earliest = from.getTime() - slackMs;
  const latest = until.getTime() + slackMs;
  const body = toUSVString(text);
  const isOurs = (listed: unknown): boolean => {
    const created = Date.parse(textAt(listed, 'date_created') ?? '');
    return (
      at(listed, 'to') === to &&
      at(listed, 'body') === body &&
      [at(listed, 'from'), at(listed, 'messaging_service_sid')].includes(sender) &&
      String(at(listed, 'direction')).startsWith('outbound') &&
      created >= earliest &&
      created <= latest
    );
  };

  const query = new URLSearchParams({
    To: to,
    // Nothing is sent before it is created. Twilio accepts a date, or an instant without fractions of seconds.
    'DateSent>': `${new Date(earliest).toISOString().slice(0, 19)}Z`,
    PageSize: String(pageSize),
  });
  const messages: ListedMessage[] = [];
  let next: string | null = `${path}?${query.toString()}`;
  for (let page = 0; next !== null; page++) {
    // Follow only addresses of the list itself, and no other address in the answer.
    if (page === maxPages || !next.startsWith(`${path}?`)) {
      // There are too many messages to this number to identify ours.
      return { kind: 'unavailable', code: 'LIST_TOO_LONG', retryAfterMs: null };
    }
    const read = lookedUp(await transport.send({ method: 'GET', path: next, body: null }));
    if (read.kind === 'unavailable') return read;
    messages.push(...listAt(read.json, 'messages').filter(isOurs).flatMap(readListed));
    next = textAt(read.json, 'next_page_uri');
  }
  return { kind: 'listed', messages };
}

/** A message in the list, which was at least accepted. Empty if it cannot be read. */
export function readListed(listed: unknown): ListedMessage[] {
  const providerMessageId = textAt(listed, 'sid');
  if (providerMessageId === null) return [];
  const { status, ...about } = readTwilioStatus(
    textAt(listed, 'status') ?? '',
    textAt(listed, 'error_code') ?? '',
  );
  return [{ providerMessageId, status: status ?? 'sent', ...about, payload: asPayload(listed) }];
}
