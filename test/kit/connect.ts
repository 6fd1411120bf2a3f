import { buildConnector } from 'undici';

/** Connects to any address: the gateways of tests are on this machine, which the guard of a deployment refuses. */
export const connectAnywhere = buildConnector({ timeout: 5_000 });
