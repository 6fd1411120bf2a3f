import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import type { Database, Sql } from '../../db/core/client.ts';
import { reprice } from '../../db/money/costs.ts';
import { listPrices, removePrice, setPrice } from '../../db/money/prices.ts';
import { lockProvider, getProvider } from '../../db/providers/providers.ts';
import { dayIn } from '../../domain/calendar.ts';
import { decimalOf, millionthsOf, type Price, pricePrefix, priceText } from '../../domain/price.ts';
import { audit } from '../http/auth.ts';
import { notFound } from '../http/errors.ts';
import { idParams } from '../http/parameters.ts';

const priceKey = z.strictObject({ prefix: pricePrefix.default(''), firstDay: z.iso.date() });
export const newPrice = priceKey.extend({ price: priceText });

export const pricesView = z.object({
  /** ISO 4217 */
  currency: z.string(),
  /** By prefix, the latest first. */
  prices: z.array(
    z.object({
      /** A country's calling code; '' for all countries. */
      prefix: z.string(),
      /** The day from which it applies, in the deployment's time zone. */
      firstDay: z.iso.date(),
      /** The price of one segment, as a decimal: `0.085`. */
      price: z.string(),
      /** The same in millionths of the currency. */
      millionths: z.int(),
      /** Whether it applies today. */
      current: z.boolean(),
    }),
  ),
});

interface PricesDeps {
  sql: Database;
  currency: string;
  timezone: string;
  clock: () => Date;
}

/** The prices of a segment at a provider. */
export const prices: FastifyPluginAsyncZod<PricesDeps> = async (app, { sql, currency, timezone, clock }) => {
  const tags = ['providers'];

  const view = async (tx: Sql, id: number): Promise<z.infer<typeof pricesView>> => {
    const all = await listPrices(tx, id);
    const day = dayIn(clock(), timezone);
    // Sorted: the first that has begun is the latest.
    const isCurrent = (price: Price): boolean =>
      all.find(({ prefix, firstDay }) => prefix === price.prefix && firstDay <= day) === price;
    return {
      currency,
      prices: all.map((price) => ({
        ...price,
        price: decimalOf(price.millionths),
        current: isCurrent(price),
      })),
    };
  };

  app.get(
    '/:id/prices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the prices of a provider',
        params: idParams,
        response: { 200: pricesView },
      },
    },
    async (request) => {
      const { id } = request.params;
      if (!(await getProvider(sql, id))) throw notFound('provider', id);
      return view(sql, id);
    },
  );

  app.put(
    '/:id/prices',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set a price of a provider',
        description:
          'The price of one segment in the currency of the deployment, as a decimal string with at most six decimals: `0.085` or `0,085`. `prefix` is the calling code of a country, or empty for all countries without a price of their own. The price applies from `firstDay` until the next price of the same prefix begins, and replaces a price with the same prefix and first day. If the day is in the past, the costs since that day change.',
        params: idParams,
        body: newPrice,
        response: { 200: pricesView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { prefix, firstDay, price } = request.body;
      return sql.begin(async (tx) => {
        if (!(await lockProvider(tx, id))) throw notFound('provider', id);
        const before = await setPrice(tx, id, { prefix, firstDay, millionths: millionthsOf(price) });
        await reprice(tx, { providerId: id, from: firstDay });
        await audit(
          tx,
          request,
          'provider.set_price',
          { kind: 'provider', id },
          { prefix, firstDay },
          { price: [before === null ? null : decimalOf(before), price] },
        );
        return view(tx, id);
      });
    },
  );

  app.delete(
    '/:id/prices',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Delete a price of a provider',
        description:
          'Costs that used the price are computed again with the previous price, or without a price. Deleting a price that does not exist is not an error.',
        params: idParams,
        querystring: priceKey,
        response: { 200: pricesView },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { prefix, firstDay } = request.query;
      return sql.begin(async (tx) => {
        if (!(await lockProvider(tx, id))) throw notFound('provider', id);
        if (await removePrice(tx, id, { prefix, firstDay })) {
          await reprice(tx, { providerId: id, from: firstDay });
          await audit(tx, request, 'provider.remove_price', { kind: 'provider', id }, { prefix, firstDay });
        }
        return view(tx, id);
      });
    },
  );
};
