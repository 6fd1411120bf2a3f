import type { FastifyPluginAsync } from 'fastify';
import { costsView, deploymentBudget } from '../../api/money/budgets.ts';
import type { Format } from '../../domain/format.ts';
import { isPriced, millionthsOf } from '../../domain/price.ts';
import type { Api } from '../kit/api.ts';
import { Save } from '../kit/buttons.tsx';
import { providersOf } from '../kit/choices.ts';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card, Facts, Table } from '../kit/parts.tsx';
import { useFormat, useWords } from '../kit/view.tsx';
import { providersPath } from '../providers/parts.tsx';
import { CostCell } from './cost.tsx';
import { pricesOf } from './prices.tsx';
import { moneyWords } from './words.ts';

export const costsPath = '/settings/costs';

/** What the month has cost, the budget of the deployment, and the current prices. */
export const costs: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: costsPath,
    api: '/api/costs/budget',
    schema: deploymentBudget,
    // Without its schema: the API reads the amount in the user's language.
    bodyOf: (form) => ({ monthly: form.optional('monthly') }),
    valuesOf: ({ monthly }, { view }) => ({
      monthly: monthly === null ? null : amountField(monthly, view.format),
    }),
    page: async ({ api }, form, { document }) => (
      <CostsPage {...await costsOf(api)} monthly={document.monthly} form={form} />
    ),
  });
};

/** An amount of a document, as its form shows it. */
export const amountField = (decimal: string, format: Format): string =>
  format.number(millionthsOf(decimal) / 1_000_000, { minimumFractionDigits: 2 });

async function costsOf(api: Api) {
  const [costs, providers] = await Promise.all([api.get('/api/costs', costsView), providersOf(api)]);
  const used = providers.filter(({ archivedAt }) => archivedAt === null);
  const prices = await Promise.all(
    used.map(async ({ id, name }) => ({ id, name, ...(await pricesOf(api, id)) })),
  );
  return { costs, prices };
}

function CostsPage({
  costs: { month, spent, answers, tests, campaigns },
  monthly,
  prices,
  form,
}: Awaited<ReturnType<typeof costsOf>> & { monthly: string | null; form: DocumentForm }) {
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
          <Form {...form} words={t}>
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
