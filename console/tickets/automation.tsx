import type { FastifyPluginAsync } from 'fastify';
import { ticketAutomation } from '../../domain/ticket-automation.ts';
import { Save } from '../kit/buttons.tsx';
import { type Entry, settingsOf } from '../kit/choices.ts';
import { addDocument } from '../kit/document.tsx';
import { CheckField, EntryField, TextField } from '../kit/fields.tsx';
import { Form, type FormState, newForm } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { common } from '../kit/words.ts';
import { useMay, useWords } from '../kit/view.tsx';
import { ticketAutomationWords } from './words-automation.ts';

const path = '/settings/ticket-automation';
const address = '/api/settings/ticket-automation';

/** The moves of tickets that no user makes. */
export const ticketAutomationPage: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path,
    api: address,
    schema: ticketAutomation,
    page: async ({ api }, rejected) => {
      const automation = await api.get(address, ticketAutomation);
      const resolutions = await settingsOf(api, 'resolutions');
      return <AutomationPage state={rejected ?? newForm(automation)} resolutions={resolutions} />;
    },
  });
};

function AutomationPage({ state, resolutions }: { state: FormState; resolutions: readonly Entry[] }) {
  const t = useWords(ticketAutomationWords);
  const words = useWords(common);
  return (
    <SettingsPage title={t.page.title}>
      <div class="narrow">
        <Card>
          <Form
            action={path}
            changes={address}
            state={state}
            schema={ticketAutomation}
            labels={t.fields}
            helps={t.helps}
            readOnly={!useMay('admin')}
          >
            <CheckField name="reopenOnReply" />
            <CheckField name="waitOnAnswer" />
            <TextField name="finishAfterDays" type="number" class="short mb-3" />
            <EntryField name="finishResolutionId" entries={resolutions} empty={words.noneOfThem} />
            <Save />
          </Form>
        </Card>
      </div>
    </SettingsPage>
  );
}
