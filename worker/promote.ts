import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';

/** A deployment's version, as Temporal names it. */
interface Build {
  /** The same for all builds. */
  deployment: string;
  buildId: string;
}

interface PromotionDeps {
  connection: Pick<Connection, 'workflowService'>;
  namespace: string;
  build: Build;
  log: { info: (fields: object, message: string) => void; warn: (fields: object, message: string) => void };
  signal: AbortSignal;
  pauseMs?: number;
}

/**
 * What does not exist yet: the version before its first poll, and queues of the last version that this one does not
 * poll yet.
 */
const notYet = new Set([5, 9]);

/**
 * Makes a build the current one, on which new and live workflows run, once its workers poll all queues that the last
 * build's did. A build that is older than the current one does not replace it: if a worker of the last build is
 * restarted during an upgrade, the upgrade is not reverted (docs/decisions/0017-worker-versions.md).
 *
 * `older`: it did not replace the current one. Null: aborted first.
 */
export async function promoteBuild({
  connection: { workflowService },
  namespace,
  build: { deployment, buildId },
  log,
  signal,
  pauseMs = 1_000,
}: PromotionDeps): Promise<'current' | 'older' | null> {
  const attempt = async (): Promise<'current' | 'older' | null> => {
    const { workerDeploymentInfo: info, conflictToken } = await workflowService.describeWorkerDeployment({
      namespace,
      deploymentName: deployment,
    });
    const createdAt = (id: string): number | undefined => {
      const version = info?.versionSummaries?.find(
        ({ deploymentVersion }) => deploymentVersion?.buildId === id,
      );
      const at = version?.createTime;
      return at?.seconds ? at.seconds.toNumber() * 1_000 + (at.nanos ?? 0) / 1_000_000 : undefined;
    };
    const current = info?.routingConfig?.currentDeploymentVersion?.buildId;
    if (current === buildId) return 'current';
    const own = createdAt(buildId);
    if (own === undefined) return null;
    if (current && own < (createdAt(current) ?? 0)) return 'older';
    await workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName: deployment,
      buildId,
      conflictToken,
      identity: `torpedo-worker ${buildId}`,
    });
    return 'current';
  };
  for (let attempts = 1; !signal.aborted; attempts++) {
    try {
      const result = await attempt();
      if (result === 'current') log.info({ buildId }, 'This build is the current one');
      if (result === 'older')
        log.warn({ buildId }, 'A newer build is the current one: this one gets no work');
      if (result !== null) return result;
    } catch (error) {
      const isEarly = isGrpcServiceError(error) && notYet.has(error.code);
      // The watch reports an unavailable Temporal; this reports what it waits for beyond a minute.
      if (!isEarly || attempts % 60 === 0)
        log.warn({ err: error, buildId }, 'This build is not the current one yet');
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}
