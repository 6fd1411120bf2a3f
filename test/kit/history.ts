import type { Client } from '@temporalio/client';
import { historyToJson } from './history-json.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import type { Run } from './factories.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The whole history of an execution as JSON text, with what its payloads say in the clear. */
export async function historyText(client: Client, workflowId: string, runId?: string): Promise<string> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const opened = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(opened);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        key === 'data' && typeof inner === 'string'
          ? Buffer.from(inner, 'base64').toString('utf8')
          : opened(inner),
      ]),
    );
  };
  return JSON.stringify(opened(historyToJson(history) as Json));
}

/** How many events of each type the history of a run's workflow has, and how many starts of each activity. */
export async function eventsOf(client: Client, run: Run) {
  const handle = client.workflow.getHandle(runWorkflowId(run));
  const { events } = await handle.fetchHistory();
  const scheduled = (events ?? []).map(
    ({ activityTaskScheduledEventAttributes: attributes }) => attributes?.activityType?.name,
  );
  return {
    count: events?.length ?? 0,
    activities: (name: string) => scheduled.filter((one) => one === name).length,
  };
}
