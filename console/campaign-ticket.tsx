import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { idParams } from '../api/parameters.ts';
import { ticketStatuses } from '../domain/ticket.ts';
import type { Api } from './api.ts';
import {
  type Campaign,
  CampaignFrame,
  campaignUrl,
  fieldUrl,
  getCampaign,
  nextUrl,
  saveCampaign,
} from './campaign-frame.tsx';
import { optionsOf, settingsOf } from './choices.ts';
import { ChoiceField, Form, type FormState, newForm, type Option, SelectField, Submit } from './form.tsx';
import type { FormValues } from './form-data.ts';
import { campaigns as campaignWords } from './i18n/campaigns.ts';
import { common } from './i18n/common.ts';
import { Card } from './parts.tsx';
import { submit } from './replies.tsx';
import { consoleOf } from './request.ts';
import { useMay, useWords } from './view.tsx';

const block = 'ticketPolicy';

/** The ticket block: whether answers or sends open tickets, and how. */
export const campaignTicket: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/campaigns/:id/ticket',
    { config: { access: 'viewer' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const campaign = await getCampaign(api, request.params.id);
      const state = newForm({ ...campaign.definition, version: campaign.version });
      return reply.page(await ticketPage(api, campaign, state));
    },
  );

  app.post(
    '/campaigns/:id/ticket',
    { config: { access: 'operator' }, schema: { params: idParams } },
    async (request, reply) => {
      const { api } = consoleOf(request);
      const { id } = request.params;
      return submit(
        request,
        reply,
        async (form) => {
          await saveCampaign(api, id, form, () => ({ ticketPolicy: policyOf(form) }));
          return { to: nextUrl(id, 'ticket'), notice: 'saved' };
        },
        async (state) => ticketPage(api, await getCampaign(api, id), state),
      );
    },
  );
};

function policyOf(form: FormValues) {
  const when = form.text(`${block}.when`);
  if (when === 'never') return { when };
  const target = {
    when,
    departmentId: form.number(`${block}.departmentId`),
    assigneeId: form.number(`${block}.assigneeId`),
    categoryId: form.number(`${block}.categoryId`),
    subcategoryId: form.number(`${block}.subcategoryId`),
    status: form.optional(`${block}.status`),
  };
  return when === 'on_reply'
    ? { ...target, resolutionId: form.number(`${block}.resolutionId`) }
    : {
        ...target,
        resolutionOnSuccessId: form.number(`${block}.resolutionOnSuccessId`),
        resolutionOnFailureId: form.number(`${block}.resolutionOnFailureId`),
      };
}

interface Choices {
  departments: readonly Option[];
  assignees: readonly Option[];
  categories: readonly Option[];
  subcategories: readonly Option[];
  resolutions: (chosen: string) => readonly Option[];
}

async function ticketPage(api: Api, campaign: Campaign, state: FormState) {
  const [departments, assignees, categories, subcategories, resolutions] = await Promise.all([
    settingsOf(api, 'departments'),
    settingsOf(api, 'assignees'),
    settingsOf(api, 'categories'),
    settingsOf(api, 'subcategories'),
    settingsOf(api, 'resolutions'),
  ]);
  const chosen = (field: string): string => state.values.text(`${block}.${field}`);
  const categoryOf = new Map(
    subcategories.map(({ id, definition }) => [
      String(id),
      'categoryId' in definition ? definition.categoryId : 0,
    ]),
  );
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  const choices: Choices = {
    departments: optionsOf(departments, chosen('departmentId')),
    assignees: optionsOf(assignees, chosen('assigneeId')),
    categories: optionsOf(categories, chosen('categoryId')),
    subcategories: optionsOf(subcategories, chosen('subcategoryId')).map((option) => {
      const category = categoryOf.get(option.value) ?? 0;
      return {
        value: option.value,
        // With its category: without scripts the list holds those of all.
        label: `${nameOf.get(category) ?? ''} › ${option.label}`,
        data: { 'data-of': String(category) },
      };
    }),
    resolutions: (one) => optionsOf(resolutions, one),
  };
  return <TicketPage campaign={campaign} state={state} choices={choices} />;
}

function TicketPage({
  campaign,
  state,
  choices,
}: {
  campaign: Campaign;
  state: FormState;
  choices: Choices;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const mayChange = useMay('operator');
  const chosen = (field: string): string => state.values.text(`${block}.${field}`);
  const half = 'col-sm-6 mb-3';
  const resolution = (field: string) => ({
    name: `${block}.${field}`,
    options: choices.resolutions(chosen(field)),
  });
  return (
    <CampaignFrame campaign={campaign} block="ticket">
      <Form
        action={campaignUrl(campaign.id, 'ticket')}
        state={state}
        labels={t.fields}
        helps={t.helps}
        readOnly={!mayChange}
        class="narrow"
        summaryHref={fieldUrl(campaign.id)}
      >
        <input type="hidden" name="version" value={state.values.text('version')} />
        <Card title={t.blocks.ticket}>
          <ChoiceField
            name={`${block}.when`}
            radio
            required
            options={(['never', 'on_reply', 'on_send'] as const).map((when) => ({
              value: when,
              label: t.when[when],
              help: t.whenHelp[when],
            }))}
          />
          <div data-when={`${block}.when=on_reply|on_send`}>
            <div class="row">
              <SelectField
                name={`${block}.departmentId`}
                options={choices.departments}
                empty={words.choose}
                required
                class={half}
              />
              <SelectField
                name={`${block}.assigneeId`}
                options={choices.assignees}
                empty={words.choose}
                required
                class={half}
              />
              <SelectField
                name={`${block}.categoryId`}
                options={choices.categories}
                empty={words.choose}
                required
                class={half}
              />
              <SelectField
                name={`${block}.subcategoryId`}
                options={choices.subcategories}
                empty={words.choose}
                required
                class={half}
                data={{ 'data-options-of': `${block}.categoryId` }}
              />
              <SelectField
                name={`${block}.channel`}
                options={[{ value: 'sms', label: 'SMS' }]}
                required
                class={half}
              />
              <SelectField
                name={`${block}.status`}
                options={ticketStatuses.map((status) => ({ value: status, label: t.ticketStatus[status] }))}
                empty={t.statusDefault}
                class={half}
              />
            </div>
            <div data-when={`${block}.when=on_reply`}>
              <SelectField {...resolution('resolutionId')} empty={words.notChosen} />
            </div>
            <div data-when={`${block}.when=on_send`} class="row">
              <SelectField
                {...resolution('resolutionOnSuccessId')}
                empty={words.choose}
                required
                class={half}
              />
              <SelectField
                {...resolution('resolutionOnFailureId')}
                empty={words.choose}
                required
                class={half}
              />
            </div>
          </div>
        </Card>
        {mayChange && (
          <div class="buttons">
            <Submit>{words.save}</Submit>
          </div>
        )}
      </Form>
    </CampaignFrame>
  );
}
