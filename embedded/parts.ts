/** What stops the parts that have started, in the order of their start. */
export type Stops = (() => Promise<unknown>)[];

/**
 * Starts a system of several parts. `stop` stops them in reverse order: clients before their servers. If one cannot
 * start, the others are stopped.
 */
export async function startParts<T extends object>(
  start: (stops: Stops) => Promise<T>,
): Promise<T & { stop: () => Promise<void> }> {
  const stops: Stops = [];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    return { ...(await start(stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
