import { buildConnector } from 'undici';
import { createAccessTokens } from '../../mailing/access-tokens.ts';
import { createAddressGuard } from '../../mailing/address-guard.ts';

/** Connects to any address. Test gateways are on the loopback address, which the guard of a deployment refuses. */
export const connectAnywhere = buildConnector({ timeout: 5_000 });

/** Access tokens from test servers. */
export const localTokens = createAccessTokens(createAddressGuard(['127.0.0.1']));
