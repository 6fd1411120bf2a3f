import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { httpGatewayFields } from '../../../domain/http-gateway.ts';
import { createGateway } from '../http.ts';
import type { Adapter } from '../shapes.ts';

const description = z.object({ config: z.object(httpGatewayFields) });

/** The adapter of a description in examples/gateways, at the address of the test's server. */
export const fromExample = (name: string): Adapter['create'] =>
  createGateway((baseUrl) => {
    const file = new URL(`../../../examples/gateways/${name}.json`, import.meta.url);
    const { config } = description.parse(JSON.parse(readFileSync(file, 'utf8')));
    const url = config.request.url.replace(/^https?:\/\/[^/]+/, baseUrl);
    return { ...config, request: { ...config.request, url } };
  });
