import { expect, test } from 'vitest';
import { campaignDraft } from '../../domain/campaign.ts';
import { customerContent } from '../../domain/customer.ts';
import { integrationConfig } from '../../domain/integration.ts';
import { providerConfig, providerSecrets } from '../../domain/provider.ts';
import { replyWords } from '../../domain/reply.ts';
import { holidayCalendar, settingName } from '../../domain/settings.ts';
import { postingSecrets, ticketPosting } from '../../domain/ticket-posting.ts';
import { login, newPassword, personName, role } from '../../domain/user.ts';
import { problemsIn } from '../kit/problems.ts';
import { englishWords } from '../kit/sentences.ts';

const schedule = { recurrence: { every: 'day' }, startsAt: '2026-03-02T09:00', timezone: 'UTC' };
const gateway = { kind: 'http', answer: {}, request: { method: 'GET', url: 'https://gateway.example/' } };

test.each([
  [campaignDraft, {}],
  [campaignDraft, { name: '', schedule, message: { template: 'Oi {nomee} {' }, color: 1 }],
  [campaignDraft, { name: 'x'.repeat(121), schedule: { ...schedule, timezone: 'Brasilia' } }],
  [campaignDraft, { name: 1, schedule: { ...schedule, recurrence: { every: 'rule', rrule: 'FREQ=X;A' } } }],
  [campaignDraft, { name: 'a', schedule, mailing: { source: 'fax', webservice: { baseUrl: 'x' } } }],
  [customerContent, { birthDate: '31/12/2000', phone: 'abc' }],
  [customerContent, {}],
  [integrationConfig, { authentication: { kind: 'basic', user: 'a:b' }, origins: ['https://a/b'] }],
  [
    integrationConfig,
    { authentication: { kind: 'none' }, origins: [], headers: [{ name: 'Host', value: 'é' }] },
  ],
  [providerConfig, { kind: 'fax' }],
  [providerConfig, { kind: 'twilio', accountSid: 'x', from: '' }],
  [providerConfig, { kind: 'infobip', baseUrl: 'x', from: '' }],
  [
    providerConfig,
    { ...gateway, request: { ...gateway.request, url: 'ftp://é/{x}', headers: { 'a b': '{' } } },
  ],
  [providerSecrets, { kind: 'http', callbackSecret: 'short', values: { Ä: 'é' } }],
  [replyWords, { optOut: [], optIn: ['?', 'sim', 'Sim'] }],
  [holidayCalendar, { holidays: [{ date: '2026-02-30', name: '' }] }],
  [settingName, ''],
  [ticketPosting, { url: 'x', events: [] }],
  [postingSecrets, { secret: 'short', headers: { host: 'é', 'a b': 'c' } }],
  [login, 'é'],
  [newPassword, 'short'],
  [personName, ''],
  [role, 'owner'],
])('the problems of a document are reported in Portuguese and in English: %#', (schema, document) => {
  const english = problemsIn(schema, document);
  const portuguese = problemsIn(schema, document, 'pt-BR');
  expect(portuguese.length).toBeGreaterThan(0);
  expect(portuguese).toHaveLength(english.length);
  for (const [index, sentence] of portuguese.entries()) {
    expect(sentence).not.toBe(english[index]);
    // Without the field's path and the names of placeholders.
    expect(sentence.replace(/^\S*: /, '').replaceAll(/\{[^{}]*\}/g, '')).not.toMatch(englishWords);
    expect(english[index]).not.toMatch(/: [a-z_]+$/);
  }
});
