import type { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';

/** Servers keep closed workflows for one to three days; operators want to read last month's runs. */
export const retentionMs = 30 * 24 * 60 * 60 * 1000;

const keyword = 2;
/** https://grpc.io/docs/guides/status-codes/ */
const notFound = 5;
const alreadyExists = 6;
const pollMs = 500;
/** Temporal's servers look for new namespaces every ten seconds. */
const patienceMs = 60_000;

/** What was added to a namespace. */
export interface NamespaceChanges {
  created: boolean;
  searchAttributes: string[];
}

/**
 * Creates the namespace if it does not exist, and adds the keyword search attributes that it lacks. Changes nothing
 * else: the operator of an existing namespace sets its retention.
 */
export async function prepareNamespace(
  connection: Connection,
  namespace: string,
  searchAttributes: readonly string[],
): Promise<NamespaceChanges> {
  const created = await createNamespace(connection, namespace);
  return { created, searchAttributes: await addSearchAttributes(connection, namespace, searchAttributes) };
}

async function createNamespace({ workflowService }: Connection, namespace: string): Promise<boolean> {
  try {
    await workflowService.describeNamespace({ namespace });
    return false;
  } catch (error) {
    if (!hasCode(error, notFound)) throw error;
  }
  try {
    await workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(retentionMs),
    });
    return true;
  } catch (error) {
    if (!hasCode(error, alreadyExists)) throw error;
    return false;
  }
}

async function addSearchAttributes(
  { operatorService }: Connection,
  namespace: string,
  names: readonly string[],
): Promise<string[]> {
  const { customAttributes } = await whenKnown(() => operatorService.listSearchAttributes({ namespace }));
  const missing = names.filter((name) => !(name in customAttributes));
  if (missing.length > 0) {
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
  }
  return missing;
}

/** Keeps closed workflows for `retentionMs`. */
export async function setRetention({ workflowService }: Connection, namespace: string): Promise<void> {
  const { config } = await workflowService.describeNamespace({ namespace });
  if (optionalTsToMs(config?.workflowExecutionRetentionTtl) === retentionMs) return;
  await workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(retentionMs) },
  });
}

/** A new namespace is not known everywhere yet. */
async function whenKnown<T>(ask: () => Promise<T>): Promise<T> {
  for (const giveUpAt = Date.now() + patienceMs; ;) {
    try {
      return await ask();
    } catch (error) {
      if (!hasCode(error, notFound) || Date.now() > giveUpAt) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
