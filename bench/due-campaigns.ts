import type { Client } from '@temporalio/client';
import { enableCampaign, insertCampaign, setMailingFile } from '../db/campaigns/campaigns.ts';
import { createMailingFile, finishMailingFile, storeMailingFile } from '../db/campaigns/mailings.ts';
import type { Database } from '../db/core/client.ts';
import { insertSetting } from '../db/settings/settings.ts';
import { weekdays } from '../domain/calendar.ts';
import { campaignDraft } from '../domain/campaign.ts';
import { taskQueue } from '../domain/ids.ts';
import { layoutColumns } from '../mailing/layout.ts';
import { campaign as campaignWorkflow, campaignStart } from '../workflows/campaign.ts';

export interface BenchCampaign {
  id: number;
  name: string;
}

const concurrentStarts = 20;

/** Sending hours that are always open. */
export async function insertAlwaysOpen(sql: Database): Promise<number> {
  const definition = { timezone: 'UTC', windows: [{ days: [...weekdays], from: '00:00', to: '24:00' }] };
  return (await insertSetting(sql, 'sendingHours', { name: 'Always', definition })).id;
}

/** Creates an enabled campaign with a file of `contacts` lines, due daily from `at` on. Does not start its workflow. */
export async function insertDueCampaign(
  sql: Database,
  campaign: { name: string; at: Date; contacts: number; providerId: number; sendingHoursId: number },
): Promise<BenchCampaign> {
  const { name, at, contacts, providerId, sendingHoursId } = campaign;
  return sql.begin(async (tx) => {
    const { id } = await insertCampaign(
      tx,
      campaignDraft.parse({
        name,
        schedule: {
          recurrence: { every: 'day' },
          startsAt: at.toISOString().slice(0, 19),
          timezone: 'UTC',
        },
        message: { template: 'Ola, {nome}! Pedido {codigo}.', providerId },
        mailing: { source: 'csv', sendingHoursId, runDespitePending: true },
      }),
    );
    const fileId = await createMailingFile(tx, id, 'system');
    const bytes = Buffer.from(mailing(contacts));
    for (const pieces = storeMailingFile(tx, fileId, once(bytes)); !(await pieces.next()).done;);
    await finishMailingFile(tx, {
      ...{ id: fileId, bytes: bytes.length, sha256: Buffer.alloc(32), lines: contacts, badLines: 0 },
    });
    await setMailingFile(tx, id, fileId);
    await enableCampaign(tx, id);
    return { id, name };
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** All lines are valid, so each is sent. */
const mailing = (contacts: number): string =>
  [
    layoutColumns([]).join(';'),
    ...Array.from({ length: contacts }, (_, n) => `${n};Maria ${n};+551190${String(n).padStart(7, '0')};;;;`),
    '',
  ].join('\n');

/** Starts the workflows of campaigns, like the API when it enables them. */
export async function startCampaigns(client: Client, campaigns: readonly BenchCampaign[]): Promise<void> {
  const waiting = [...campaigns];
  const startNext = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop())
      await client.workflow.start(campaignWorkflow, { ...campaignStart(next), taskQueue });
  };
  await Promise.all(Array.from({ length: concurrentStarts }, startNext));
}
