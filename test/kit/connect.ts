import { buildConnector } from 'undici';
import { createAccessTokens } from '../../mailing/access-tokens.ts';
import { createAddressGuard } from '../../mailing/address-guard.ts';

/** Connects to any address: the gateways of tests are on this machine, which the guard of a deployment refuses. */
export const connectAnywhere = buildConnector({ timeout: 5_000 });

/** Access tokens from servers of tests. */
export const localTokens = createAccessTokens(createAddressGuard(['127.0.0.1']));
