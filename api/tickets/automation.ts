import type { FastifyPluginAsync } from 'fastify';
import type { Database, Sql } from '../../db/core/client.ts';
import { getSetting } from '../../db/settings/settings.ts';
import {
  getTicketAutomation,
  lockTicketAutomation,
  saveTicketAutomation,
} from '../../db/tickets/automation.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { type TicketAutomation, ticketAutomation } from '../../domain/ticket-automation.ts';
import { addSettingsDocument } from '../http/document.ts';

/** The moves of tickets that no user makes. */
export const ticketAutomationSettings: FastifyPluginAsync<{ sql: Database }> = async (app, { sql }) => {
  addSettingsDocument(
    app,
    { sql, url: '' },
    {
      schema: ticketAutomation,
      subject: 'ticket_automation',
      access: 'viewer',
      get: getTicketAutomation,
      lock: lockTicketAutomation,
      save: saveTicketAutomation,
      problemsOf: resolutionProblems,
      tags: ['tickets'],
      read: { summary: 'The automatic moves of tickets' },
      change: {
        summary: 'Set the automatic moves of tickets',
        description:
          'Counts from now on. Tickets that have waited for `finishAfterDays` days without any change are finished within the hour; a ticket whose customer waits for an answer is not.',
      },
    },
  );
};

/** The resolution has to exist, and must not be archived if it is new here. */
async function resolutionProblems(
  tx: Sql,
  before: TicketAutomation,
  { finishResolutionId: id }: TicketAutomation,
): Promise<Problem[]> {
  if (id === null) return [];
  const resolution = await getSetting(tx, 'resolutions', id);
  if (!resolution) return [problem('finishResolutionId', 'unknown')];
  const isNew = id !== before.finishResolutionId;
  return resolution.archivedAt && isNew ? [problem('finishResolutionId', 'archived')] : [];
}
