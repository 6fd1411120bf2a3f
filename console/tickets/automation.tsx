import type { FastifyPluginAsync } from 'fastify';
import { ticketAutomation } from '../../domain/ticket-automation.ts';
import { Submit } from '../kit/buttons.tsx';
import { optionsOf, settingsOf } from '../kit/choices.ts';
import { CheckField, SelectField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { Page } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { type ConsoleRequest, consoleOf } from '../kit/request.ts';
import { submit } from '../kit/responses.tsx';
import { readForm } from '../kit/schema-form.ts';
import { common } from '../kit/words.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { ticketAutomationWords } from './words-automation.ts';

const path = '/settings/ticket-automation';
const address = '/api/settings/ticket-automation';

/** The moves of tickets that no user makes. */
export const ticketAutomationPage: FastifyPluginAsync = async (app) => {
  const pageOf = async ({ api }: ConsoleRequest, state: FormState | null) => {
    const automation = await api.get(address, ticketAutomation);
    const resolutions = await settingsOf(api, 'resolutions');
    return <AutomationPage state={state ?? newForm(automation)} resolutions={resolutions} />;
  };

  app.get(path, { config: { access: 'viewer' } }, async (request, reply) =>
    reply.page(await pageOf(consoleOf(request), null)),
  );

  app.post(path, { config: { access: 'admin' } }, async (request, reply) =>
    submit(
      request,
      reply,
      async (form) => {
        await consoleOf(request).api.send('PUT', address, readForm(ticketAutomation, form));
        return { to: path, notice: 'saved' };
      },
      (state) => pageOf(consoleOf(request), state),
    ),
  );
};

function AutomationPage({
  state,
  resolutions,
}: {
  state: FormState;
  resolutions: Awaited<ReturnType<typeof settingsOf>>;
}) {
  const t = useWords(ticketAutomationWords);
  const words = useWords(common);
  const mayChange = useMay('admin');
  return (
    <Page title={t.page.title} section="settings" trail={[{ href: '/settings', label: words.nav.settings }]}>
      <div class="narrow">
        <Card>
          <Form
            action={path}
            changes={address}
            state={state}
            schema={ticketAutomation}
            labels={t.fields}
            helps={t.helps}
            readOnly={!mayChange}
          >
            <CheckField name="reopenOnReply" />
            <CheckField name="waitOnAnswer" />
            <TextField
              name="finishAfterDays"
              type="number"
              class="short mb-3"
              help={t.helps.finishAfterDays}
            />
            <SelectField
              name="finishResolutionId"
              options={optionsOf(resolutions, state.values.text('finishResolutionId'))}
              empty={words.noneOfThem}
            />
            {mayChange && <Submit>{words.save}</Submit>}
          </Form>
        </Card>
      </div>
    </Page>
  );
}
