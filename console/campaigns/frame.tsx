import type { ComponentChildren } from 'preact';
import type { CampaignState as CampaignStateName } from '../../domain/campaign.ts';
import { type Block, blocks, type Campaign, campaignUrl, isOf } from './blocks.tsx';
import { ActionButton } from '../kit/buttons.tsx';
import { campaigns as campaignWords } from './words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { State, type Tone } from '../kit/parts.tsx';
import { useMay, useWords } from '../kit/view.tsx';

const tones: Readonly<Record<CampaignStateName, Tone>> = {
  enabled: 'good',
  disabled: 'warn',
  draft: 'neutral',
  archived: 'neutral',
};

export function CampaignState({ state }: { state: CampaignStateName }) {
  const t = useWords(campaignWords);
  return <State tone={tones[state]}>{t.states[state]}</State>;
}

/** The shared parts of a campaign's pages: its name and state, its actions, and the navigation between blocks. */
export function CampaignFrame({
  campaign,
  block,
  chart = false,
  children,
}: {
  campaign: Campaign;
  block?: Block;
  /** The page has a chart. */
  chart?: boolean;
  children: ComponentChildren;
}) {
  const t = useWords(campaignWords);
  const mayChange = useMay('operator');
  const { id, enabled, state, problems, definition } = campaign;
  const archived = state === 'archived';
  return (
    <Page
      title={definition.name}
      section="campaigns"
      chart={chart}
      trail={[{ href: '/campaigns', label: t.title }]}
      actions={
        <>
          <CampaignState state={state} />
          {mayChange && enabled && (
            <a class="btn btn-primary" href={`${campaignUrl(id)}/run-now`}>
              <Icon name="play" /> {t.runNow}
            </a>
          )}
          {mayChange && !archived && (enabled || problems.length === 0) && (
            <ActionButton action={`${campaignUrl(id)}/dry-run`}>{t.dryRun}</ActionButton>
          )}
          {mayChange && enabled && (
            <a class="btn" href={`${campaignUrl(id)}/disable`}>
              {t.disable}
            </a>
          )}
          {mayChange && !enabled && !archived && (
            <ActionButton action={`${campaignUrl(id)}/enable`} kind="primary">
              {t.enable}
            </ActionButton>
          )}
          {mayChange && archived && (
            <ActionButton action={`${campaignUrl(id)}/restore`} kind="primary">
              {t.restore}
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
      {archived && (
        <div class="alert alert-info" role="status">
          {t.archivedText}
        </div>
      )}
      {children}
    </Page>
  );
}
