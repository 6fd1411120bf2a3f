import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { getCampaign, keepAnswerAttributes } from '../../db/campaigns/campaigns.ts';
import type { Database } from '../../db/core/client.ts';
import { openIntegration } from '../../db/settings/integrations.ts';
import { profileOf } from '../../db/providers/providers.ts';
import { lastFetch } from '../../db/runs/runs.ts';
import { type SecretBox, SecretKeyMissing } from '../../db/core/secrets.ts';
import { timezone } from '../../domain/calendar.ts';
import { extraField } from '../../domain/contact.ts';
import { isoDate } from '../../domain/dates.ts';
import type { Format } from '../../domain/format.ts';
import type { Integration } from '../../domain/integration.ts';
import type { ReadLine } from '../../domain/line.ts';
import { skipReasons } from '../../domain/message.ts';
import { shownMore } from '../../domain/page-signs.ts';
import { paging } from '../../domain/paging.ts';
import { parseTemplate, undeclaredOf } from '../../domain/template.ts';
import { buildAddress } from '../../domain/web-address.ts';
import { webserviceBlock, type WebserviceBlock } from '../../domain/webservice.ts';
import { attributePaths } from '../../mailing/field-map.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import { fetchAnswer, previewWebservice, type WebserviceDeps } from '../../mailing/webservice.ts';
import { omitUndefined } from '../http/omit-undefined.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiError, formatOf, notFound } from '../http/errors.ts';
import { keptProblem, lineProblemView, linesOf } from './mailing-check.ts';

const testRequest = z.strictObject({
  /** A saved campaign: fields that the rest of the body omits are taken from it. */
  campaignId: z.int().positive().optional(),
  webservice: webserviceBlock.optional(),
  extraFields: z.array(extraField).max(30).optional(),
  /** The schedule's time zone, which `{today}` uses. */
  timezone: timezone.optional(),
  message: z
    .strictObject({
      template: z.string().max(1000).nullable().optional(),
      removeAccents: z.boolean().optional(),
      maxSegments: z.int().min(1).max(10).optional(),
      providerId: z.int().positive().nullable().optional(),
    })
    .optional(),
});

const testedContact = z.object({
  /** The position of the record in the answer, from 1. */
  line: z.int(),
  /** The values that the field map reads, cleaned; null for a record that cannot be read. */
  contact: z
    .object({
      code: z.string(),
      name: z.string(),
      mobile: z.string(),
      phone: z.string(),
      phone2: z.string(),
      birthDate: z.string(),
      customMessage: z.string(),
      extra: z.record(z.string(), z.string()),
    })
    .nullable(),
  /** The number that would receive the SMS (E.164). */
  phone: z.string().nullable(),
  /** Why a run would skip it, judging by the contact alone; null: it would not. */
  skipped: z.enum(skipReasons).nullable(),
  /** The same in more detail, as text. */
  problem: lineProblemView.nullable(),
  /** The values of the record that could not be read. */
  warnings: z.array(lineProblemView),
  /** The final text; null without a template, or if the record is skipped. */
  text: z.string().nullable(),
  encoding: z.enum(['GSM-7', 'UCS-2']).nullable(),
  segments: z.int().nullable(),
});
export const webservicePreviewView = z.object({
  /** The fetched address, with its parameters filled in; without what the integration adds. */
  address: z.string(),
  contacts: z.array(testedContact),
  /** The answer has more records than these. */
  more: z.boolean(),
  /** The fields of all records up to the last of these: dotted paths for the field map. Names only. */
  attributes: z.array(z.string()),
  /**
   * Signs of further pages although no paging is configured: a run would fail. `proposed` is the likely setting for
   * `webservice.paging`, or null if the form is unknown. Null: the answer shows no further pages.
   */
  pages: z.object({ seen: z.array(shownMore), proposed: paging.nullable() }).nullable(),
});

/** The remote service is not trusted: a test reads only this much of its answer, and waits only this long. */
const answerBytes = 16 * 1024 * 1024;
const testMs = 60_000;
const idleMs = 35_000;
const shownContacts = 10;
const testsAtOnce = 4;

interface WebserviceApiDeps {
  sql: Database;
  box: SecretBox;
  webservice: WebserviceDeps;
  clock: () => Date;
}

/**
 * Testing a web service before a campaign uses it ("Testar URL"). Sends no message; for a saved campaign it stores the
 * names of the attributes, without values.
 */
export const webserviceTests: FastifyPluginAsyncZod<WebserviceApiDeps> = async (
  app,
  { sql, box, webservice, clock },
) => {
  const tags = ['mailing'];
  const access = { access: 'operator', rateLimit: { max: 30, timeWindow: '1 minute' } } as const;
  const deps: WebserviceDeps = {
    ...webservice,
    limits: {
      ...webservice.limits,
      bytes: Math.min(webservice.limits.bytes, answerBytes),
      totalMs: Math.min(webservice.limits.totalMs, testMs),
      idleMs: Math.min(webservice.limits.idleMs, idleMs),
    },
  };
  let running = 0;

  app.post(
    '/answer',
    {
      config: access,
      schema: {
        tags,
        summary: 'Test the address and return the original answer',
        description:
          'Uses the saved campaign or the values in the body, with the integration. Fetches only the first page, at most 16 MiB within a minute; a run has higher limits. The error `webservice_refused` describes the problem.',
        produces: ['application/json'],
        body: testRequest,
      },
    },
    async (request, reply) => {
      const { target, block } = await targetOf(request.body);
      const answer = await tried(() => fetchAnswer(deps, { ...target, paging: block.paging }));
      return reply
        .type('application/json')
        .header('content-disposition', 'attachment; filename="answer.json"')
        .send(answer);
    },
  );

  app.post(
    '/preview',
    {
      config: access,
      schema: {
        tags,
        summary: 'Preview the first contacts as the field map reads them',
        description:
          'Returns the final text of each contact, or the reason why a run would skip it. Opt-outs are not checked.',
        body: testRequest,
        response: { 200: webservicePreviewView },
      },
    },
    async (request) => {
      const { target, block, rules, ignoreConsent } = await targetOf(request.body);
      const format = formatOf(request);
      return tried(async () => {
        const { records, elements, more, pages } = await previewWebservice(deps, {
          ...target,
          webservice: block,
          extraFields: rules.extraFields,
          today: isoDate(clock()),
          count: shownContacts,
        });
        const contacts: z.infer<typeof testedContact>[] = [];
        const judging = { rules, ignoreConsent };
        for await (const lines of linesOf(sql, batchOf(records), (record) => record, judging))
          contacts.push(...lines.map((line) => testedOf(line, format)));
        const attributes = [...new Set(elements.flatMap(attributePaths))];
        const { campaignId } = request.body;
        const { baseUrl, recordsPath } = block;
        if (campaignId !== undefined && baseUrl !== null && attributes.length > 0)
          await keepAnswerAttributes(sql, campaignId, { baseUrl, recordsPath, attributes });
        return { address: target.url.href, contacts, more, attributes, pages };
      });
    },
  );

  async function tried<T>(fetch: () => Promise<T>): Promise<T> {
    if (running >= testsAtOnce) throw new ApiError('busy', { params: { with: 'webservices' } });
    running++;
    try {
      return await fetch();
    } catch (error) {
      throw error instanceof WebserviceRefused ? refused(error) : error;
    } finally {
      running--;
    }
  }

  /** The request to make, by the body and the saved campaign. */
  async function targetOf(body: z.infer<typeof testRequest>) {
    const row = body.campaignId === undefined ? null : await getCampaign(sql, body.campaignId);
    if (body.campaignId !== undefined && !row) throw notFound('campaign', body.campaignId);
    const saved = row?.definition;
    const block = body.webservice ?? saved?.mailing.webservice;
    if (!block?.baseUrl) {
      throw new ApiError('invalid_fields', {
        problems: [problem('webservice.baseUrl', 'missing', { what: 'webservice' })],
      });
    }
    const now = clock();
    const url = buildAddress(
      { baseUrl: block.baseUrl, params: block.params },
      {
        timezone: body.timezone ?? saved?.schedule.timezone ?? 'UTC',
        now,
        lastRunAt: row ? await lastFetch(sql, { campaignId: row.id, before: null }) : null,
        occurrence: now,
      },
    );
    const message = {
      template: null,
      removeAccents: true,
      maxSegments: 1,
      providerId: null,
      ...saved?.message,
      ...omitUndefined(body.message ?? {}),
    };
    const extraFields = body.extraFields ?? saved?.mailing.extraFields ?? [];
    const names = extraFields.map(({ name }) => name);
    const parsed = message.template === null ? null : parseTemplate(message.template, names);
    // The test of an address shows which attributes can be declared, so undeclared ones are no problem.
    const wrong = parsed?.ok === false ? parsed.problems.filter((found) => undeclaredOf(found) === null) : [];
    if (wrong.length > 0) {
      throw new ApiError('invalid_fields', {
        problems: wrong.map((found) => ({ ...found, field: 'message.template' })),
      });
    }
    return {
      target: { url, integration: await integrationOf(block), signal: new AbortController().signal },
      block,
      ignoreConsent: saved?.ignoreConsent ?? false,
      rules: {
        template: parsed?.ok === true ? parsed.template : null,
        removeAccents: message.removeAccents,
        maxSegments: message.maxSegments,
        profile: await profileOf(sql, message.providerId),
        extraFields,
      },
    };
  }

  async function integrationOf({ integrationId }: WebserviceBlock): Promise<Integration | null> {
    if (integrationId === null) return null;
    try {
      const integration = await openIntegration(sql, box, integrationId);
      if (integration) return integration;
    } catch (error) {
      if (!(error instanceof SecretKeyMissing)) throw error;
      throw new ApiError('invalid_fields', {
        problems: [problem('webservice.integrationId', 'integration_sealed')],
      });
    }
    throw new ApiError('invalid_fields', { problems: [problem('webservice.integrationId', 'unknown')] });
  }
};

async function* batchOf<T>(batch: T[]): AsyncGenerator<T[]> {
  yield batch;
}

const testedOf = (
  { line, contact, phone, reason, problem, text, encoding, segments, warnings }: ReadLine,
  format: Format,
): z.infer<typeof testedContact> => ({
  line,
  contact,
  phone,
  skipped: reason,
  problem: problem && keptProblem(line, problem, format),
  warnings: warnings.map((warning) => keptProblem(line, warning, format)),
  text: reason === null ? text : null,
  encoding: reason === null ? encoding : null,
  segments: reason === null && text !== null ? segments : null,
});

const refused = ({ fault }: WebserviceRefused): ApiError =>
  new ApiError('webservice_refused', { problems: [{ field: 'webservice.baseUrl', ...fault }] });
