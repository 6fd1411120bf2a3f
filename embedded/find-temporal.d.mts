/** See find-temporal.mjs. */
export function findTemporal(options?: {
  log?: (message: string) => void;
  env?: Record<string, string | undefined>;
  releases?: string;
}): Promise<string>;
