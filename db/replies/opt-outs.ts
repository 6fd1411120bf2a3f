import type { Sql } from '../core/client.ts';

/** A phone that a user may opt out while reading what its owner wrote. */
export interface WrittenPhone {
  /** E.164, or what else sent the reply; empty or null once the customer was erased. */
  phone: string | null;
  /** From a virtual phone. */
  sandbox: boolean;
  /** The reply that the user has read; of a ticket, the last one. */
  inboundMessageId: number | null;
}

export async function phoneOfReply(sql: Sql, id: number): Promise<WrittenPhone | null> {
  const [row] = await sql<WrittenPhone[]>`
    select i.phone, p.sandbox, i.id as inbound_message_id
    from inbound_messages as i join providers as p on p.id = i.provider_id where i.id = ${id}`;
  return row ?? null;
}

export async function phoneOfTicket(sql: Sql, id: number): Promise<WrittenPhone | null> {
  const [row] = await sql<WrittenPhone[]>`
    select t.phone, p.sandbox, (
      select e.inbound_message_id from ticket_events as e
      where e.ticket_id = t.id and e.inbound_message_id is not null order by e.id desc limit 1
    ) as inbound_message_id
    from tickets as t join runs on runs.id = t.run_id join providers as p on p.id = runs.provider_id
    where t.id = ${id}`;
  return row ?? null;
}
