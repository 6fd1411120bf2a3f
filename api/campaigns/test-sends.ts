import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { sendBlockOf } from '../../db/customers/opt-outs.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { profileOf } from '../../db/providers/providers.ts';
import { insertTestSend, keepTestSendId } from '../../db/campaigns/test-sends.ts';
import { countTest } from '../../db/money/single-costs.ts';
import { dayIn } from '../../domain/calendar.ts';
import type { CampaignDraft } from '../../domain/campaign.ts';
import { defaultCallingCode, parsePhone } from '../../domain/phone.ts';
import { charactersOutside, type SegmentProfile, segmentsOf } from '../../domain/segments.ts';
import { compose, parseTemplate } from '../../domain/template.ts';
import { cost as moneyCost } from '../../domain/price.ts';
import type { SendOutcome } from '../../sms/provider.ts';
import type { Adapters } from '../services/adapters.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { estimate, type MoneySettings } from '../money/costs-of-runs.ts';
import { omitUndefined } from '../http/omit-undefined.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { keptProviderDetail, providerDetailWords } from '../../domain/problems/providers.ts';
import { ApiError, formatOf, orNotFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

/** A contact to test a template with. */
const sample = z.strictObject({
  code: z.string().max(60).default('12345'),
  name: z.string().max(120).default('Maria'),
  customMessage: z.string().max(1600).default(''),
  extra: z.record(z.string().max(40), z.string().max(500)).default({}),
});
type Sample = z.infer<typeof sample>;

/** Replaces the fields of the saved message, for a message that is being edited. */
const messageChanges = {
  template: z.string().max(1000).optional(),
  removeAccents: z.boolean().optional(),
  maxSegments: z.int().min(1).max(10).optional(),
  providerId: z.int().positive().nullable().optional(),
};

const cost = {
  encoding: z.enum(['GSM-7', 'UCS-2']),
  /** The GSM-7 language tables that apply; null: the standard ones. */
  shift: z.enum(['locking', 'single', 'both']).nullable(),
  /** Septets of GSM-7, or UTF-16 units of UCS-2. */
  characters: z.int(),
  segments: z.int(),
  /** The characters outside GSM-7, which make the text cost more. */
  charactersOutside: z.array(z.string()),
};

export const messagePreview = z.object({
  text: z.string(),
  ...cost,
  /** Characters left in the last segment. */
  remaining: z.int(),
  /** The same text without accents if the campaign keeps them, with accents if it removes them. */
  otherwise: z.object(cost),
  /** Why a contact with these values would be skipped; null: it would not be. */
  skipped: z
    .enum(['message_too_long', 'word_exceeds_segment', 'message_empty', 'placeholder_unknown'])
    .nullable(),
  /** Today's cost of one such message to a number of the default country (Brazil). */
  cost: moneyCost,
});

export const testSendOutcome = z.object({
  /** The types of sms/provider.ts: `accepted` is success. */
  outcome: z.enum(['accepted', 'refused', 'temporary', 'ambiguous', 'account']),
  reason: z.string().nullable(),
  /** The provider's id of the message. */
  providerMessageId: z.string().nullable(),
  /** The provider's error code. */
  code: z.string().nullable(),
  /** Why the provider did not accept it; null for success. */
  detail: keptProviderDetail.extend({ message: z.string() }).nullable(),
  text: z.string(),
  segments: z.int(),
});

interface TestSendsDeps {
  sql: Database;
  adapters: Adapters;
  phoneHash: () => Promise<PhoneHash>;
  money: MoneySettings;
  clock: () => Date;
}

/** Testing a message before it goes to all contacts. */
export const testSends: FastifyPluginAsyncZod<TestSendsDeps> = async (
  app,
  { sql, adapters, phoneHash, money, clock },
) => {
  const tags = ['campaigns'];

  app.post(
    '/:id/preview-message',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Preview the message that a contact would receive',
        description: 'Uses the saved campaign, or the values in the body. Sends nothing.',
        params: idParams,
        body: z.strictObject({ ...messageChanges, sample: sample.prefault({}) }),
        response: { 200: messagePreview },
      },
    },
    async (request) => {
      const { sample, ...changes } = request.body;
      const { definition } = await need(request.params.id);
      const message = { ...definition.message, ...omitUndefined(changes) };
      const profile = await profileOf(sql, message.providerId);
      const preview = previewOf({ ...definition, message }, sample, profile);
      const segments = [{ country: defaultCallingCode, segments: preview.segments }];
      const { providerId } = message;
      return { ...preview, cost: await estimate(sql, { segments, providerId, at: clock() }, money) };
    },
  );

  app.post(
    '/:id/test-send',
    {
      config: { access: 'operator', rateLimit: { max: 20, timeWindow: '1 minute' } },
      schema: {
        tags,
        summary: 'Send a test message to one phone',
        description:
          'Sends the saved message, or the text in the body, at once. The response contains the answer of the provider. The message belongs to no run: only its cost and the fact that it was sent are stored. Opt-outs and held phones are checked; sending hours and consent are not.',
        params: idParams,
        body: z.strictObject({
          phone: z.string().min(1).max(40),
          ...messageChanges,
          values: sample.prefault({}),
        }),
        response: { 200: testSendOutcome },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { phone, values, ...changes } = request.body;
      const { definition } = await need(id);
      const message = { ...definition.message, ...omitUndefined(changes) };
      const { template, providerId } = message;
      const to = parsePhone(phone);
      const problems: Problem[] = [];
      if (!to.ok) {
        problems.push(problem('phone', 'mobile_expected'));
      }
      if (template === null) problems.push(problem('message.template', 'missing', { what: 'template' }));
      if (providerId === null) {
        problems.push(problem('message.providerId', 'missing', { what: 'provider' }));
      }
      if (!to.ok || providerId === null || problems.length > 0)
        throw new ApiError('invalid_fields', { problems });
      const block = await sendBlockOf(sql, await phoneHash(), to.e164, providerId);
      if (block !== null) throw new ApiError(block === 'held' ? 'phone_held' : 'opted_out');

      const { text, segments, skipped } = previewOf(
        { ...definition, message },
        values,
        await profileOf(sql, providerId),
      );
      if (skipped !== null) {
        throw new ApiError('invalid_fields', { problems: [problem('message.template', skipped)] });
      }
      const adapter = orNotFound(await adapters.get(providerId, { atMostMs: 0 }), 'provider', providerId);
      const sent = await adapter.send({ messageId: null, to: to.e164, text });
      const answer = resultOf(sent);
      // The recipient must not appear here, not even in what a provider returns as a code.
      const outcome = { ...answer, code: sent.kind === 'accepted' ? null : sent.publicCode };
      await sql.begin(async (tx) => {
        await insertTestSend(tx, { campaignId: id, sentBy: actorId(actorOf(request)), outcome });
        if (sent.kind === 'accepted') {
          const day = dayIn(clock(), money.timezone);
          await countTest(tx, { providerId, phone: to.e164, segments, day });
        }
        if (sent.kind === 'accepted' && adapter.receiptsById)
          await keepTestSendId(tx, { providerId, providerMessageId: sent.providerMessageId });
        await audit(tx, request, 'campaign.test_send', { kind: 'campaign', id }, { outcome: answer.outcome });
      });
      const detail = answer.detail && {
        ...answer.detail,
        message: providerDetailWords(answer.detail, formatOf(request)),
      };
      return { ...answer, detail, text, segments };
    },
  );

  async function need(id: number) {
    return orNotFound(await getCampaign(sql, id), 'campaign', id);
  }
};

function previewOf(
  { message, mailing }: CampaignDraft,
  sample: Sample,
  profile: SegmentProfile,
): Omit<z.infer<typeof messagePreview>, 'cost'> {
  const extraFieldNames = mailing.extraFields.map((field) => field.name);
  const parsed = parseTemplate(message.template ?? '', extraFieldNames);
  if (!parsed.ok) {
    throw new ApiError('invalid_fields', {
      problems: parsed.problems.map((found) => ({ ...found, field: 'template' })),
    });
  }
  const { removeAccents, maxSegments } = message;
  const options = { removeAccents, maxSegments, profile, extraFieldNames };
  const composed = compose(parsed.template, sample, options);
  // A text that is too long is still shown, with its cost.
  const text = composed.text ?? '';
  const other = compose(parsed.template, sample, { ...options, removeAccents: !removeAccents });
  return {
    text,
    ...costOf(text, profile),
    otherwise: costOf(other.text ?? '', profile),
    skipped: 'skip' in composed ? composed.skip : null,
  };
}

const costOf = (text: string, profile: SegmentProfile) => ({
  ...segmentsOf(text, profile),
  charactersOutside: charactersOutside(text, profile),
});

function resultOf(answer: SendOutcome) {
  const base = { outcome: answer.kind, reason: null, providerMessageId: null, code: null };
  switch (answer.kind) {
    case 'accepted':
      return {
        ...base,
        providerMessageId: answer.providerMessageId,
        detail: null,
      };
    case 'refused':
      return { ...base, reason: answer.reason, code: answer.code, detail: answer.detail };
    case 'temporary':
    case 'ambiguous':
    case 'account':
      return { ...base, code: answer.code, detail: answer.detail };
  }
}
