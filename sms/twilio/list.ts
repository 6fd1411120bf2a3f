import { lookedUp } from '../answers.ts';
import { asPayload, at, listAt, textAt } from '../json.ts';
import type { ListEntry, ListPage } from '../provider.ts';
import type { Transport } from '../transport.ts';
import { readListed } from './look-up.ts';

/** Twilio's maximum page size. */
const pageSize = 1_000;
/** Enough for a page of texts of 1,600 characters, with three bytes each and all other fields. */
export const listPageBytes = 8 * 1024 * 1024;

/**
 * Twilio's list of all messages since a time, in both directions:
 * https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
 */
export async function* listTwilioSince(
  transport: Transport,
  { path, sender }: { path: string; sender: string },
  since: Date,
): AsyncGenerator<ListPage> {
  const query = new URLSearchParams({
    // Twilio's times are whole seconds.
    'DateSent>': `${since.toISOString().slice(0, 19)}Z`,
    PageSize: String(pageSize),
  });
  let next: string | null = `${path}?${query.toString()}`;
  while (next !== null) {
    const read = lookedUp(await transport.send({ method: 'GET', path: next, body: null }));
    if (read.kind === 'unavailable') {
      yield read;
      return;
    }
    yield { kind: 'listed', entries: listAt(read.json, 'messages').flatMap((one) => readEntry(one, sender)) };
    next = textAt(read.json, 'next_page_uri');
    // Follow only addresses of the list itself, and no other address in the answer.
    if (next !== null && !next.startsWith(`${path}?`)) {
      yield { kind: 'unavailable', code: 'LIST_ELSEWHERE', retryAfterMs: null };
      return;
    }
  }
}

function readEntry(listed: unknown, sender: string): ListEntry[] {
  const [sid, from] = [textAt(listed, 'sid'), textAt(listed, 'from')];
  const [to, text] = [textAt(listed, 'to'), textAt(listed, 'body')];
  if (sid === null || to === null || text === null) return [];
  if (textAt(listed, 'direction') === 'inbound') {
    const sent = new Date(textAt(listed, 'date_sent') ?? textAt(listed, 'date_created') ?? NaN);
    if (from === null || Number.isNaN(sent.getTime())) return [];
    const message = { providerMessageId: sid, from, to, text, payload: asPayload(listed) };
    return [{ kind: 'inbound', at: sent, message }];
  }
  if (![from, at(listed, 'messaging_service_sid')].includes(sender)) return [];
  return readListed(listed).map((message) => ({ kind: 'sent', to, text, message }));
}
