import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { getCampaign } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { isOptedOut } from '../../db/customers/opt-outs.ts';
import type { PhoneHash } from '../../db/core/phone-hash.ts';
import { profileOf } from '../../db/providers/providers.ts';
import { insertTestSend } from '../../db/campaigns/test-sends.ts';
import type { CampaignDraft } from '../../domain/campaign.ts';
import { parsePhone } from '../../domain/phone.ts';
import { charactersOutside, type SegmentProfile, segmentsOf } from '../../domain/segments.ts';
import { compose, parseTemplate } from '../../domain/template.ts';
import type { SendOutcome } from '../../sms/provider.ts';
import type { Adapters } from '../services/adapters.ts';
import { actorId, actorOf, audit } from '../http/auth.ts';
import { defined } from '../http/defined.ts';
import { type Problem, problem } from '../../domain/problems/coded.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

/** A contact to try a template with. */
const sample = z.strictObject({
  code: z.string().max(60).default('12345'),
  name: z.string().max(120).default('Maria'),
  customMessage: z.string().max(1600).default(''),
  extra: z.record(z.string().max(40), z.string().max(500)).default({}),
});
type Sample = z.infer<typeof sample>;

/** What takes the place of the saved message's, for one that is being written. */
const messageChanges = {
  template: z.string().max(1000).optional(),
  removeAccents: z.boolean().optional(),
  maxSegments: z.int().min(1).max(10).optional(),
  providerId: z.int().positive().nullable().optional(),
};

const cost = {
  encoding: z.enum(['GSM-7', 'UCS-2']),
  /** Septets of GSM-7, or UTF-16 units of UCS-2. */
  characters: z.int(),
  segments: z.int(),
  /** What makes the text leave GSM-7, and cost more. */
  charactersOutside: z.array(z.string()),
};

export const messagePreview = z.object({
  text: z.string(),
  ...cost,
  /** Left in the last segment. */
  remaining: z.int(),
  /** The same text with its accents where they are removed, without them where they are kept. */
  otherwise: z.object(cost),
  /** Why a contact with these values would be left out; null: it would not. */
  skipped: z.enum(['message_too_long', 'message_empty', 'placeholder_unknown']).nullable(),
});

export const testSendOutcome = z.object({
  /** The kinds of sms/provider.ts: `accepted` is success. */
  outcome: z.enum(['accepted', 'refused', 'temporary', 'ambiguous', 'account']),
  reason: z.string().nullable(),
  /** The provider's id of the message. */
  providerMessageId: z.string().nullable(),
  /** The provider's error code. */
  code: z.string().nullable(),
  /** What the provider said, in plain words. */
  detail: z.string(),
  text: z.string(),
  segments: z.int(),
});

interface TestSendsDeps {
  sql: Database;
  adapters: Adapters;
  phoneHash: () => Promise<PhoneHash>;
}

/** Trying a message out before it goes to everybody. */
export const testSends: FastifyPluginAsyncZod<TestSendsDeps> = async (app, { sql, adapters, phoneHash }) => {
  const tags = ['campaigns'];

  app.post(
    '/:id/preview-message',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What a contact would get',
        description: 'By the saved campaign, or by what the body gives in its place. Nothing is sent.',
        params: idParams,
        body: z.strictObject({ ...messageChanges, sample: sample.prefault({}) }),
        response: { 200: messagePreview },
      },
    },
    async (request) => {
      const { sample, ...changes } = request.body;
      const { definition } = await need(request.params.id);
      const message = { ...definition.message, ...defined(changes) };
      const profile = await profileOf(sql, message.providerId);
      return previewOf({ ...definition, message }, sample, profile);
    },
  );

  app.post(
    '/:id/test-send',
    {
      config: { access: 'operator', rateLimit: { max: 20, timeWindow: '1 minute' } },
      schema: {
        tags,
        summary: 'Send the message to one phone, now',
        description:
          'The saved message, or what the body gives in its place. The answer is what the provider said. It belongs to no run, and nothing but that it was sent is kept. Sending hours and consent are not asked; an opt-out is.',
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
      const message = { ...definition.message, ...defined(changes) };
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
      if (await isOptedOut(sql, await phoneHash(), to.e164, providerId)) throw new ApiError('opted_out');

      const { text, segments, skipped } = previewOf(
        { ...definition, message },
        values,
        await profileOf(sql, providerId),
      );
      if (skipped !== null) {
        throw new ApiError('invalid_fields', { problems: [problem('message.template', skipped)] });
      }
      const adapter = await adapters.get(providerId, { anew: true });
      if (!adapter) throw notFound('provider', providerId);
      const sent = await adapter.send({ messageId: null, to: to.e164, text });
      const answer = resultOf(sent);
      // Nobody is to find here whom it went to, be it in what a provider calls a code.
      const outcome = { ...answer, code: sent.kind === 'accepted' ? null : sent.publicCode };
      await sql.begin(async (tx) => {
        await insertTestSend(tx, { campaignId: id, sentBy: actorId(actorOf(request)), outcome });
        await audit(tx, request, 'campaign.test_send', { kind: 'campaign', id }, { outcome: answer.outcome });
      });
      return { ...answer, text, segments };
    },
  );

  async function need(id: number) {
    const row = await getCampaign(sql, id);
    if (!row) throw notFound('campaign', id);
    return row;
  }
};

function previewOf(
  { message, mailing }: CampaignDraft,
  sample: Sample,
  profile: SegmentProfile,
): z.infer<typeof messagePreview> {
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
  // Too long is shown all the same, with what it would cost.
  const whole =
    'skip' in composed ? compose(parsed.template, sample, { ...options, maxSegments: 1_000 }) : composed;
  const text = 'skip' in whole ? '' : whole.text;
  const other = compose(parsed.template, sample, {
    ...options,
    maxSegments: 1_000,
    removeAccents: !removeAccents,
  });
  return {
    text,
    ...costOf(text, profile),
    otherwise: costOf('skip' in other ? '' : other.text, profile),
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
        detail: 'The provider took the message.',
      };
    case 'refused':
      return { ...base, reason: answer.reason, code: answer.code, detail: answer.detail };
    case 'temporary':
    case 'ambiguous':
    case 'account':
      return { ...base, code: answer.code, detail: answer.detail };
  }
}
