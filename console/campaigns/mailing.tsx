import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { idParams } from '../../api/http/parameters.ts';
import type { ExtraField } from '../../domain/contact.ts';
import type { Api } from '../kit/api.ts';
import { blockQuery, type Campaign, getCampaign, openedForm, submitBlock } from './blocks.tsx';
import { type ExtraFieldGroup, MailingPage } from './mailing-form.tsx';
import { integrationsOf, optionsOf, settingsOf } from '../kit/choices.ts';
import type { Sent } from '../kit/file-block.tsx';
import type { FormState } from '../kit/form.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { consoleOf } from '../kit/request.ts';
import { webserviceOf } from './webservice-fields.tsx';
import type { TestedAddress } from './webservice-result.tsx';

const block = 'mailing';

/** The mailing block: where the contacts come from, when they may be written to, what guards against a mistake. */
export const campaignMailing: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns/:id/mailing',
    { config: { access: 'viewer' }, schema: { params: idParams, querystring: blockQuery } },
    async (request, reply) => {
      const { api, view } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      const { source, sendingHoursId } = campaign.definition.mailing;
      const isNew = source === null && sendingHoursId === null;
      const hours = isNew ? await usualHoursOf(api, view.me?.sendingHoursId ?? null) : undefined;
      const opened = openedForm(campaign, {
        block,
        lacking: request.query.lacking === '1',
        more: { downloads: 'on', ...(hours ? { 'mailing.sendingHoursId': String(hours.id) } : {}) },
      });
      // Said at once, and not only when the campaign is to be enabled: a run would refuse the file.
      const ofFile = campaign.problems.filter(({ code }) => fileProblems.has(code));
      const state = opened.problems.length > 0 ? opened : { ...opened, problems: ofFile };
      return reply.page(await mailingPage(api, campaign, state));
    },
  );

  app.post(
    '/campaigns/:id/mailing',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const group = await groupOf(api, await getCampaign(api, request.params.id));
      return submitBlock(request, reply, {
        id: request.params.id,
        block,
        change: ({ mailing }, form) => ({
          mailing: { ...mailing, ...mailingOf(form, group?.fields ?? []) },
          safeguards: safeguardsOf(form),
        }),
        page: (campaign, state) => mailingPage(api, campaign, state),
      });
    },
  );
};

const fileProblems: ReadonlySet<string> = new Set(['extra_field_not_in_file', 'file_columns_not_declared']);

/** What the form says of the mailing, saved or not. `group`: the fields that one of its buttons declares. */
export function mailingOf(form: FormValues, group: readonly ExtraField[] = []) {
  return {
    source: form.optional('mailing.source'),
    webservice: webserviceOf(form),
    sendingHoursId: form.number('mailing.sendingHoursId'),
    regionId: form.number('mailing.regionId'),
    customerTypeId: form.number('mailing.customerTypeId'),
    runDespitePending: form.checked('mailing.runDespitePending'),
    expiresAfterHours: form.number('mailing.expiresAfterHours'),
    extraFields: extraFieldsOf(form, group),
  };
}

function extraFieldsOf(form: FormValues, group: readonly ExtraField[]) {
  const declared = form
    .rows('mailing.extraFields')
    .map((index) => `mailing.extraFields.${index}`)
    .filter((path) => form.text(`${path}.name`).trim() !== '')
    .map((path) => ({
      name: form.text(`${path}.name`).trim(),
      type: form.text(`${path}.type`),
      required: form.checked(`${path}.required`),
    }));
  if (form.text('stay') !== 'group') return declared;
  return [...declared, ...group.filter(({ name }) => !declared.some((one) => one.name === name))];
}

const safeguardsOf = (form: FormValues) => ({
  approval: form.checked('safeguards.approval'),
  canarySize: form.number('safeguards.canarySize'),
  canaryMinutes: form.number('safeguards.canaryMinutes') ?? 5,
  stopAtPercent: form.number('safeguards.stopAtPercent'),
});

/** The group of extra fields of the subcategory that the campaign's tickets have; null: it has none. */
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

/** The person's default, else the first that there are: of a new deployment, commercial ones. */
async function usualHoursOf(api: Api, usual: number | null) {
  const hours = (await settingsOf(api, 'sendingHours'))
    .filter(({ archivedAt }) => archivedAt === null)
    .toSorted((a, b) => a.id - b.id);
  return hours.find(({ id }) => id === usual) ?? hours[0];
}

/** The page, with what came of a file that was just sent or an address that was just tested. */
export async function mailingPage(
  api: Api,
  campaign: Campaign,
  state: FormState,
  { sent = {}, tested }: { sent?: Sent; tested?: TestedAddress } = {},
) {
  const [hours, regions, customerTypes, integrations, group] = await Promise.all([
    settingsOf(api, 'sendingHours'),
    settingsOf(api, 'regions'),
    settingsOf(api, 'customerTypes'),
    integrationsOf(api),
    groupOf(api, campaign),
  ]);
  const chosen = (field: string): string => state.values.text(`mailing.${field}`);
  const choices = {
    hours: optionsOf(hours, chosen('sendingHoursId')),
    regions: optionsOf(regions, chosen('regionId')),
    customerTypes: optionsOf(customerTypes, chosen('customerTypeId')),
    integrations: optionsOf(integrations, chosen('webservice.integrationId')),
  };
  return (
    <MailingPage
      campaign={campaign}
      state={state}
      choices={choices}
      group={group}
      sent={sent}
      tested={tested}
    />
  );
}
