import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import { lastRestore, listCatchUps, type RestoreRow, decideRestore } from '../../db/runs/restores.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { instant } from '../http/instant.ts';
import type { CampaignSync } from '../services/campaign-sync.ts';

export const restoreView = z.object({
  /** The last recorded activity in the backup. Nothing that happened later is known. */
  backupAt: instant,
  recognizedAt: instant,
  /** Runs that were live in the backup, and wait for a user. */
  stoppedRuns: z.int(),
  /** Null: campaigns start no runs until all providers have answered, or a user continues without them. */
  completedAt: instant.nullable(),
  /** `user:7`, `token:3`, or `system` when all providers have answered. */
  completedBy: z.string().nullable(),
  providers: z.array(
    z.object({
      providerId: z.int(),
      providerName: z.string(),
      state: z.enum(['waiting', 'done', 'not_offered']),
      askedAt: instant.nullable(),
      /** Why it has not answered: its code, or the name of an error, which is in the worker's log. */
      problem: z.string().nullable(),
      /** Replies that the backup did not contain, and how many of them were opt-outs. */
      replies: z.int(),
      optOuts: z.int(),
      /** Messages sent since the backup: of runs that it contains, and of runs that it does not. */
      known: z.int(),
      others: z.int(),
    }),
  ),
});

export const lastRestoreView = z.object({ restore: restoreView.nullable() });

/** Throws `restore_incomplete` while opt-outs since the restored backup may be missing. */
export async function requireCompleteRestore(sql: Sql): Promise<void> {
  if ((await lastRestore(sql))?.completedAt === null) throw new ApiError('restore_incomplete');
}

/** The remaining work after the database was restored from a backup. */
export const restores: FastifyPluginAsyncZod<{ sql: Database; sync: CampaignSync }> = async (
  app,
  { sql, sync },
) => {
  const tags = ['restores'];
  const view = async (restore: RestoreRow | null) =>
    restore && { ...restore, providers: await listCatchUps(sql, restore.id) };

  app.get(
    '/last',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get the last restore of the database from a backup',
        description: '`restore` is null if the database was never restored.',
        response: { 200: lastRestoreView },
      },
    },
    async () => ({ restore: await view(await lastRestore(sql)) }),
  );

  app.post(
    '/last/complete',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Let campaigns start runs again without waiting for the providers',
        description:
          'If a provider has not answered, campaigns may then write to customers who have opted out since the backup. Changes nothing if the restore is already complete.',
        response: { 200: lastRestoreView },
      },
    },
    async (request) => {
      const restore = await lastRestore(sql);
      if (restore) {
        await sql.begin(async (tx) => {
          if (await decideRestore(tx, restore.id, actorId(actorOf(request))))
            await audit(tx, request, 'restore.complete', { kind: 'restore', id: restore.id });
        });
        sync.syncAll();
      }
      return { restore: await view(await lastRestore(sql)) };
    },
  );
};
