import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { VNode } from 'preact';
import type { z } from 'zod';
import { campaignView } from '../../api/campaigns/view.ts';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import { type CampaignDraft, campaignDraft } from '../../domain/campaign.ts';
import { type Api, refusalOf } from '../kit/api.ts';
import { fieldId, type FormState } from '../kit/form.tsx';
import { FormValues } from '../kit/form-data.ts';
import { problemWords } from '../kit/problems.ts';
import { addForm, addPage, type PageRequest } from '../kit/routes.ts';
import { common } from '../kit/words.ts';
import { useMay } from '../kit/view.tsx';

export type Campaign = z.output<typeof campaignView>;

/** Whether the user may change it: an archived campaign is restored first. A new one is not saved yet. */
export const useMayEdit = (campaign: Campaign | undefined): boolean =>
  useMay('operator') && campaign?.state !== 'archived';

/** The blocks of a campaign's form, in order; each is a separate page. */
export const blocks = ['schedule', 'message', 'mailing', 'ticket'] as const;
export type Block = (typeof blocks)[number];

/** The part of the document that a block's page shows. */
const partOf: Readonly<Record<Block, (definition: CampaignDraft) => unknown>> = {
  schedule: ({ name, description, kind, ignoreConsent, schedule }) => [
    name,
    description,
    kind,
    ignoreConsent,
    schedule,
  ],
  message: ({ message }) => message,
  // The upload of a file saves the source, beside the form.
  mailing: ({ mailing: { source: _, ...mailing }, safeguards }) => [mailing, safeguards],
  ticket: ({ ticketPolicy }) => ticketPolicy,
};

export const campaignUrl = (id: number, block?: Block): string =>
  `/campaigns/${id}${block === undefined ? '' : `/${block}`}`;

/** The block whose page contains a field. */
export function blockOf(field: string): Block {
  const [first = ''] = field.split('.');
  if (first === 'message' || first === 'template') return 'message';
  if (first === 'mailing' || first === 'safeguards') return 'mailing';
  return first === 'ticketPolicy' ? 'ticket' : 'schedule';
}

/** The address of a field on its block's page, which then shows what enabling lacks beside its field. */
export const fieldUrl =
  (id: number) =>
  (field: string): string =>
    `${campaignUrl(id, blockOf(field))}?lacking=1#${fieldId(field)}`;

/** The same from the page of a block itself. */
export const fieldUrlFrom =
  (id: number, block: Block) =>
  (field: string): string =>
    blockOf(field) === block ? `#${fieldId(field)}` : fieldUrl(id)(field);

/** Whether a problem belongs to the block. Problems of other blocks are shown as links. */
export const isOf =
  (block: Block) =>
  ({ field }: AnsweredProblem): boolean =>
    blockOf(field) === block;

export const getCampaign = (api: Api, id: number): Promise<Campaign> =>
  api.get(`/api/campaigns/${id}`, campaignView);

/** The form of a block when it is opened; with the problems that prevent enabling if the user came to fix them. */
export function openedForm(
  { definition, problems }: Campaign,
  {
    block,
    lacking,
    more = {},
  }: {
    block: Block;
    lacking: boolean; /** Values in addition to the saved ones. */
    more?: Readonly<Record<string, string>>;
  },
): FormState {
  const values = FormValues.of(definition).with({ ...more, ...(lacking ? { lacking: '1' } : {}) });
  return { values, problems: lacking ? problems.filter(isOf(block)) : [] };
}

/** The version of a block, which shows whether the block has changed since its page was opened. */
const seenOf = (definition: CampaignDraft, block: Block): string =>
  createHash('sha256')
    .update(JSON.stringify(partOf[block](definition)))
    .digest('hex')
    .slice(0, 16);

/** The values that every block's form sends besides its fields. */
export function BlockMarks({
  campaign,
  block,
  state,
}: {
  campaign: Campaign;
  block: Block;
  state: FormState;
}) {
  return (
    <>
      <input type="hidden" name="seen" value={seenOf(campaign.definition, block)} />
      {state.values.has('lacking') && <input type="hidden" name="lacking" value="1" />}
    </>
  );
}

/**
 * Replaces a block of a campaign's document. Other blocks may have changed since. If another user or window has changed
 * this block, the change is rejected once, and the form is shown again with the entered values.
 */
async function saveBlock(
  api: Api,
  { id, definition, version }: Campaign,
  form: FormValues,
  { block, changes }: { block: Block; changes: object },
): Promise<void> {
  const changed = { ...definition, ...changes };
  const present = seenOf(definition, block);
  if (form.text('seen') !== present) {
    const whole = campaignDraft.safeParse(changed);
    // Sent twice, as by a double click: it is already saved.
    if (whole.success && seenOf(whole.data, block) === present) return;
    throw refusalOf(409, 'version_conflict', { params: { version, ofPart: true } });
  }
  await api.send('PUT', `/api/campaigns/${id}`, { ...changed, version });
}

/** The page of a block and its form: saves it and continues with the next, or shows it again with its problems. */
export function addBlock(
  app: FastifyInstance,
  block: Block,
  {
    opened = (_, campaign, lacking) => openedForm(campaign, { block, lacking }),
    change,
    page,
  }: {
    /** The form when it is opened; if omitted: with the saved values. */
    opened?: (request: PageRequest, campaign: Campaign, lacking: boolean) => FormState | Promise<FormState>;
    change: (request: PageRequest, campaign: Campaign) => object | Promise<object>;
    page: (request: PageRequest, campaign: Campaign, state: FormState) => VNode | Promise<VNode>;
  },
): void {
  addPage(app, `/campaigns/:id/${block}`, 'viewer', async (request) => {
    const campaign = await getCampaign(request.api, request.id);
    return page(request, campaign, await opened(request, campaign, request.query.lacking === '1'));
  });

  addForm(app, `/campaigns/:id/${block}`, 'operator', {
    send: async (request) => {
      const { api, view, id, form } = request;
      const campaign = await getCampaign(api, id);
      await saveBlock(api, campaign, form, { block, changes: await change(request, campaign) });
      const to = await nextUrl(api, id, block, form);
      const { warnings } = await getCampaign(api, id);
      // The next page would not show the warning.
      if (block !== 'message' || warnings.length === 0) return { to, notice: 'saved' };
      const words = [
        common[view.locale].notices.saved,
        ...warnings.map((one) => problemWords(view.format, one)),
      ];
      return { to, notice: { words: words.join(' ') } };
    },
    again: async (request, state) => page(request, await getCampaign(request.api, request.id), state),
  });
}

/** The page after a block was saved: the next block, or the next incomplete one. */
async function nextUrl(api: Api, id: number, block: Block, form: FormValues): Promise<string> {
  if (form.has('stay')) return campaignUrl(id, block);
  if (!form.has('lacking')) return campaignUrl(id, blocks[blocks.indexOf(block) + 1]);
  const [problem] = (await getCampaign(api, id)).problems;
  return problem ? fieldUrl(id)(problem.field) : campaignUrl(id);
}
