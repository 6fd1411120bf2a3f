import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import { campaignView } from '../api/campaign-view.ts';
import type { CampaignDraft, Problem } from '../domain/campaign.ts';
import type { Api } from './api.ts';
import { ActionButton, fieldId } from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { Icon } from './icons.tsx';
import { Page } from './layout.tsx';
import { State } from './parts.tsx';
import { useMay, useWords } from './view.tsx';

export type Campaign = z.output<typeof campaignView>;

/** The blocks of a campaign's form, in order; each is a page. */
export const blocks = ['schedule', 'message', 'mailing', 'ticket'] as const;
export type Block = (typeof blocks)[number];

export const campaignUrl = (id: number, block?: Block): string =>
  `/campaigns/${id}${block === undefined ? '' : `/${block}`}`;

/** Where one goes on to after a block was saved. */
export function nextUrl(id: number, block: Block): string {
  const next = blocks[blocks.indexOf(block) + 1];
  return campaignUrl(id, next);
}

/** The block in whose page a field stands. */
export function blockOf(field: string): Block {
  const [first = ''] = field.split('.');
  if (first === 'message' || first === 'template') return 'message';
  if (first === 'mailing' || first === 'safeguards') return 'mailing';
  return first === 'ticketPolicy' ? 'ticket' : 'schedule';
}

export const fieldUrl =
  (id: number) =>
  (field: string): string =>
    `${campaignUrl(id, blockOf(field))}#${fieldId(field)}`;

export const getCampaign = (api: Api, id: number): Promise<Campaign> =>
  api.get(`/api/campaigns/${id}`, campaignView);

/** Replaces parts of a campaign's document, of the version that the form was opened with. */
export async function saveCampaign(
  api: Api,
  id: number,
  form: FormValues,
  change: (definition: CampaignDraft) => object,
): Promise<void> {
  const { definition } = await getCampaign(api, id);
  const version = form.number('version');
  await api.send('PUT', `/api/campaigns/${id}`, { ...definition, ...change(definition), version });
}

/** Problems of other blocks are told with a link there. */
export const isOf =
  (block: Block) =>
  ({ field }: Problem): boolean =>
    blockOf(field) === block;

export function CampaignState({
  campaign,
}: {
  campaign: { enabled: boolean; problems?: readonly Problem[] };
}) {
  const t = useWords(campaignWords);
  if (campaign.enabled) return <State tone="good">{t.enabled}</State>;
  if ((campaign.problems?.length ?? 0) > 0) return <State tone="neutral">{t.draft}</State>;
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
          <CampaignState campaign={campaign} />
          {mayChange && enabled && (
            <>
              <a class="btn btn-primary" href={`${campaignUrl(id)}/run-now`}>
                <Icon name="play" /> {t.runNow}
              </a>
              <ActionButton action={`${campaignUrl(id)}/dry-run`}>{t.dryRun}</ActionButton>
              <a class="btn" href={`${campaignUrl(id)}/disable`}>
                {t.disable}
              </a>
            </>
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
                  <span class="tab-mark" title={t.draft}>
                    {problems.filter(isOf(one)).length}
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
