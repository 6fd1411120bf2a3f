import { describe, expect, test } from 'vitest';
import { enableCampaign, setNextAt } from '../../db/campaigns/campaigns.ts';
import { createApi, createCatalog, createReadyCampaign, documentOf, errorOf } from '../kit/api.ts';

const api = await createApi();
const { as, sql } = api;
const catalog = await createCatalog(api);
const operator = as('operator');
const admin = as('admin');

const schedule = {
  recurrence: { every: 'day' },
  startsAt: '2030-01-01T09:00',
  timezone: 'America/Sao_Paulo',
};
const draft = (changes: object = {}) => ({ ...documentOf(catalog), message: {}, mailing: {}, ...changes });
async function save(document: object): Promise<{ id: number; version: number }> {
  const answer = await operator('POST', '/api/campaigns', document);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json();
}
const problemsOf = async (document: object) =>
  errorOf(await operator('POST', '/api/campaigns', document)).problems;

describe('a draft', () => {
  test('needs only a name and a schedule, and shows its next occurrences', async () => {
    const answer = await operator('POST', '/api/campaigns', { name: 'Aviso', schedule });
    expect(answer.statusCode).toBe(201);
    const { id } = answer.json<{ id: number }>();
    expect(answer.headers.location).toBe(`/api/campaigns/${id}`);
    expect((await operator('GET', `/api/campaigns/${id}`)).json()).toMatchObject({
      id,
      version: 1,
      enabled: false,
      definition: { name: 'Aviso', message: { template: null, removeAccents: true, maxSegments: 1 } },
      nextOccurrences: [
        { at: '2030-01-01T12:00:00.000Z', local: '2030-01-01T09:00', offset: '-03:00' },
        { local: '2030-01-02T09:00' },
        { local: '2030-01-03T09:00' },
        { local: '2030-01-04T09:00' },
        { local: '2030-01-05T09:00' },
      ],
      mailingFile: null,
      lastRun: null,
      temporalUrl: `http://localhost:8233/namespaces/default/workflows/campaign%2F${id}`,
    });
  });

  test('with several problems gets all of them at once', async () => {
    expect(
      await problemsOf({
        schedule: { recurrence: { every: 'week', days: [] }, startsAt: 'soon', timezone: 'Mars/Olympus' },
        message: { template: 'Olá {cidade}', maxSegments: 0 },
        mailing: { source: 'fax' },
        color: 'red',
      }),
    ).toEqual([
      { field: 'name', code: 'missing', params: {}, message: 'This field is required.' },
      {
        field: 'schedule.recurrence.days',
        code: 'weekday_missing',
        params: {},
        message: 'Choose at least one day of the week.',
      },
      {
        field: 'schedule.startsAt',
        code: 'date_time_format',
        params: {},
        message: 'Expected a date and time such as 2026-03-31T09:00.',
      },
      {
        field: 'schedule.timezone',
        code: 'timezone_unknown',
        params: {},
        message: 'This time zone is not known. Expected an IANA name such as America/Sao_Paulo.',
      },
      {
        field: 'message.maxSegments',
        code: 'too_small',
        params: { minimum: 1 },
        message: 'Expected at least 1.',
      },
      {
        field: 'mailing.source',
        code: 'not_an_option',
        params: { options: ['webservice', 'csv'] },
        message: 'Expected webservice or csv.',
      },
      { field: 'color', code: 'unknown_field', params: {}, message: 'There is no such field.' },
    ]);
  });

  test('cannot have a template of 161 characters', async () => {
    expect(await problemsOf(draft({ message: { template: 'a'.repeat(161) } }))).toEqual([
      {
        field: 'message.template',
        code: 'template_too_long',
        params: { length: 161, maximum: 160 },
        message: 'The message has 161 characters. The maximum is 160.',
      },
    ]);
    await save(draft({ message: { template: 'a'.repeat(160) } }));
  });

  test('cannot have a recurrence without any occurrence', async () => {
    const never = {
      ...schedule,
      recurrence: { every: 'rule', rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' },
    };
    expect(await problemsOf(draft({ schedule: never }))).toEqual([
      {
        field: 'schedule.recurrence',
        code: 'never_occurs',
        params: {},
        message: 'This schedule has no occurrence: check the recurrence, its start and its end.',
      },
    ]);
  });

  test('cannot refer to a nonexistent entry', async () => {
    expect(
      await problemsOf(
        draft({
          message: { providerId: 9999 },
          mailing: { regionId: 8888, sendingHoursId: catalog.hoursId },
        }),
      ),
    ).toEqual([
      { field: 'message.providerId', code: 'unknown', params: {}, message: 'There is no such entry.' },
      { field: 'mailing.regionId', code: 'unknown', params: {}, message: 'There is no such entry.' },
    ]);
  });

  test('cannot have the name of another campaign', async () => {
    const { name } = (await operator('GET', `/api/campaigns/${(await save(draft())).id}`)).json<{
      definition: { name: string };
    }>().definition;
    const answer = await operator('POST', '/api/campaigns', draft({ name }));
    expect([answer.statusCode, errorOf(answer)]).toMatchObject([
      409,
      { code: 'name_taken', problems: [{ field: 'name', code: 'taken' }] },
    ]);
  });

  test('can be deleted', async () => {
    const { id } = await save(draft());
    expect((await operator('DELETE', `/api/campaigns/${id}`)).statusCode).toBe(204);
    expect((await operator('GET', `/api/campaigns/${id}`)).statusCode).toBe(404);
  });
});

describe('a change', () => {
  test('must be based on the current version', async () => {
    const { id } = await save(draft());
    const put = (version: number, description: string) =>
      operator('PUT', `/api/campaigns/${id}`, { ...draft({ description }), version });
    expect((await put(1, 'first')).json()).toMatchObject({
      version: 2,
      definition: { description: 'first' },
    });
    const late = await put(1, 'second');
    expect(late.statusCode).toBe(409);
    expect(errorOf(late)).toMatchObject({ code: 'version_conflict', params: { version: 2 } });
  });

  test('succeeds only once for concurrent changes of the same version', async () => {
    const { id } = await save(draft());
    const answers = await Promise.all(
      ['one', 'two'].map((description) =>
        operator('PUT', `/api/campaigns/${id}`, { ...draft({ description }), version: 1 }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 409]);
  });

  test('is audited with the changed fields and their old and new values', async () => {
    const { id } = await save(draft());
    const before = (await operator('GET', `/api/campaigns/${id}`)).json<{ definition: object }>();
    await operator('PUT', `/api/campaigns/${id}`, {
      ...before.definition,
      description: 'for Maria',
      message: { template: 'Oi Maria' },
      version: 1,
    });
    const log = await operator('GET', `/api/audit?subjectKind=campaign&subjectId=${id}`);
    expect(log.json()).toMatchObject({
      entries: [
        {
          action: 'campaign.update',
          actor: expect.stringMatching(/^token:\d+$/) as string,
          actorName: 'operator',
          details: { changed: ['description', 'message.template'], version: 2 },
        },
        { action: 'campaign.create' },
      ],
    });
    expect(log.json()).toMatchObject({
      entries: [
        {
          changes: { description: ['', 'for Maria'] },
          words: expect.stringContaining('changed the campaign') as string,
        },
        {},
      ],
    });
  });
});

describe('enabling', () => {
  test('an incomplete campaign reports all missing fields', async () => {
    const { providerId } = catalog;
    const { id } = await save(draft({ message: { providerId } }));
    const answer = await operator('POST', `/api/campaigns/${id}/enable`);
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({
      code: 'incomplete_campaign',
      problems: [
        { field: 'message.template', code: 'missing', message: 'Write the message.' },
        { field: 'mailing.source', code: 'missing', message: 'Choose where the contacts come from.' },
        {
          field: 'mailing.sendingHoursId',
          code: 'missing',
          message: 'Choose the hours in which messages may be sent.',
        },
      ],
    });
  });

  test('requires the file, a future occurrence and entries that are not archived', async () => {
    const hours = await admin('GET', `/api/settings/sending-hours/${catalog.hoursId}`);
    const { definition } = hours.json<{ definition: object }>();
    const old = await admin('POST', '/api/settings/sending-hours', { name: 'Old', definition });
    const oldId = old.json<{ id: number }>().id;
    const { id } = await save(
      documentOf(catalog, {
        schedule: { ...schedule, startsAt: '2020-01-01T09:00', endsAt: '2021-01-01T09:00' },
        mailing: { source: 'csv', sendingHoursId: oldId },
      }),
    );
    await admin('PUT', `/api/settings/sending-hours/${oldId}`, { name: 'Old', definition, archived: true });
    expect(errorOf(await operator('POST', `/api/campaigns/${id}/enable`)).problems).toEqual([
      {
        field: 'schedule.recurrence',
        code: 'no_next_occurrence',
        params: {},
        message: 'The schedule has no occurrence from now on: change its start or its end.',
      },
      {
        field: 'mailing.file',
        code: 'missing',
        params: { what: 'file' },
        message: 'Upload the CSV file with the contacts.',
      },
      {
        field: 'mailing.sendingHoursId',
        code: 'archived',
        params: {},
        message: 'This entry has been archived: choose another.',
      },
    ]);
  });

  test('the same campaign twice concurrently enables it once', async () => {
    const id = await createReadyCampaign(api, documentOf(catalog));
    const answers = await Promise.all([1, 2].map(() => operator('POST', `/api/campaigns/${id}/enable`)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(answers.map((answer) => answer.json<{ enabled: boolean }>().enabled)).toEqual([true, true]);
    const entries = await sql`select from audit_log where action = 'campaign.enable' and subject_id = ${id}`;
    expect(entries.count).toBe(1);
  });

  test('prevents changes that would make the campaign incomplete', async () => {
    const document = documentOf(catalog);
    const id = await createReadyCampaign(api, document);
    await operator('POST', `/api/campaigns/${id}/enable`);
    const answer = await operator('PUT', `/api/campaigns/${id}`, { ...document, message: {}, version: 1 });
    expect(answer.statusCode).toBe(422);
    expect(errorOf(answer)).toMatchObject({
      code: 'incomplete_campaign',
      message: 'The campaign is enabled and has to stay complete. Disable it to save a draft.',
      problems: [{ field: 'message.template' }, { field: 'message.providerId' }],
    });
    expect((await operator('DELETE', `/api/campaigns/${id}`)).json()).toMatchObject({
      error: { code: 'campaign_enabled' },
    });
    expect((await operator('POST', `/api/campaigns/${id}/disable`)).json()).toMatchObject({ enabled: false });
    expect((await operator('DELETE', `/api/campaigns/${id}`)).statusCode).toBe(204);
  });
});

describe('while Temporal is unreachable', () => {
  test('enabling a campaign succeeds with 202', async () => {
    const withoutTemporal = await createApi({ temporalAddress: '127.0.0.1:1', temporalTimeoutMs: 300 });
    const settings = await createCatalog(withoutTemporal);
    const id = await createReadyCampaign(withoutTemporal, documentOf(settings));
    const answer = await withoutTemporal.as('operator')('POST', `/api/campaigns/${id}/enable`);
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({ enabled: true });
    const run = await withoutTemporal.as('operator')('POST', `/api/campaigns/${id}/run-now`);
    expect(run.statusCode).toBe(503);
    const ready = await withoutTemporal.app.inject('/health/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toMatchObject({ ready: false, database: true, temporal: false });
  });

  test('a manual run without a worker returns 503 within the timeout', async () => {
    const withoutWorker = await createApi({ temporalTimeoutMs: 500 });
    const settings = await createCatalog(withoutWorker);
    const id = await createReadyCampaign(withoutWorker, documentOf(settings));
    await withoutWorker.as('operator')('POST', `/api/campaigns/${id}/enable`);
    const answer = await withoutWorker.as('operator')('POST', `/api/campaigns/${id}/run-now`);
    expect(answer.statusCode).toBe(503);
    expect(errorOf(answer).code).toBe('worker_unavailable');
  });
});

describe('a preview of occurrences', () => {
  test('works for an unsaved schedule and excludes holidays', async () => {
    const answer = await as('viewer')('POST', '/api/campaigns/preview-occurrences', {
      schedule: { ...schedule, startsAt: '2030-12-24T09:00', holidayCalendarId: catalog.calendarId },
      count: 2,
    });
    expect(answer.json()).toEqual({
      occurrences: [
        { at: '2030-12-24T12:00:00.000Z', local: '2030-12-24T09:00', offset: '-03:00' },
        { at: '2030-12-26T12:00:00.000Z', local: '2030-12-26T09:00', offset: '-03:00' },
      ],
      leftOut: [{ date: '2030-12-25', name: 'Natal' }],
    });
  });

  test('shows the requested number of occurrences of a campaign', async () => {
    const { id } = await save(draft());
    const answer = await as('viewer')('GET', `/api/campaigns/${id}/occurrences?count=7`);
    expect(answer.json<{ occurrences: [] }>().occurrences).toHaveLength(7);
    expect((await as('viewer')('GET', `/api/campaigns/${id}/occurrences?count=700`)).statusCode).toBe(400);
  });
});

describe('the preview of a message', () => {
  test('shows the text for a contact and its cost', async () => {
    const { id } = await save(documentOf(catalog));
    const preview = async (body: object) =>
      (await as('viewer')('POST', `/api/campaigns/${id}/preview-message`, body)).json<unknown>();
    expect(await preview({ sample: { code: '77', name: 'João' } })).toEqual({
      text: 'Ola Joao, seu codigo é 77.'.replace('é', 'é'),
      encoding: 'GSM-7',
      shift: null,
      characters: 26,
      segments: 1,
      remaining: 134,
      charactersOutside: [],
      otherwise: {
        ...{ encoding: 'UCS-2', shift: null, characters: 26, segments: 1 },
        charactersOutside: ['á', 'ã', 'ó'],
      },
      skipped: null,
      cost: { segments: 1, millionths: 0, unpriced: 1, currency: 'BRL' },
    });
    expect(
      await preview({ template: `${'ã'.repeat(70)}{nome}`, removeAccents: false, sample: { name: 'X' } }),
    ).toMatchObject({
      encoding: 'UCS-2',
      characters: 71,
      segments: 2,
      charactersOutside: ['ã'],
      skipped: 'message_too_long',
    });
  });

  test('uses the Portuguese segment profile of its provider', async () => {
    const added = await as('admin')('POST', '/api/providers', {
      name: 'Infobip',
      config: { kind: 'infobip', baseUrl: 'https://x1.api.infobip.com', from: 'Loja' },
      secrets: { kind: 'infobip', apiKey: 'key', callbackSecret: 'a-secret-of-twenty-letters' },
      segmentProfile: 'portuguese',
    });
    const { id } = await save(documentOf({ ...catalog, providerId: added.json<{ id: number }>().id }));
    const template = 'Não é só avaliação: é informação à mão, João! '.repeat(4).slice(0, 141);
    const preview = await as('viewer')('POST', `/api/campaigns/${id}/preview-message`, { template });
    expect(preview.json()).toMatchObject({
      ...{ text: template, encoding: 'GSM-7', shift: 'locking', segments: 1, remaining: 14 },
      ...{ charactersOutside: [], skipped: null },
    });
  });
});

describe('a list', () => {
  test('is paginated, newest first', async () => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.unshift((await save(draft())).id);
    const page = async (query: string) =>
      (await as('viewer')('GET', `/api/campaigns?${query}`))
        .json<{ campaigns: { id: number }[] }>()
        .campaigns.map(({ id }) => id);
    expect(await page('limit=2')).toEqual(ids.slice(0, 2));
    expect((await page(`limit=2&before=${ids[1] ?? 0}`))[0]).toBe(ids[2]);
  });

  test('shows the next planned occurrence of each enabled campaign and the number of problems', async () => {
    const enabled = await createReadyCampaign(api, documentOf(catalog));
    await enableCampaign(sql, enabled);
    const complete = await createReadyCampaign(api, documentOf(catalog));
    const listed = async () => {
      const answer = await as('viewer')('GET', '/api/campaigns?limit=3');
      const { campaigns } = answer.json<{ campaigns: object[] }>();
      return campaigns;
    };
    // The next occurrence that the workflow has planned, not one computed from the schedule.
    expect(await listed()).toMatchObject([{ id: complete }, { id: enabled, nextAt: null }, {}]);
    await setNextAt(sql, enabled, new Date('2030-03-16T12:00:00Z'));
    const over = { ...schedule, recurrence: { every: 'once' }, startsAt: '2020-01-01T09:00' };
    const { id: past } = await save({ ...draft(), schedule: over });
    const { problems } = (await operator('GET', `/api/campaigns/${past}`)).json<{ problems: object[] }>();
    expect(problems).toContainEqual(expect.objectContaining({ code: 'no_next_occurrence' }));
    expect(await listed()).toMatchObject([
      { id: past, enabled: false, problemCount: problems.length, nextAt: null },
      { id: complete, enabled: false, problemCount: 0, nextAt: null },
      { id: enabled, enabled: true, problemCount: 0, nextAt: '2030-03-16T12:00:00.000Z' },
    ]);
  });

  test('has a maximum page size', async () => {
    const answer = await as('viewer')('GET', '/api/campaigns?limit=201');
    expect([answer.statusCode, errorOf(answer).problems?.[0]?.field]).toEqual([400, 'limit']);
  });
});
