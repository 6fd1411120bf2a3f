import { type Cost, isPriced } from '../../domain/price.ts';
import { useFormat, useMay, useWords } from '../kit/view.tsx';
import { providersPath } from '../providers/parts.tsx';
import { moneyWords } from './words.ts';

/** What segments cost; without a price, that there is none, and for admins where to enter it. */
export function CostWords({ cost, providerId }: { cost: Cost; providerId: number | null }) {
  const t = useWords(moneyWords).cost;
  const format = useFormat();
  const mayChange = useMay('admin');
  const { currency, millionths, segments, unpriced } = cost;
  if (segments === 0) return <>—</>;
  const link = mayChange && providerId !== null && unpriced > 0 && (
    <>
      {' '}
      <a href={`${providersPath}/${providerId}#prices`}>{t.enter}</a>
    </>
  );
  if (!isPriced(cost))
    return (
      <>
        {t.none}
        {link}
      </>
    );
  return (
    <>
      {format.money(millionths, currency)}
      {unpriced > 0 && (
        <>
          {' '}
          {t.andUnpriced(format.count(unpriced, t.segment, t.segments))}
          {link}
        </>
      )}
    </>
  );
}

/** `R$ 1.284,00 for 12,840 segments.` */
export function CostSentence({ cost, providerId }: { cost: Cost; providerId: number | null }) {
  const t = useWords(moneyWords).cost;
  const format = useFormat();
  if (cost.segments === 0) return null;
  return (
    <>
      {t.cost}: <CostWords cost={cost} providerId={providerId} />{' '}
      {t.forSegments(format.count(cost.segments, t.segment, t.segments))}
    </>
  );
}

/** In a list: the sum alone. */
export function CostCell({ cost }: { cost: Cost }) {
  const t = useWords(moneyWords).cost;
  const format = useFormat();
  if (cost.segments === 0) return <>—</>;
  return <>{isPriced(cost) ? format.money(cost.millionths, cost.currency) : t.none}</>;
}

/** The cost of one message, with all decimals of its price. */
export function OneCost({ cost, providerId }: { cost: Cost; providerId: number | null }) {
  const format = useFormat();
  if (!isPriced(cost)) return <CostWords cost={cost} providerId={providerId} />;
  return <>{format.unitPrice(cost.millionths, cost.currency)}</>;
}

/** The value of a figure: what a run has cost, and below it what it will cost and what is in doubt. */
export function CostFigure({
  cost,
  inDoubt,
  planned,
  providerId,
}: {
  cost: Cost;
  inDoubt: Cost;
  planned: Cost | null;
  providerId: number | null;
}) {
  const t = useWords(moneyWords).cost;
  const format = useFormat();
  const small = [
    ...(planned !== null && isPriced(planned)
      ? [t.planned(format.money(planned.millionths, planned.currency))]
      : []),
    ...(isPriced(inDoubt) ? [t.inDoubt(format.money(inDoubt.millionths, inDoubt.currency))] : []),
  ];
  return (
    <>
      <CostWords cost={cost} providerId={providerId} />
      <small>{small.join('; ')}</small>
    </>
  );
}
