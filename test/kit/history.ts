import type { Client } from '@temporalio/client';
import { historyToJson } from './history-json.ts';
import { runWorkflowId } from '../../domain/ids.ts';
import type { Run } from './factories.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Returns the history of an execution as JSON with decoded payloads. */
export async function historyText(client: Client, workflowId: string, runId?: string): Promise<string> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const decoded = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(decoded);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        key === 'data' && typeof inner === 'string'
          ? Buffer.from(inner, 'base64').toString('utf8')
          : decoded(inner),
      ]),
    );
  };
  return JSON.stringify(decoded(historyToJson(history) as Json));
}

/** Counts the events of a run's workflow, and the times that each activity was scheduled. */
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
