import { z } from 'zod';
import { coded } from './problems/coded.ts';

/** An e-mail address. Case is kept, as some servers distinguish it. */
export const emailAddress = z.email({ error: coded('email_format') }).max(254);

/** `tls` from the first byte (465), `starttls` required before anything else is said (587), or `none`. */
export const smtpSecurities = ['starttls', 'tls', 'none'] as const;

/** The SMTP server through which e-mails leave. */
export const emailSettings = z.strictObject({
  enabled: z.boolean().default(false),
  host: z
    .string()
    .trim()
    .max(253)
    .regex(/^[a-z0-9:](?:[a-z0-9.:-]*[a-z0-9])?$/i, coded('host_format')),
  port: z.int().min(1).max(65_535).default(587),
  security: z.enum(smtpSecurities).default('starttls'),
  verifyCertificate: z.boolean().default(true),
  /** Empty: the server wants no login. */
  user: z.string().trim().max(320).default(''),
  from: emailAddress,
  fromName: z.string().trim().max(100).default('Torpedo'),
});
export type EmailSettings = z.infer<typeof emailSettings>;

/** Write-only. */
export const emailSecrets = z.strictObject({ password: z.string().max(1000) });
export type EmailSecrets = z.infer<typeof emailSecrets>;

/** An omitted password stays. */
export const emailSettingsChange = emailSettings.extend({ password: z.string().max(1000).optional() });

/** A text as it leaves. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  /** The same for each attempt, so that a mail program can recognize a repetition. */
  messageId: string;
  language: string;
}
