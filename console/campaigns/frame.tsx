import type { ComponentChildren } from 'preact';
import { type Block, blocks, type Campaign, campaignUrl, isOf } from './blocks.tsx';
import { ActionButton } from '../kit/buttons.tsx';
import { campaigns as campaignWords } from './words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { State } from '../kit/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';

export function CampaignState({ enabled, problemCount }: { enabled: boolean; problemCount: number }) {
  const t = useWords(campaignWords);
  if (enabled) return <State tone="good">{t.enabled}</State>;
  if (problemCount > 0) return <State tone="neutral">{t.draft}</State>;
  return <State tone="warn">{t.disabled}</State>;
}

/** What the pages of one campaign share: its name and state, what is done with it, and the way from block to block. */
export function CampaignFrame({
  campaign,
  block,
  children,
}: {
  campaign: Campaign;
  block?: Block;
  children: ComponentChildren;
}) {
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  const { id, enabled, problems, definition } = campaign;
  return (
    <Page
      title={definition.name}
      section="campaigns"
      trail={[{ href: '/campaigns', label: t.title }]}
      actions={
        <>
          <CampaignState enabled={enabled} problemCount={problems.length} />
          {mayChange && enabled && (
            <a class="btn btn-primary" href={`${campaignUrl(id)}/run-now`}>
              <Icon name="play" /> {t.runNow}
            </a>
          )}
          {mayChange && (enabled || problems.length === 0) && (
            <ActionButton action={`${campaignUrl(id)}/dry-run`}>{t.dryRun}</ActionButton>
          )}
          {mayChange && enabled && (
            <a class="btn" href={`${campaignUrl(id)}/disable`}>
              {t.disable}
            </a>
          )}
          {mayChange && !enabled && (
            <ActionButton action={`${campaignUrl(id)}/enable`} kind="primary">
              {t.enable}
            </ActionButton>
          )}
        </>
      }
    >
      <nav class="tabs" aria-label={t.summaryOf}>
        <ul>
          <li>
            <a href={campaignUrl(id)} aria-current={block === undefined ? 'page' : undefined}>
              {t.blocks.overview}
            </a>
          </li>
          {blocks.map((one) => (
            <li key={one}>
              <a href={campaignUrl(id, one)} aria-current={one === block ? 'page' : undefined}>
                {t.blocks[one]}
                {problems.some(isOf(one)) && (
                  <span class="tab-mark">
                    {problems.filter(isOf(one)).length}
                    <span class="visually-hidden"> {t.lacking}</span>
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {children}
    </Page>
  );
}
