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

/** Automatic changes of tickets. */
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
      read: { summary: 'Get the automatic changes of tickets' },
      change: {
        summary: 'Set the automatic changes of tickets',
        description:
          'Tickets that have had no change for `finishAfterDays` days are finished within an hour, unless the customer waits for an answer. Applies from now on.',
      },
    },
  );
};

/** The resolution must exist. If it is newly chosen, it must not be archived. */
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
