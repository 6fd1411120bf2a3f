import { expect, test } from 'vitest';
import { recordConsents } from '../../db/customers/consents.ts';
import { registerCustomers } from '../../db/customers/matching.ts';
import { optOutPhone } from '../../db/customers/opt-outs.ts';
import { createPhoneHashing } from '../../db/core/phone-hash.ts';
import { savePrivacySettings } from '../../db/customers/privacy.ts';
import { privacySettings } from '../../domain/privacy.ts';
import type { Consent } from '../../domain/customer.ts';
import { expectCountsToMatchRows } from '../kit/counts.ts';
import { createCampaign, mailing, phoneOf, startRun } from '../kit/factories.ts';
import { createRunProbe } from '../kit/runs.ts';
import { createSystem } from '../kit/system.ts';

const system = await createSystem();
const { sql } = system;
const { ended } = createRunProbe(system);

/** Creates a customer with the phone of a line and a consent. */
async function customer(line: number, consent: Consent, given: { code?: string } = {}): Promise<number> {
  return sql.begin(async (tx) => {
    const [registered] = await registerCustomers(tx, [
      {
        code: given.code ?? null,
        name: null,
        mobile: phoneOf(line),
        phone: null,
        phone2: null,
        birthDate: null,
        regionId: null,
        customerTypeId: null,
      },
    ]);
    const id = registered?.id ?? 0;
    await recordConsents(tx, [{ customerId: id, consent, at: new Date() }], {
      source: 'api',
      actor: 'token:1',
    });
    return id;
  });
}

const enabled = async (ignoreConsent: boolean, lines: number) => {
  const campaign = await createCampaign(system, { mailing: mailing(lines) });
  await sql`
    update campaigns set enabled = true, enabled_at = now(),
      definition = jsonb_set(definition, '{ignoreConsent}', ${String(ignoreConsent)}::text::jsonb) where id = ${campaign.id}`;
  await system.temporal.syncCampaign(campaign);
  return campaign;
};

test('customers who refused are skipped unless the campaign ignores consent, and opted-out phones always are', async () => {
  const refused = await customer(1, 'refused', { code: '1' });
  const byPhone = await customer(2, 'refused');
  const granted = await customer(3, 'granted', { code: '3' });
  await optOutPhone(sql, { phone: phoneOf(4), source: 'reply' });

  const run = await startRun(system, { campaign: await enabled(false, 5) });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 2,
    'skipped: no_consent': 2,
    'skipped: opted_out': 1,
  });
  const lines = await sql`select customer_id from messages where run_id = ${run.id} order by line`;
  expect(lines.map(({ customerId }) => customerId as number | null)).toEqual([
    refused,
    byPhone,
    granted,
    null,
    null,
  ]);

  const ignoring = await startRun(system, { campaign: await enabled(true, 5) });
  await ended(ignoring);
  expect(await expectCountsToMatchRows(sql, ignoring.id)).toEqual({ sent: 4, 'skipped: opted_out': 1 });
});

test('a deployment that requires consent sends only to customers who granted it', async () => {
  await savePrivacySettings(sql, privacySettings.parse({ consentRequired: true }));
  const run = await startRun(system, { campaign: await enabled(false, 5) });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({
    sent: 1,
    'skipped: no_consent': 4,
  });
  await savePrivacySettings(sql, privacySettings.parse({}));
});

test('an opt-out that is stored only as a hash excludes exactly its phone', async () => {
  const hash = await createPhoneHashing({ sql, box: system.box })();
  await sql`update opt_outs set phone = null, phone_hash = ${hash(phoneOf(4))} where phone = ${phoneOf(4)}`;
  const run = await startRun(system, { campaign: await enabled(true, 5) });
  await ended(run);
  expect(await expectCountsToMatchRows(sql, run.id)).toEqual({ sent: 4, 'skipped: opted_out': 1 });
});
