import { expect, test } from 'vitest';
import { z } from 'zod';
import { createFormat } from '../../domain/format.ts';
import { problemSentences } from '../../domain/problems/catalog.ts';
import { campaignSentences } from '../../domain/problems/campaigns.ts';
import { failover } from '../../domain/failover.ts';
import { preflight } from '../../domain/preflight.ts';
import { unreadSentences } from '../../domain/problems/callbacks.ts';
import { providerDetailSentences } from '../../domain/problems/providers.ts';
import {
  failoverWording,
  fitWordings,
  lookUpWording,
  preflightWording,
  runReasonWordings,
  waitingSentences,
} from '../../domain/problems/runs.ts';
import { runReason } from '../../domain/run.ts';
import { errorSentences } from '../../domain/problems/errors.ts';
import { fieldSentences } from '../../domain/problems/fields.ts';
import { alertSentences } from '../../domain/problems/alerts.ts';
import { deliverySentences } from '../../domain/problems/delivery.ts';
import { fileSentences, lineSentences, skipSentences } from '../../domain/problems/mailings.ts';
import { retryCauseSentences, retryWords, showableCode } from '../../domain/problems/retries.ts';
import { settingSentences } from '../../domain/problems/settings.ts';
import { webserviceSentences } from '../../domain/problems/webservices.ts';
import { lookUpResults } from '../../domain/unknown.ts';
import { englishWords, samplesOf } from '../kit/sentences.ts';

const lookUpState = z.object({
  result: z.enum(lookUpResults).nullable(),
  dueAt: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .nullable(),
});

const groups = {
  fieldSentences,
  campaignSentences,
  deliverySentences,
  fileSentences,
  lineSentences,
  skipSentences,
  settingSentences,
  webserviceSentences,
};

test.each([
  ...Object.entries(problemSentences),
  ...Object.entries(errorSentences),
  ...Object.entries(retryCauseSentences),
  ...Object.entries(providerDetailSentences),
  ...Object.entries(unreadSentences),
  ...Object.entries(waitingSentences),
  ...Object.entries(alertSentences),
  ...runReason.options.map((params) => {
    const code = params.shape.code.value;
    return [code, { params, words: runReasonWordings[code] }] as const;
  }),
  ...Object.entries(fitWordings).map(([fits, words]) => [fits, { params: preflight, words }] as const),
  ['pre-flight', { params: preflight, words: preflightWording }] as const,
  ['failover', { params: failover, words: failoverWording }] as const,
  ['look-up', { params: lookUpState, words: lookUpWording }] as const,
])('%s is a sentence in both languages, with any parameters', (_, sentence) => {
  for (const { en, 'pt-BR': pt } of samplesOf(sentence)) {
    expect(en).not.toBe(pt);
    expect(pt).not.toMatch(englishWords);
    for (const words of [en, pt]) {
      expect(words).toMatch(/^[^ ].*[^ ]$/);
      expect(words).not.toMatch(/undefined|\[object|NaN| {2}/);
    }
  }
});

test('a code belongs to one group of the catalog', () => {
  const codes = Object.values(groups).flatMap((group) => Object.keys(group));
  expect(codes).toHaveLength(new Set(codes).size);
  expect(codes.toSorted()).toEqual(Object.keys(problemSentences).toSorted());
});

test.each([
  ['20003', '20003'],
  ['ECONNREFUSED', 'ECONNREFUSED'],
  ['http_503', 'http_503'],
  // Possible personal data.
  ['+5511987654321', '…'],
  ['err:11987654321', '…'],
  ['Maria Souza', '…'],
  ['', '…'],
])('the code %j of a provider is shown as %j', (code, shown) => {
  expect(showableCode(code)).toBe(shown);
});

test('a retry is described with its start, its cause, its next attempt and its end', () => {
  const at = (time: string): Date => new Date(`2026-11-29T${time}Z`);
  const retrying = {
    activity: 'sendMessages',
    activities: 1,
    since: at('12:00:00'),
    attempt: 3,
    cause: { code: 'provider_unavailable', params: { providerCode: '503' } },
    nextAt: at('12:00:07'),
    tryingSince: null,
    givesUpAt: null,
    attemptsLeft: 4,
  } as const;
  const english = createFormat('en', null);
  expect(retryWords(retrying, english, at('12:00:04'))).toBe(
    'Retried since 2026-11-29T12:00:00.000Z because the SMS provider accepts no messages (503). Attempt 4 is due at 2026-11-29T12:00:07.000Z. After 4 more attempts the fallback provider takes over.',
  );
  const brazilian = createFormat('pt-BR', 'America/Sao_Paulo');
  const late = { ...retrying, attemptsLeft: null, givesUpAt: at('13:00:00') };
  expect(retryWords(late, brazilian, at('12:05:00'))).toBe(
    'Repetindo desde 29/11/2026, 09:00:00 porque o provedor de SMS não aceita mensagens (503). A tentativa 4 estava prevista para 29/11/2026, 09:00:07, mas nenhum worker a começou. Desiste em 29/11/2026, 10:00:00.',
  );
});
