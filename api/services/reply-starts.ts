import type { Sql } from '../../db/core/client.ts';
import { unhandledReplyIds } from '../../db/replies/replies.ts';
import type { Temporal } from './temporal.ts';
import { createWorkflowStarts, type StartsOptions } from './workflow-starts.ts';

/** Starts a workflow for each reply: the new ones, and those that are not handled yet. */
export const createReplyStarts = ({
  sql,
  temporal,
  ...more
}: { sql: Sql; temporal: Pick<Temporal, 'startReply'> } & StartsOptions) =>
  createWorkflowStarts({
    ...more,
    find: (page) => unhandledReplyIds(sql, page),
    start: (id) => temporal.startReply(id),
    what: 'replies',
  });
