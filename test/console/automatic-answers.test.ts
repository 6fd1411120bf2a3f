import { describe, expect, test } from 'vitest';
import { insertAnswer } from '../../db/tickets/answers.ts';
import { createCatalog, createRun } from '../kit/api.ts';
import { createConsole, languages, textOf } from '../kit/console.ts';
import { insertReply } from '../kit/tickets.ts';

const ui = await createConsole();
const { sql } = ui;
const agent = await ui.signIn('agent');
const viewer = await ui.signIn('viewer');
const catalog = await createCatalog(ui);

/** An automatic text without a ticket in status `unknown`. */
async function unknownText(): Promise<number> {
  const { messageIds } = await createRun(ui, catalog, { phones: ['+5511900000001'] });
  const inboundMessageId = await insertReply(sql, { messageId: messageIds[0] ?? 0, text: 'AJUDA' });
  const { answer } = await insertAnswer(sql, {
    ...{ kind: 'help', ticketId: null, inboundMessageId, requestKey: null, actor: 'system', actorName: '' },
    ...{ providerId: catalog.providerId, phone: '+5511900000001', text: 'Ligue 0800', segments: 1 },
  });
  await sql`update answers set status = 'unknown', reason = 'sender_died', ended_at = now() where id = ${answer.id}`;
  return answer.id;
}

describe.each(languages)('in %s', (locale) => {
  const label = {
    'pt-BR': 'Texto automático incerto: resolver',
    en: 'Unknown automatic text: resolve',
  }[locale];

  test.each(['yes', 'no'] as const)(
    'an unknown automatic text is resolved on the replies page: sent = %s',
    async (sent) => {
      const id = await unknownText();
      const cookie = `${agent.cookie}; torpedo-language=${locale}`;
      const page = await agent.get('/replies', { cookie });
      expect(textOf(page)).toContain(label);
      expect(page.body).toContain(`action="/answers/${id}/resolve"`);
      expect((await viewer.get('/replies')).body).not.toContain(`/answers/${id}`);
      const resolved = await agent.post(`/answers/${id}/resolve`, { sent, back: '/replies' });
      expect(resolved.headers.location).toBe('/replies');
      const [row] = await sql`select status from answers where id = ${id}`;
      expect(row).toEqual({ status: sent === 'yes' ? 'sent' : 'failed' });
      expect((await agent.get('/replies')).body).not.toContain(`/answers/${id}`);
    },
  );
});
