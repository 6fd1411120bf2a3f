import { campaign as wholeCampaign } from '../../domain/campaign.ts';
import type { FastifyPluginAsync } from 'fastify';
import { ticketPolicy, ticketStatuses } from '../../domain/ticket.ts';
import type { Api } from '../kit/api.ts';
import { addBlock, BlockMarks, type Campaign, campaignUrl, fieldUrlFrom, useMayEdit } from './blocks.tsx';
import { CampaignFrame } from './frame.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { Save } from '../kit/buttons.tsx';
import { ChoiceField, type Option, SelectField } from '../kit/fields.tsx';
import { Form, type FormState } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Card } from '../kit/parts.tsx';
import { readForm } from '../kit/schema-form.ts';
import { useWords } from '../kit/view.tsx';

const block = 'ticket';
const part = 'ticketPolicy';

/** The ticket block: whether answers or sends open tickets, and how. */
export const campaignTicket: FastifyPluginAsync = async (app) =>
  addBlock(app, block, {
    change: ({ form }) => ({ [part]: readForm(ticketPolicy, form, part) }),
    page: ({ api }, campaign, state) => ticketPage(api, campaign, state),
  });

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
  const chosen = (field: string): string => state.values.text(`${part}.${field}`);
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
        // With its category: without scripts the list contains those of all categories.
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
  const mayChange = useMayEdit(campaign);
  const chosen = (field: string): string => state.values.text(`${part}.${field}`);
  const half = 'col-sm-6 mb-3';
  const resolution = (field: string) => ({
    name: `${part}.${field}`,
    options: choices.resolutions(chosen(field)),
  });
  return (
    <CampaignFrame campaign={campaign} block="ticket">
      <Form
        action={campaignUrl(campaign.id, 'ticket')}
        state={state}
        schema={wholeCampaign}
        labels={t.fields}
        helps={t.helps}
        readOnly={!mayChange}
        class="medium"
        draft={`campaign ${campaign.id} ${block}`}
        summaryHref={fieldUrlFrom(campaign.id, block)}
      >
        <BlockMarks campaign={campaign} block={block} state={state} />
        <Card title={t.blocks.ticket}>
          <ChoiceField
            name={`${part}.when`}
            radio
            options={(['never', 'on_reply', 'on_send'] as const).map((when) => ({
              value: when,
              label: t.when[when],
              help: t.whenHelp[when],
            }))}
          />
          <div data-when={`${part}.when=on_reply|on_send`}>
            <div class="row">
              <SelectField
                name={`${part}.departmentId`}
                options={choices.departments}
                empty={words.choose}
                class={half}
              />
              <SelectField
                name={`${part}.assigneeId`}
                options={choices.assignees}
                empty={words.choose}
                class={half}
              />
              <SelectField
                name={`${part}.categoryId`}
                options={choices.categories}
                empty={words.choose}
                class={half}
              />
              <SelectField
                name={`${part}.subcategoryId`}
                options={choices.subcategories}
                empty={words.choose}
                class={half}
                data={{ 'data-options-of': `${part}.categoryId` }}
              />
              <SelectField name={`${part}.channel`} options={[{ value: 'sms', label: 'SMS' }]} class={half} />
              <SelectField
                name={`${part}.status`}
                options={ticketStatuses.map((status) => ({ value: status, label: t.ticketStatus[status] }))}
                empty={t.statusDefault}
                class={half}
              />
            </div>
            <div data-when={`${part}.when=on_reply`}>
              {/* The other statuses have no resolution. */}
              <fieldset class="plain" data-when={`${part}.status=|finished`} data-drops="">
                <SelectField {...resolution('resolutionId')} empty={words.noneOfThem} />
              </fieldset>
            </div>
            <div data-when={`${part}.when=on_send`} class="row">
              <SelectField {...resolution('resolutionOnSuccessId')} empty={words.choose} class={half} />
              <SelectField {...resolution('resolutionOnFailureId')} empty={words.choose} class={half} />
            </div>
          </div>
        </Card>
        {mayChange && (
          <div class="buttons within-reach">
            <Save />
          </div>
        )}
      </Form>
    </CampaignFrame>
  );
}
