import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** How to request an access token, besides the client's secret: RFC 6749, 4.4 (client credentials). */
export const clientCredentials = z.strictObject({
  tokenUrl: z.url({ protocol: /^https?$/, error: coded('url_expected') }).max(2000),
  clientId: z.string().min(1).max(255),
  scope: z.string().max(1000).default(''),
  /** A non-standard parameter that some servers require; '': omitted. */
  audience: z.string().max(1000).default(''),
  /** How the client sends its secret: as HTTP basic, or as form fields. */
  clientAuthentication: z.enum(['basic', 'form']).default('basic'),
});
export type ClientCredentials = z.infer<typeof clientCredentials>;

/** RFC 7617: a colon would end the user name. */
export const userName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:\p{Cc}]*$/u, coded('user_name_format'));

/** The header of HTTP basic authentication: RFC 7617, in UTF-8. */
export const basicAuthorization = (user: string, password: string): string => {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
};
