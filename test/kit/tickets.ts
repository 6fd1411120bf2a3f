import { randomBytes } from 'node:crypto';
import type { Database } from '../../db/core/client.ts';
import { insertSetting } from '../../db/settings/settings.ts';
import { openReplyTicket } from '../../db/tickets/opening.ts';

/** Ids of the settings that tickets are opened with. */
export interface TicketCatalog {
  departmentId: number;
  assigneeId: number;
  categoryId: number;
  subcategoryId: number;
  solvedId: number;
  unsolvedId: number;
}

export async function createTicketCatalog(sql: Database): Promise<TicketCatalog> {
  const unique = randomBytes(4).toString('hex');
  const make = async (kind: 'departments' | 'assignees' | 'categories' | 'resolutions', name: string) =>
    (await insertSetting(sql, kind, { name: `${name} ${unique}`, definition: {} })).id;
  const categoryId = await make('categories', 'Cobrança');
  const subcategory = await insertSetting(sql, 'subcategories', {
    name: `Segunda via ${unique}`,
    definition: { categoryId, extraFieldGroupId: null, firstAnswerMinutes: null },
  });
  return {
    departmentId: await make('departments', 'Financeiro'),
    assigneeId: await make('assignees', 'Ana'),
    categoryId,
    subcategoryId: subcategory.id,
    solvedId: await make('resolutions', 'Resolvido'),
    unsolvedId: await make('resolutions', 'Sem contato'),
  };
}

export const onReply = (
  { departmentId, assigneeId, categoryId, subcategoryId }: TicketCatalog,
  changes: object = {},
) => ({ when: 'on_reply', departmentId, assigneeId, categoryId, subcategoryId, ...changes });

export const onSend = (
  { departmentId, assigneeId, categoryId, subcategoryId, solvedId, unsolvedId }: TicketCatalog,
  changes: object = {},
) => ({
  when: 'on_send',
  departmentId,
  assigneeId,
  categoryId,
  subcategoryId,
  resolutionOnSuccessId: solvedId,
  resolutionOnFailureId: unsolvedId,
  ...changes,
});

let replyNumber = 0;

/** Inserts a reply that is matched to a message. */
export async function insertReply(
  sql: Database,
  { messageId, text = 'Quero saber mais.' }: { messageId: number; text?: string },
): Promise<number> {
  const [reply] = await sql<[{ id: number }]>`
    insert into inbound_messages (provider_id, provider_message_id, phone, recipient, text, message_id, run_id, campaign_id)
    select r.provider_id, ${`SM-reply-${++replyNumber}`}, m.phone, '+5511999990000', ${text}, m.id, r.id, r.campaign_id
    from messages as m join runs as r on r.id = m.run_id where m.id = ${messageId}
    returning id`;
  return reply.id;
}

/** Inserts a reply to a message and opens its ticket, as the reply workflow does. */
export async function openTicket(sql: Database, messageId: number, text?: string): Promise<number> {
  const inboundMessageId = await insertReply(sql, text === undefined ? { messageId } : { messageId, text });
  const opened = await sql.begin((tx) => openReplyTicket(tx, { inboundMessageId }));
  if (!opened) throw new Error('The reply did not open a ticket.');
  return opened.ticketId;
}
