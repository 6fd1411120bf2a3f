import type { FastifyInstance } from 'fastify';
import type { VNode } from 'preact';
import type { z } from 'zod';
import { newPrice, pricesView } from '../../api/money/prices.ts';
import type { Format } from '../../domain/format.ts';
import { regionsOf } from '../../domain/phone.ts';
import { type Api, urlOf } from '../kit/api.ts';
import { ActionButton, Submit } from '../kit/buttons.tsx';
import { TextField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { Card, State, Table } from '../kit/parts.tsx';
import { addAction, addForm } from '../kit/routes.ts';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { moneyWords } from './words.ts';

export type Prices = z.output<typeof pricesView>;

export const pricesOf = (api: Api, providerId: number): Promise<Prices> =>
  api.get(`/api/providers/${providerId}/prices`, pricesView);

/** The actions of the card, for the pages of providers. */
export function addPrices(
  app: FastifyInstance,
  { path, page }: { path: string; page: (api: Api, id: number, price: FormState) => Promise<VNode> },
): void {
  addForm(app, `${path}/:id/prices`, 'admin', {
    send: async ({ api, view, id, form }) => {
      const body = {
        prefix: form.text('prefix'),
        firstDay: form.text('firstDay'),
        price: form.text('price'),
      };
      await api.send('PUT', `/api/providers/${id}/prices`, body);
      return { to: `${path}/${id}#prices`, notice: { words: moneyWords[view.locale].prices.added } };
    },
    again: ({ api, id }, state) => page(api, id, state),
  });

  addAction(app, `${path}/:id/prices/remove`, 'admin', {
    work: async ({ api, view, id, form }) => {
      const key = { prefix: form.text('prefix'), firstDay: form.text('firstDay') };
      await api.send('DELETE', urlOf(`/api/providers/${id}/prices`, key));
      return { to: `${path}/${id}#prices`, notice: { words: moneyWords[view.locale].prices.removed } };
    },
    otherwise: ({ id }) => `${path}/${id}`,
  });
}

/** What a segment costs at a provider: by country and day. */
export function PricesCard({
  address,
  prices: { prices, currency },
  state,
}: {
  address: string;
  prices: Prices;
  state: FormState;
}) {
  const t = useWords(moneyWords);
  const format = useFormat();
  const mayChange = useMay('admin');
  const words = t.prices;
  return (
    <div id="prices">
      <Card title={words.title}>
        <p>{words.help}</p>
        {prices.length === 0 ? (
          <p class="text-secondary">{words.none}</p>
        ) : (
          <Table
            caption={words.title}
            rows={prices.map((price) => ({ ...price, id: `${price.prefix} ${price.firstDay}` }))}
            columns={[
              {
                heading: words.country,
                cell: ({ prefix }) =>
                  prefix === '' ? words.all : countryWords(prefix, format, words.andOthers),
              },
              {
                heading: words.firstDay,
                cell: ({ firstDay, current }) => (
                  <>
                    {format.calendarDate(firstDay)} {current && <State tone="good">{words.now}</State>}
                  </>
                ),
              },
              {
                heading: words.price,
                numeric: true,
                cell: ({ millionths }) => format.unitPrice(millionths, currency),
              },
              {
                heading: words.remove,
                shown: mayChange,
                cell: ({ prefix, firstDay }) => (
                  <ActionButton action={`${address}/remove`} small values={{ prefix, firstDay }}>
                    {words.remove}
                  </ActionButton>
                ),
              },
            ]}
            empty={null}
          />
        )}
        {mayChange && (
          <Form action={address} state={state} schema={newPrice} words={t}>
            <div class="row mt-3">
              <TextField
                name="price"
                label={`${t.fields.price} (${currency})`}
                class="col-sm-4 mb-3"
                required
              />
              <TextField name="firstDay" type="date" class="col-sm-4 mb-3" required />
              <TextField name="prefix" type="tel" class="col-sm-4 mb-3" />
            </div>
            <Submit kind="plain">{words.add}</Submit>
          </Form>
        )}
      </Card>
    </div>
  );
}

/** Countries that share a calling code are many: the first of each is named by most. */
const bestKnown: Readonly<Record<string, string>> = {
  '1': 'US',
  '7': 'RU',
  '39': 'IT',
  '44': 'GB',
  '47': 'NO',
  '61': 'AU',
};

/** A calling code with its countries: `+351 Portugal`. */
export function countryWords(prefix: string, format: Format, andOthers: (others: string) => string): string {
  const regions = regionsOf(prefix);
  const first = bestKnown[prefix] ?? regions[0];
  if (first === undefined) return `+${prefix}`;
  const others = regions.length - 1;
  return [
    `+${prefix}`,
    format.country(first),
    ...(others === 0 ? [] : [andOthers(format.number(others))]),
  ].join(' ');
}
