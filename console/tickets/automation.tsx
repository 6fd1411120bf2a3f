import type { FastifyPluginAsync } from 'fastify';
import { ticketAutomation } from '../../domain/ticket-automation.ts';
import { Save } from '../kit/buttons.tsx';
import { type Entry, settingsOf } from '../kit/choices.ts';
import { addDocument, type DocumentForm } from '../kit/document.tsx';
import { CheckField, EntryField, TextField } from '../kit/fields.tsx';
import { Form } from '../kit/form.tsx';
import { SettingsPage } from '../kit/layout.tsx';
import { Card } from '../kit/parts.tsx';
import { common } from '../kit/words.ts';
import { useWords } from '../kit/view.tsx';
import { ticketAutomationWords } from './words-automation.ts';

/** The moves of tickets that no user makes. */
export const ticketAutomationPage: FastifyPluginAsync = async (app) => {
  addDocument(app, {
    path: '/settings/ticket-automation',
    api: '/api/settings/ticket-automation',
    schema: ticketAutomation,
    page: async ({ api }, form) => (
      <AutomationPage form={form} resolutions={await settingsOf(api, 'resolutions')} />
    ),
  });
};

function AutomationPage({ form, resolutions }: { form: DocumentForm; resolutions: readonly Entry[] }) {
  const t = useWords(ticketAutomationWords);
  const words = useWords(common);
  return (
    <SettingsPage title={t.page.title}>
      <Card narrow>
        <Form {...form} words={t}>
          <CheckField name="reopenOnReply" />
          <CheckField name="waitOnAnswer" />
          <TextField name="finishAfterDays" type="number" class="short mb-3" />
          <EntryField name="finishResolutionId" entries={resolutions} empty={words.noneOfThem} />
          <Save />
        </Form>
      </Card>
    </SettingsPage>
  );
}
