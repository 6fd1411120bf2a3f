import { AsyncResource } from 'node:async_hooks';

const tickMs = 1_000;
/** Spread over time: the work after a tick would delay the messages whose turn comes then. */
const groupCount = 4;

/**
 * Calls `look` each second until the returned function is called. Calls are grouped to combine their queries. Each runs
 * in the async context of its caller: `heartbeat()` of Temporal's SDK finds its activity there.
 */
export type EverySecond = (look: () => void) => () => void;

export function createTicks(): EverySecond {
  const groups = Array.from({ length: groupCount }, () => new Set<() => void>());
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;
  let joined = 0;
  return (look) => {
    const group = groups[joined++ % groupCount];
    const bound = AsyncResource.bind(look);
    group?.add(bound);
    timer ??= setInterval(() => {
      for (const one of [...(groups[turn++ % groupCount] ?? [])]) one();
    }, tickMs / groupCount);
    return () => {
      group?.delete(bound);
      if (groups.some(({ size }) => size > 0)) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}
