import type { FastifyPluginAsync } from 'fastify';
import { ticketPolicy, ticketStatuses } from '../../domain/ticket.ts';
import type { Api } from '../kit/api.ts';
import { addBlock, type Campaign } from './blocks.tsx';
import { BlockEnd, BlockForm } from './frame.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { ChoiceField, EntryField, labeled, SelectField } from '../kit/fields.tsx';
import type { FormState } from '../kit/form.tsx';
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
    page: async ({ api }, campaign, state) => (
      <TicketPage campaign={campaign} state={state} choices={await choicesOf(api, state)} />
    ),
  });

async function choicesOf(api: Api, state: FormState) {
  const [departments, assignees, categories, subcategories, resolutions] = await Promise.all([
    settingsOf(api, 'departments'),
    settingsOf(api, 'assignees'),
    settingsOf(api, 'categories'),
    settingsOf(api, 'subcategories'),
    settingsOf(api, 'resolutions'),
  ]);
  const categoryOf = new Map(
    subcategories.map(({ id, definition }) => [
      String(id),
      'categoryId' in definition ? definition.categoryId : 0,
    ]),
  );
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  const options = optionsOf(subcategories, state.values.text(`${part}.subcategoryId`)).map((option) => {
    const category = categoryOf.get(option.value) ?? 0;
    return {
      value: option.value,
      // With its category: without scripts the list contains those of all categories.
      label: `${nameOf.get(category) ?? ''} › ${option.label}`,
      data: { 'data-of': String(category) },
    };
  });
  return { departments, assignees, categories, subcategories: options, resolutions };
}

function TicketPage({
  campaign,
  state,
  choices,
}: {
  campaign: Campaign;
  state: FormState;
  choices: Awaited<ReturnType<typeof choicesOf>>;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const half = 'col-sm-6 mb-3';
  return (
    <BlockForm campaign={campaign} block={block} state={state} class="medium">
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
            <EntryField
              name={`${part}.departmentId`}
              entries={choices.departments}
              empty={words.choose}
              class={half}
            />
            <EntryField
              name={`${part}.assigneeId`}
              entries={choices.assignees}
              empty={words.choose}
              class={half}
            />
            <EntryField
              name={`${part}.categoryId`}
              entries={choices.categories}
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
              options={labeled(ticketStatuses, t.ticketStatus)}
              empty={t.statusDefault}
              class={half}
            />
          </div>
          <div data-when={`${part}.when=on_reply`}>
            {/* The other statuses have no resolution. */}
            <fieldset class="plain" data-when={`${part}.status=|finished`} data-drops="">
              <EntryField
                name={`${part}.resolutionId`}
                entries={choices.resolutions}
                empty={words.noneOfThem}
              />
            </fieldset>
          </div>
          <div data-when={`${part}.when=on_send`} class="row">
            <EntryField
              name={`${part}.resolutionOnSuccessId`}
              entries={choices.resolutions}
              empty={words.choose}
              class={half}
            />
            <EntryField
              name={`${part}.resolutionOnFailureId`}
              entries={choices.resolutions}
              empty={words.choose}
              class={half}
            />
          </div>
        </div>
      </Card>
      <BlockEnd last />
    </BlockForm>
  );
}
