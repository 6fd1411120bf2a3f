import type { ComponentChildren } from 'preact';
import { campaign as wholeCampaign, type CampaignState as CampaignStateName } from '../../domain/campaign.ts';
import {
  type Block,
  BlockMarks,
  blocks,
  type Campaign,
  campaignUrl,
  fieldUrlFrom,
  isOf,
  useMayEdit,
} from './blocks.tsx';
import { ActionButton, Submit } from '../kit/buttons.tsx';
import { Form, type FormState, useReadOnly } from '../kit/form.tsx';
import { common } from '../kit/words.ts';
import { campaigns as campaignWords } from './words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { State, Tab, type Tone } from '../kit/parts.tsx';
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
        <ul class="nav nav-tabs">
          <Tab href={campaignUrl(id)} active={block === undefined}>
            {t.blocks.overview}
          </Tab>
          {blocks.map((one) => (
            <Tab key={one} href={campaignUrl(id, one)} active={one === block}>
              {t.blocks[one]}
              {problems.some(isOf(one)) && (
                <span class="tab-mark">
                  {problems.filter(isOf(one)).length}
                  <span class="visually-hidden"> {t.lacking}</span>
                </span>
              )}
            </Tab>
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

/** The page of a block: its form, between the campaign's shared parts. */
export function BlockForm({
  campaign,
  block,
  state,
  class: className,
  beside,
  children,
  ...options
}: {
  campaign: Campaign;
  block: Block;
  /** Outside of its form. */
  beside?: ComponentChildren;
  state: FormState;
  class: string;
  id?: string;
  once?: boolean;
  children: ComponentChildren;
}) {
  const t = useWords(campaignWords);
  const mayChange = useMayEdit(campaign);
  const { id } = campaign;
  return (
    <CampaignFrame campaign={campaign} block={block}>
      {beside}
      <Form
        action={campaignUrl(id, block)}
        state={state}
        schema={wholeCampaign}
        words={t}
        readOnly={!mayChange}
        draft={`campaign ${id} ${block}`}
        class={className}
        summaryHref={fieldUrlFrom(id, block)}
        {...options}
      >
        <BlockMarks campaign={campaign} block={block} state={state} />
        {children}
      </Form>
    </CampaignFrame>
  );
}

/** The end of a block's form, which stays in view. `last`: no block follows. `children`: further buttons. */
export function BlockEnd({ last = false, children }: { last?: boolean; children?: ComponentChildren }) {
  const words = useWords(common);
  if (useReadOnly()) return null;
  return (
    <div class="buttons within-reach">
      <Submit>{last ? words.save : words.saveAndContinue}</Submit>
      {children}
    </div>
  );
}
