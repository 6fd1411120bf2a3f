import { readdir, readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { workflowBundle } from '../../worker/bundle.ts';

/**
 * Histories of real executions, recorded by `npm run record-histories`.
 *
 * The SDK reads them only with a single installed protobufjs, which is why package.json lists it.
 */
const folder = new URL('../histories/', import.meta.url);
const names = await readdir(folder);
const bundle = await workflowBundle();

const readHistory = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(name, folder), 'utf8'));

const historyShape = z.looseObject({
  events: z.array(
    z.looseObject({
      activityTaskScheduledEventAttributes: z
        .looseObject({ activityType: z.looseObject({ name: z.string() }) })
        .optional(),
    }),
  ),
});

describe('the current workflows replay', () => {
  test.each(names)('%s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle: bundle }, await readHistory(name));
  });
});

test('a workflow that deviates from its history is detected', async () => {
  const history = historyShape.parse(await readHistory('run-streamed.json'));
  const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes);
  const { activityType } = scheduled?.activityTaskScheduledEventAttributes ?? { activityType: { name: '' } };
  activityType.name = 'somethingElse';
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history)).rejects.toThrow();
});
