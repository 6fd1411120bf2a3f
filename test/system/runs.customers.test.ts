import { afterAll, expect, test } from 'vitest';
import { insertSetting } from '../../db/settings/settings.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createEnabledCampaign, phoneOf, readRun, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';
import { json, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
const system = await createSystem();
const { sql } = system;
const { ended } = createRunProbe(system);
afterAll(() => service.close());

test('a run registers its contacts as customers with its region and type, and changes only values in the mailing', async () => {
  const region = await insertSetting(sql, 'regions', { name: 'Sul', definition: {} });
  const type = await insertSetting(sql, 'customerTypes', { name: 'Varejo', definition: {} });
  await sql`
    insert into customers (code, name, mobile, birth_date, consent) values
      ('2', 'Bia Antiga', null, '1980-01-01', 'granted'), ('3', 'Caio', ${phoneOf(3)}, null, 'refused')`;
  const campaign = await createEnabledCampaign(system, {
    template: 'Ola! Pedido {codigo}.',
    webservice: { baseUrl: service.url, registerCustomers: true },
  });
  await sql`
    update campaigns set definition = jsonb_set(definition, '{mailing}', definition -> 'mailing'
      || jsonb_build_object('regionId', ${region.id}::int, 'customerTypeId', ${type.id}::int))
    where id = ${campaign.id}`;
  service.answer(
    json([
      { codigo: 1, nome: 'Ana', celular: phoneOf(1), dataNascimento: '06/05/1990' },
      { codigo: 2, nome: null, celular: phoneOf(2) },
      { codigo: 3, nome: 'Caio', celular: phoneOf(3) },
      { nome: 'Sem telefone' },
      { codigo: 5, nome: 'Eva', telefone: '(11) 3000-0005' },
    ]),
  );
  const run = await startRun(system, { campaign });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 2,
    'skipped: no_consent': 1,
    'skipped: phone_missing': 1,
    'skipped: not_a_mobile': 1,
  });
  const [here, kind] = [region.id, type.id];
  const customers = await sql`
    select code, name, mobile, phone, birth_date::text, consent, region_id, customer_type_id from customers order by code`;
  expect(customers.map((row): unknown[] => Object.values(row))).toEqual([
    ['1', 'Ana', phoneOf(1), null, '1990-05-06', 'not_stated', here, kind],
    ['2', 'Bia Antiga', phoneOf(2), null, '1980-01-01', 'granted', here, kind],
    ['3', 'Caio', phoneOf(3), null, null, 'refused', here, kind],
    ['5', 'Eva', null, '+551130000005', null, 'not_stated', here, kind],
  ]);
  // Each message has its customer, and through its run the region and the type of the mailing.
  const messages = await sql`
    select m.line, c.code, runs.region_id, runs.customer_type_id
    from messages as m join runs on runs.id = m.run_id left join customers as c on c.id = m.customer_id
    where run_id = ${run.id} order by line`;
  expect(messages.map((row): unknown[] => Object.values(row))).toEqual([
    [1, '1', here, kind],
    [2, '2', here, kind],
    [3, '3', here, kind],
    [4, null, here, kind],
    [5, '5', here, kind],
  ]);

  // The same mailing again changes no customer.
  const before = await sql`select id, updated_at from customers order by id`;
  await ended(await startRun(system, { campaign }));
  expect(await sql`select id, updated_at from customers order by id`).toEqual(before);
});

test('a dry run registers no customers', async () => {
  service.answer(json([{ codigo: 20, nome: 'Olga', celular: phoneOf(20) }]));
  const campaign = await createEnabledCampaign(system, {
    webservice: { baseUrl: service.url, registerCustomers: true },
  });
  const { runId } = await system.temporal.dryRun(campaign);
  await ended(await readRun(sql, runId));
  expect(await expectCountsToMatchRows(sql, runId)).toEqual({ 'cancelled: dry_run': 1 });
  expect(await sql`select from customers where code = '20'`).toHaveLength(0);
});

test('a customer who refused and is matched by code is skipped despite a new phone', async () => {
  await sql`insert into customers (code, name, consent) values ('9', 'Nina', 'refused')`;
  service.answer(json([{ codigo: 9, nome: 'Nina', celular: phoneOf(9) }]));
  const run = await startRun(system, { webservice: { baseUrl: service.url } });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ 'skipped: no_consent': 1 });
});
