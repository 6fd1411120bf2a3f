import type { Sql } from '../../db/core/client.ts';
import { getAnswer, unsentAnswers } from '../../db/tickets/answers.ts';
import type { Temporal } from './temporal.ts';
import { createWorkflowStarts, type StartsOptions } from './workflow-starts.ts';

/** Starts a workflow for each answer to a customer: the new ones, and those that have no outcome yet. */
export const createAnswerStarts = ({
  sql,
  temporal,
  ...more
}: { sql: Sql; temporal: Pick<Temporal, 'startAnswer'> } & StartsOptions) =>
  createWorkflowStarts({
    ...more,
    find: async (page) => (await unsentAnswers(sql, page)).map(({ id }) => id),
    async start(id) {
      const answer = await getAnswer(sql, id);
      if (answer) await temporal.startAnswer(answer);
    },
    what: 'answers',
  });
