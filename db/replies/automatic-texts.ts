import { maxAnswerSegments } from '../../domain/answer.ts';
import { type AutomaticTexts, automaticTextHours, automaticTexts } from '../../domain/automatic-texts.ts';
import { compose, parseTemplate } from '../../domain/template.ts';
import type { Sql } from '../core/client.ts';
import { json } from '../core/json.ts';
import type { PhoneHash } from '../core/phone-hash.ts';
import { sendBlockOf } from '../customers/opt-outs.ts';
import { profileOf } from '../providers/providers.ts';
import { insertAnswer } from '../tickets/answers.ts';

/** The admins' settings; all are off without them. */
export async function getAutomaticTexts(sql: Sql): Promise<AutomaticTexts> {
  const [row] = await sql<{ optOut: string; help: string }[]>`select opt_out, help from automatic_texts`;
  const keywords = await sql`
    select words, text, department_id, subcategory_id from automatic_keywords order by position`;
  return automaticTexts.parse({ ...row, keywords });
}

/** The same; other writers wait until the transaction ends, even before the row exists. */
export async function lockAutomaticTexts(tx: Sql): Promise<AutomaticTexts> {
  await tx`lock table automatic_texts in share row exclusive mode`;
  return getAutomaticTexts(tx);
}

/** Call `lockAutomaticTexts` first. */
export async function saveAutomaticTexts(tx: Sql, { optOut, help, keywords }: AutomaticTexts): Promise<void> {
  await tx`
    insert into automatic_texts (opt_out, help) values (${optOut}, ${help})
    on conflict (only_row) do update set opt_out = excluded.opt_out, help = excluded.help`;
  await tx`delete from automatic_keywords`;
  if (keywords.length > 0)
    await tx`insert into automatic_keywords ${tx(keywords.map((one, position) => ({ position, ...one, words: json(tx, one.words) })))}`;
}

/** What answers a reply by itself. */
export interface AutomaticText {
  kind: 'opt_out' | 'help' | 'keyword';
  /** The word, as it is compared; null for the other kinds. */
  keyword: string | null;
  text: string;
}

/**
 * Stores the automatic text that answers a reply, to be sent to the phone that wrote, by the provider that it wrote to.
 * None for a phone that has opted out or is held, except that the confirmation of an opt-out goes to the phone that this
 * reply has opted out. None for a reply without a phone number, for an old one, or if the phone has had the same text
 * within a day: the sender may be a machine that answers as well.
 *
 * Idempotent: a reply has one. Call it in the transaction that handles the reply.
 */
export async function insertAutomaticText(
  tx: Sql,
  hash: PhoneHash,
  inboundMessageId: number,
  { kind, keyword, text }: AutomaticText,
): Promise<void> {
  // After messages, as everywhere. Simultaneous replies of a phone get one text.
  await tx`
    select pg_advisory_xact_lock(hashtextextended('torpedo.replies ' || phone, 0))
    from inbound_messages where id = ${inboundMessageId}`;
  const [reply] = await tx<
    {
      phone: string;
      providerId: number;
      ticketId: number | null;
      name: string;
      code: string;
      optsOut: boolean;
    }[]
  >`
    select i.phone, i.provider_id, coalesce(m.name, c.name, '') as name, coalesce(m.code, c.code, '') as code,
      (select ticket_id from ticket_events where inbound_message_id = i.id) as ticket_id,
      exists (select from opt_out_events where inbound_message_id = i.id and kind = 'opt_out') as opts_out
    from inbound_messages as i join providers as p on p.id = i.provider_id
      left join messages as m on m.id = i.message_id left join customers as c on c.id = i.customer_id
    where i.id = ${inboundMessageId} and i.phone like '+%'
      and i.received_at > now() - make_interval(hours => ${automaticTextHours})
      and not exists (
        select from answers as a join providers as by on by.id = a.provider_id
        where a.phone = i.phone and a.kind = ${kind} and a.keyword is not distinct from ${keyword}
          and a.created_at > now() - make_interval(hours => ${automaticTextHours})
          and a.status <> 'failed' and by.sandbox = p.sandbox)`;
  if (!reply) return;
  const { phone, providerId, ticketId, name, code, optsOut } = reply;
  const block = await sendBlockOf(tx, hash, phone, providerId);
  if (kind === 'opt_out' ? !optsOut || block !== 'opted_out' : block !== null) return;
  // Their person was erased, and wants nothing.
  if ((await tx`select from opt_outs where phone_hash = ${hash(phone)} and state = 'opted_out'`).count > 0)
    return;
  const composed = await composeText(tx, { providerId, text, name, code });
  if (composed === null) return;
  await insertAnswer(tx, {
    ...{ kind, keyword, ticketId, inboundMessageId, requestKey: null, providerId, phone },
    ...{ actor: 'system', actorName: '', ...composed },
  });
}

/** A missing value is left out, and all are if the text would be too long with them. */
async function composeText(
  tx: Sql,
  { providerId, text, name, code }: { providerId: number; text: string; name: string; code: string },
): Promise<{ text: string; segments: number } | null> {
  const parsed = parseTemplate(text, []);
  if (!parsed.ok) return null;
  const profile = await profileOf(tx, providerId);
  const options = { removeAccents: true, maxSegments: maxAnswerSegments, profile, extraFieldNames: [] };
  for (const values of [
    { name, code },
    { name: '', code: '' },
  ]) {
    const composed = compose(parsed.template, { ...values, extra: {}, customMessage: '' }, options);
    if (!('skip' in composed)) return { text: composed.text, segments: composed.segments };
  }
  return null;
}

/** The automatic text of a reply, which now belongs to its ticket if there is one; null: none. */
export async function automaticTextOf(
  tx: Sql,
  { inboundMessageId, ticketId }: { inboundMessageId: number; ticketId: number | null },
): Promise<number | null> {
  const [known] = await tx<{ id: number; ticketId: number | null }[]>`
    select id, ticket_id from answers where inbound_message_id = ${inboundMessageId} order by id limit 1`;
  if (known && known.ticketId === null && ticketId !== null)
    await tx`update answers set ticket_id = ${ticketId} where id = ${known.id}`;
  return known?.id ?? null;
}
