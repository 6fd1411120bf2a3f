import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvOf, planLines } from '../../chaos/contacts.ts';
import { links, makePlan, type PlanOptions, targets } from '../../chaos/plan.ts';

const options = fc.record({
  seed: fc.integer({ min: 0, max: 0xffffffff }),
  disruptions: fc.integer({ min: 1, max: 120 }),
  contacts: fc.integer({ min: 50, max: 600 }),
  longestMs: fc.integer({ min: 1_000, max: 60_000 }),
});
const plans = (check: (plan: ReturnType<typeof makePlan>, chosen: PlanOptions) => void): void =>
  fc.assert(
    fc.property(options, (chosen) => check(makePlan(chosen), chosen)),
    { numRuns: 30 },
  );
const disruptionsOf = (plan: ReturnType<typeof makePlan>) =>
  plan.rounds.flatMap(({ disruptions }) => disruptions);

test('the same seed gives the same disruptions and lines, and another seed gives others', () => {
  plans((plan, chosen) => {
    const again = makePlan(chosen);
    expect(again).toEqual(plan);
    for (const campaign of plan.rounds[0]?.campaigns ?? [])
      expect(planLines(again, campaign)).toEqual(planLines(plan, campaign));
  });
  const chosen = { disruptions: 20, contacts: 100, longestMs: 30_000 };
  expect(makePlan({ seed: 1, ...chosen }).rounds).not.toEqual(makePlan({ seed: 2, ...chosen }).rounds);
});

test('a plan has all disruptions, half of them freezes, and none above the maximum duration', () => {
  plans((plan, { disruptions, longestMs }) => {
    const planned = disruptionsOf(plan);
    expect(planned).toHaveLength(disruptions);
    expect(planned.filter(({ kind }) => kind === 'freeze')).toHaveLength(Math.floor(disruptions / 2));
    for (const { ms } of planned) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Math.max(longestMs, 2_000));
    }
  });
});

test('every process and every link is disrupted equally often, to within one', () => {
  plans((plan) => {
    const planned = disruptionsOf(plan);
    const expectEven = (hits: string[], among: readonly string[]): void => {
      const counts = among.map((one) => hits.filter((hit) => hit === one).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    };
    expectEven(
      planned.flatMap((disruption) => (disruption.kind === 'freeze' ? [disruption.target] : [])),
      targets,
    );
    expectEven(
      planned.flatMap((disruption) => (disruption.kind === 'cut' ? [disruption.link] : [])),
      links,
    );
  });
});

test('the disruptions of a round are in the order of its progress', () => {
  plans((plan) => {
    for (const { disruptions } of plan.rounds) {
      const marks = disruptions.map(({ at }) => (at === 'start' ? 0 : at === 'end' ? 1 : at));
      expect(marks).toEqual(marks.toSorted((a, b) => a - b));
    }
  });
});

test('the campaigns of a round have all its contacts, and no two contacts share a phone or a code', () => {
  plans((plan, { contacts }) => {
    for (const { campaigns } of plan.rounds)
      expect(campaigns.reduce((sum, campaign) => sum + campaign.contacts, 0)).toBe(contacts);
    const campaigns = plan.rounds.slice(0, 3).flatMap((round) => round.campaigns);
    const lines = campaigns.flatMap((campaign) => planLines(plan, campaign));
    expect(new Set(lines.map(({ code }) => code)).size).toBe(lines.length);
    const phones = lines
      .filter(({ expected }) => expected === 'sent' || expected === 'refused')
      .map(({ phone }) => phone);
    expect(new Set(phones).size).toBe(phones.length);
  });
});

test('two rounds have every source with both ticket policies', () => {
  plans((plan, { disruptions }) => {
    if (disruptions <= 10) return;
    const campaigns = plan.rounds.slice(0, 2).flatMap((round) => round.campaigns);
    const combinations = new Set(campaigns.map(({ source, ticketPolicy }) => `${source} ${ticketPolicy}`));
    for (const each of ['csv on_reply', 'csv on_send', 'webservice on_reply', 'webservice on_send'])
      expect(combinations).toContain(each);
  });
});

test('a mailing has its lines in the layout of an upload', () => {
  const plan = makePlan({ seed: 1, disruptions: 1, contacts: 50, longestMs: 1_000 });
  const [campaign] = plan.rounds[0]?.campaigns ?? [];
  if (!campaign) throw new Error('The plan has no campaign.');
  const lines = planLines(plan, campaign, ['+5511900000001']);
  const [header, first] = csvOf(lines).split('\n');
  expect(header).toBe('codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem');
  expect(first).toBe(`r1a-1;Maria;${lines[0]?.phone ?? ''};;;;`);
  expect(lines.at(-1)).toMatchObject({ phone: '+5511900000001', expected: 'opted_out' });
});
