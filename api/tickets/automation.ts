import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { Database } from '../../db/core/client.ts';
import { getSetting } from '../../db/settings/settings.ts';
import {
  getTicketAutomation,
  lockTicketAutomation,
  saveTicketAutomation,
} from '../../db/tickets/automation.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ticketAutomation } from '../../domain/ticket-automation.ts';
import { audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

/** The moves of tickets that no user makes. */
export const ticketAutomationSettings: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['tickets'];

  app.get(
    '',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'The automatic moves of tickets', response: { 200: ticketAutomation } },
    },
    async (_request, reply) => {
      const automation = await getTicketAutomation(sql);
      nameVersion(reply, automation);
      return automation;
    },
  );

  app.put(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the automatic moves of tickets',
        description:
          'Counts from now on. Tickets that have waited for `finishAfterDays` days without any change are finished within the hour; a ticket whose customer waits for an answer is not.',
        headers: versionHeaders,
        body: ticketAutomation,
        response: { 200: ticketAutomation },
      },
    },
    async (request) => {
      const { body } = request;
      await sql.begin(async (tx) => {
        const before = await lockTicketAutomation(tx);
        requireVersion(request, before);
        const { finishResolutionId: id } = body;
        const resolution = id === null ? null : await getSetting(tx, 'resolutions', id);
        const problems = [
          ...(id !== null && !resolution ? [problem('finishResolutionId', 'unknown')] : []),
          ...(resolution?.archivedAt && id !== before.finishResolutionId
            ? [problem('finishResolutionId', 'archived')]
            : []),
        ];
        if (problems.length > 0) throw new ApiError('invalid_fields', { problems });
        await saveTicketAutomation(tx, body);
        await audit(tx, request, 'ticket_automation.update', { kind: 'ticket_automation', id: null }, body);
      });
      return body;
    },
  );
};
