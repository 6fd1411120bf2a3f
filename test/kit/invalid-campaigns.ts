import {
  createReadyCampaign,
  createRun,
  documentOf,
  sandboxProvider,
  type Catalog,
  type TestApi,
} from './api.ts';
import type { createProblemRecorder } from './problem-recorder.ts';
import { createTicketCatalog, insertReply, onReply } from './tickets.ts';

export const extraField = (name: string, more: object = {}) => ({
  name,
  type: 'text',
  required: false,
  ...more,
});

/** Requests that are rejected because of a campaign: its message, extra fields, tickets, file or provider. */
export function createCampaignRequests(
  api: TestApi,
  catalog: Catalog,
  call: ReturnType<typeof createProblemRecorder>['call'],
) {
  const { sql } = api;
  const campaign = (changes: object) => call('POST', '/api/campaigns', documentOf(catalog, changes));

  async function messagesAndFields(): Promise<void> {
    for (const template of ['', 'x'.repeat(161), 'a\u0001b', '{nomee}', 'a { b'])
      await campaign({ message: { template } });
    const undeclared = await campaign({ message: { template: 'Oi {valor}' } });
    await call('POST', `/api/campaigns/${undeclared.id}/enable`);
    await call('POST', `/api/campaigns/${undeclared.id}/preview-message`, { template: 'Oi {valor}' });
    await call('POST', `/api/campaigns/${undeclared.id}/archive`);
    await call('POST', `/api/campaigns/${undeclared.id}/dry-run`);
    await campaign({ message: { template: 'Responda CONFIRMAR ou CANCELAR' } });
    await campaign({
      mailing: {
        extraFields: [extraField('Nome!'), extraField('nome'), extraField('valor'), extraField('valor')],
      },
    });
    await call('POST', '/api/settings/extra-field-groups', {
      name: 'G',
      definition: { fields: [extraField('valor'), extraField('valor')] },
    });
  }

  async function tickets(): Promise<void> {
    const settings = await createTicketCatalog(sql);
    const group = await call('POST', '/api/settings/extra-field-groups', {
      name: 'G',
      definition: {
        fields: [
          extraField('valor', { type: 'money', required: true }),
          extraField('bairro', { required: true }),
        ],
      },
    });
    const subcategory = await call('POST', '/api/settings/subcategories', {
      name: 'S',
      definition: { categoryId: settings.categoryId, extraFieldGroupId: group.id },
    });
    const open = await campaign({
      mailing: { extraFields: [extraField('valor')] },
      ticketPolicy: onReply(settings, { subcategoryId: subcategory.id }),
    });
    await call('POST', `/api/campaigns/${open.id}/enable`);

    const { runId, messageIds } = await createRun(api, catalog);
    const inbound = await insertReply(sql, { messageId: messageIds[0] ?? 0 });
    const [ticket] = await sql<[{ id: number; version: number }]>`
      insert into tickets (cause, status, resolution_id, department_id, assignee_id, category_id, subcategory_id,
        campaign_id, run_id, message_id, inbound_message_id)
      select 'reply', 'finished', ${settings.solvedId}, ${settings.departmentId}, ${settings.assigneeId},
        ${settings.categoryId}, ${subcategory.id}, campaign_id, id, ${messageIds[0] ?? 0}, ${inbound}
      from runs where id = ${runId}
      returning id, version`;
    const change = (changes: object) =>
      call('PATCH', `/api/tickets/${ticket.id}`, { version: ticket.version, ...changes });
    await change({ status: 'waiting' });
    await change({ status: 'open', resolutionId: settings.solvedId });
    await change({ extra: { valor: 'muito', bairro: '' } });
    const other = await call('POST', '/api/settings/categories', { name: 'Outra', definition: {} });
    await change({ categoryId: other.id });
  }

  async function fileColumns(): Promise<void> {
    const ready = await createReadyCampaign(api, documentOf(catalog));
    const get = await api.as('admin')('GET', `/api/campaigns/${ready}`);
    const { definition, version } = get.json<{ definition: { mailing: object }; version: number }>();
    const saved = { ...definition, mailing: { ...definition.mailing, extraFields: [extraField('valor')] } };
    await call('PUT', `/api/campaigns/${ready}`, { ...saved, version });
    await call('POST', `/api/campaigns/${ready}/enable`);
    const file =
      'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem;valor\n1;A;11900000000;;;;;1\n';
    await call('PUT', `/api/campaigns/${ready}/mailing/file`, file, { 'content-type': 'text/csv' });
    await call('PUT', `/api/campaigns/${ready}`, { ...definition, version: version + 1 });
    await call('POST', `/api/campaigns/${ready}/enable`);
  }

  /** A fallback that is archived or leads back to its provider. */
  async function fallbacks(): Promise<void> {
    const ready = await createReadyCampaign(api, documentOf(catalog));
    const fallback = await call('POST', '/api/providers', { name: 'Reserva', ...sandboxProvider });
    const path = `/api/providers/${catalog.providerId}/fallback`;
    await call('PUT', path, { fallbackId: fallback.id });
    await call('PUT', `/api/providers/${fallback.id}/fallback`, { fallbackId: catalog.providerId });
    await sql`update providers set archived_at = now() where id = ${fallback.id}`;
    await call('POST', `/api/campaigns/${ready}/enable`);
    await campaign({ message: { template: 'Oi', providerId: fallback.id } });
    await call('PUT', path, { fallbackId: null });
    const archived = await campaign({ message: { template: 'Oi', providerId: fallback.id } });
    await call('POST', `/api/campaigns/${archived.id}/enable`);
  }

  return { messagesAndFields, tickets, fileColumns, fallbacks };
}
