import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { httpGatewayFields } from '../../domain/http-gateway.ts';

/** The descriptions in examples/gateways with which the form of a new gateway can begin. */
export const starters = ['smsdev', 'comtele', 'totalvoice', 'android', 'jasmin', 'kannel'] as const;
export type Starter = (typeof starters)[number];
export const starterName = z.enum(starters);

const starterFile = z.object({
  name: z.string(),
  config: z.object({ ...httpGatewayFields, kind: z.literal('http') }),
  ratePerSecond: z.number(),
});

/** The placeholders in the files for a user and for secrets. */
const placeholder = 'replace-it';

/** A description without the values of each account: sender, user and secrets. */
export async function readStarter(name: Starter): Promise<z.output<typeof starterFile>> {
  const path = new URL(`../../examples/gateways/${name}.json`, import.meta.url);
  const { config, ...rest } = starterFile.parse(JSON.parse(await readFile(path, 'utf8')));
  const { authentication } = config.request;
  const own =
    authentication.kind === 'basic' && authentication.user === placeholder
      ? { ...authentication, user: '' }
      : authentication;
  return {
    ...rest,
    config: { ...config, from: '', request: { ...config.request, authentication: own } },
  };
}
