import type { FastifyPluginAsync } from 'fastify';
import type { z } from 'zod';
import { costsView, deploymentBudget } from '../../api/money/budgets.ts';
import type { Format } from '../../domain/format.ts';
import { isPriced, millionthsOf } from '../../domain/price.ts';
import type { Api } from '../kit/api.ts';
import { Save } from '../kit/buttons.tsx';
import { providersOf } from '../kit/choices.ts';
import { addDocument } from '../kit/document.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Facts, Table } from '../kit/parts.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { providersPath } from '../providers/parts.tsx';
import { CostCell } from './cost.tsx';
import { type Prices, pricesOf } from './prices.tsx';
import { moneyWords } from './words.ts';

export const costsPath = '/settings/costs';
const budgetAddress = '/api/costs/budget';

/** What the month has cost, the budget of the deployment, and the current prices. */
export const costs: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: costsPath,
    api: budgetAddress,
    schema: deploymentBudget,
    // Without its schema: the API reads the amount in the user's language.
    bodyOf: (form) => ({ monthly: form.optional('monthly') }),
    page: async ({ api, view }, rejected) => {
      if (rejected) return costsPage(api, rejected);
      const { monthly } = await api.get(budgetAddress, deploymentBudget);
      return costsPage(
        api,
        newForm({ monthly: monthly === null ? null : amountField(monthly, view.format) }),
      );
    },
  });
};

/** An amount of a document, as its form shows it. */
export const amountField = (decimal: string, format: Format): string =>
  format.number(millionthsOf(decimal) / 1_000_000, { minimumFractionDigits: 2 });

async function costsPage(api: Api, state: FormState) {
  const [costs, { monthly }, providers] = await Promise.all([
    api.get('/api/costs', costsView),
    api.get(budgetAddress, deploymentBudget),
    providersOf(api),
  ]);
  const used = providers.filter(({ archivedAt }) => archivedAt === null);
  const prices = await Promise.all(
    used.map(async ({ id, name }) => ({ id, name, ...(await pricesOf(api, id)) })),
  );
  return <CostsPage costs={costs} monthly={monthly} prices={prices} state={state} />;
}

function CostsPage({
  costs: { month, spent, answers, tests, campaigns },
  monthly,
  prices,
  state,
}: {
  costs: z.output<typeof costsView>;
  monthly: string | null;
  prices: readonly ({ id: number; name: string } & Prices)[];
  state: FormState;
}) {
  const t = useWords(moneyWords);
  const format = useFormat();
  const budget = monthly === null ? null : millionthsOf(monthly);
  const { currency } = spent;
  return (
    <SettingsPage title={t.page.title}>
      <p class="text-secondary">{t.costs.intro}</p>
      <div class="halves">
        <Card title={t.costs.spent(format.month(month))}>
          <p class="figure-value">
            {spent.segments === 0 || isPriced(spent) ? format.money(spent.millionths, currency) : t.cost.none}
          </p>
          {spent.unpriced > 0 && (
            <p>{t.costs.unpriced(format.count(spent.unpriced, t.cost.segment, t.cost.segments))}</p>
          )}
          {[answers, tests].some(({ segments }) => segments !== 0) && (
            <Facts
              facts={[
                [t.costs.answers, <CostCell cost={answers} />],
                [t.costs.tests, <CostCell cost={tests} />],
              ]}
            />
          )}
          {budget === null ? (
            <p class="text-secondary mb-0">{t.costs.noBudget}</p>
          ) : (
            <>
              <p class="mt-3">
                {t.costs.ofBudget(format.percent(spent.millionths / budget), format.money(budget, currency))}
              </p>
              <progress
                class="progress"
                value={Math.min(spent.millionths, budget)}
                max={budget}
                aria-label={t.costs.budget}
              />
            </>
          )}
        </Card>
        <Card title={t.costs.budget}>
          <p>{t.costs.budgetHelp}</p>
          <Form
            action={costsPath}
            changes={budgetAddress}
            state={state}
            schema={deploymentBudget}
            labels={t.fields}
            helps={t.helps}
            readOnly={!useMay('admin')}
          >
            <TextField
              name="monthly"
              label={`${t.fields.monthly} (${currency})`}
              class="narrow mb-3"
              required={false}
            />
            <Save />
          </Form>
        </Card>
      </div>
      <h2 class="h3 mt-3">{t.costs.campaigns}</h2>
      <Table
        caption={t.costs.campaigns}
        rows={campaigns}
        columns={[
          { heading: t.costs.campaign, cell: ({ id, name }) => <a href={`/campaigns/${id}`}>{name}</a> },
          { heading: t.costs.amount, numeric: true, cell: (one) => <CostCell cost={one.spent} /> },
          {
            heading: t.costs.ownBudget,
            numeric: true,
            wide: true,
            cell: (one) => (one.budget === null ? '—' : format.money(one.budget, currency)),
          },
        ]}
        empty={<p class="text-secondary m-3">{t.costs.empty}</p>}
      />
      <h2 class="h3 mt-3">{t.costs.prices}</h2>
      <Table
        caption={t.costs.prices}
        rows={prices}
        columns={[
          {
            heading: t.costs.provider,
            cell: ({ id, name }) => <a href={`${providersPath}/${id}#prices`}>{name}</a>,
          },
          {
            heading: t.prices.price,
            numeric: true,
            cell: ({ prices: all }) => {
              const present = all.filter(({ current }) => current);
              if (present.length === 0) return t.cost.none;
              return present.map(({ prefix, millionths }) => (
                <div key={prefix}>
                  {prefix === '' ? '' : `+${prefix}: `}
                  {format.unitPrice(millionths, currency)}
                </div>
              ));
            },
          },
        ]}
        empty={<p class="text-secondary m-3">{t.prices.none}</p>}
      />
    </SettingsPage>
  );
}
