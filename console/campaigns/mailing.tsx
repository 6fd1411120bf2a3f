import type { FastifyPluginAsync } from 'fastify';
import { keptDraft, undeclaredTags } from '../../domain/campaign.ts';
import type { ExtraField } from '../../domain/contact.ts';
import type { Api } from '../kit/api.ts';
import { addBlock, type Campaign, openedForm } from './blocks.tsx';
import { type ExtraFieldGroup, mailingChoices, MailingPage } from './mailing-form.tsx';
import { settingsOf } from '../kit/choices.ts';
import type { Format } from '../../domain/format.ts';
import type { Sent } from './file-block.tsx';
import { amountField } from '../money/costs.tsx';
import type { FormState } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { readForm } from '../kit/schema-form.ts';
import type { TestedAddress } from './webservice-result.tsx';

const block = 'mailing';

/** The mailing block: the source of the contacts, the sending hours, and the safeguards. */
export const campaignMailing: FastifyPluginAsync = async (app) =>
  addBlock(app, block, {
    opened: async ({ api, view }, campaign, lacking) => {
      const { source, sendingHoursId } = campaign.definition.mailing;
      const isNew = source === null && sendingHoursId === null;
      const hours = isNew ? await usualHoursOf(api, view.me?.sendingHoursId ?? null) : undefined;
      const opened = openedForm(campaign, {
        block,
        lacking,
        more: {
          downloads: 'on',
          ...budgetShown(campaign, view.format),
          ...(hours ? { 'mailing.sendingHoursId': String(hours.id) } : {}),
        },
      });
      // Shown at once, and not only when the campaign is enabled: a run would reject the file.
      const ofFile = campaign.problems.filter(({ code }) => fileProblems.has(code));
      return opened.problems.length > 0 ? opened : { ...opened, problems: ofFile };
    },
    change: async ({ api, form }, campaign) => {
      const declared = {
        group: (await groupOf(api, campaign))?.fields ?? [],
        tags: undeclaredTags(campaign.definition).map((name): ExtraField => ({
          name,
          type: 'text',
          required: false,
        })),
      };
      return {
        mailing: { ...campaign.definition.mailing, ...mailingOf(form, declared) },
        safeguards: readForm(safeguardsBlock, form, 'safeguards'),
      };
    },
    page: ({ api }, campaign, state) => mailingPage(api, campaign, state),
  });

const fileProblems: ReadonlySet<string> = new Set([
  'extra_field_not_in_file',
  'file_columns_not_declared',
  'placeholder_undeclared',
]);

/** The budget in the reader's format. */
export const budgetShown = ({ definition }: Campaign, format: Format): Record<string, string> => {
  const { monthlyBudget } = definition.safeguards;
  return monthlyBudget === null ? {} : { 'safeguards.monthlyBudget': amountField(monthlyBudget, format) };
};

const { mailing: mailingBlock, safeguards: safeguardsBlock } = keptDraft.shape;

/** The form's values for the mailing, saved or not. `fields`: those that one of its buttons declares. */
export function mailingOf(form: FormValues, fields: Readonly<Record<string, readonly ExtraField[]>> = {}) {
  const declared = fields[form.text('stay')] ?? [];
  const names = form.rows(extraFields).map((index) => form.text(`${extraFields}.${index}.name`).trim());
  const more = declared.filter(({ name }) => !names.includes(name));
  return readForm(mailingBlock, more.reduce(withField, form), 'mailing');
}

const extraFields = 'mailing.extraFields';
const withField = (form: FormValues, field: ExtraField): FormValues => {
  const row = `${extraFields}.${(form.rows(extraFields).at(-1) ?? -1) + 1}`;
  return form.with({
    [`${row}.name`]: field.name,
    [`${row}.type`]: field.type,
    [`${row}.required`]: String(field.required),
  });
};

/** The group of extra fields of the tickets' subcategory; null: it has none. */
async function groupOf(api: Api, { definition }: Campaign): Promise<ExtraFieldGroup | null> {
  const { ticketPolicy } = definition;
  if (ticketPolicy.when === 'never' || ticketPolicy.subcategoryId === null) return null;
  const { subcategoryId } = ticketPolicy;
  const subcategory = (await settingsOf(api, 'subcategories')).find(({ id }) => id === subcategoryId);
  if (!subcategory || !('extraFieldGroupId' in subcategory.definition)) return null;
  const { extraFieldGroupId } = subcategory.definition;
  const group = (await settingsOf(api, 'extraFieldGroups')).find(({ id }) => id === extraFieldGroupId);
  return group && 'fields' in group.definition ? { name: group.name, fields: group.definition.fields } : null;
}

/** The user's default, or the first entry: in a new deployment, commercial hours. */
async function usualHoursOf(api: Api, usual: number | null) {
  const hours = (await settingsOf(api, 'sendingHours'))
    .filter(({ archivedAt }) => archivedAt === null)
    .toSorted((a, b) => a.id - b.id);
  return hours.find(({ id }) => id === usual) ?? hours[0];
}

/** The page, with the result of a file that was just uploaded or an address that was just tested. */
export async function mailingPage(
  api: Api,
  campaign: Campaign,
  state: FormState,
  { sent = {}, tested }: { sent?: Sent; tested?: TestedAddress } = {},
) {
  const [choices, group] = await Promise.all([mailingChoices(api), groupOf(api, campaign)]);
  return <MailingPage {...{ campaign, state, choices, group, sent, tested }} />;
}
