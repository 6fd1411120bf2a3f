import { buildConnector } from 'undici';
import { type AddressGuard, AddressRefused, checkLiteral, guardedLookup } from './address-guard.ts';

/** Opens connections for undici only to addresses that the guard allows; others fail with `AddressRefused`. */
export function guardedConnect(
  guard: AddressGuard,
  { timeoutMs }: { timeoutMs: number },
): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: guardedLookup(guard) });
  return (options, callback) => {
    try {
      checkLiteral(guard, options.hostname);
    } catch (error) {
      callback(error instanceof Error ? error : new AddressRefused(options.hostname), null);
      return;
    }
    connect(options, callback);
  };
}
