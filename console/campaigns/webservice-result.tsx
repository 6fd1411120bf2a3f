import type { z } from 'zod';
import { formatPhone } from '../../domain/phone.ts';
import { keptWords } from '../../api/campaigns/mailing-check.ts';
import type { webservicePreviewView } from '../../api/campaigns/webservice.ts';
import type { ApiFailure } from '../kit/api.ts';
import { campaignUrl } from './blocks.tsx';
import { RefusedAlert } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { Icon } from '../kit/icons.tsx';
import { contactFieldNames } from './contact-fields.ts';
import { MorePages } from './paging-fields.tsx';
import { Facts, State } from '../kit/parts.tsx';
import { useView, useWords } from '../kit/view.tsx';

type Preview = z.output<typeof webservicePreviewView>;

/** The result of testing an address. */
export interface TestedAddress {
  preview?: Preview;
  /** Entries of the field map that no record has. */
  lacking?: readonly { field: (typeof contactFieldNames)[number]; path: string }[];
  refused?: ApiFailure;
}

/** The attributes of the records, as suggestions for the fields of the field map. */
export const attributesListId = 'attributes';

/** `downloads`: the answer is also downloaded as a file, as soon as this is shown. */
export function AddressResult({
  campaignId,
  tested: { preview, lacking = [], refused },
  downloads,
}: {
  campaignId: number;
  tested: TestedAddress;
  downloads: boolean;
}) {
  const { webservice, fields } = useWords(campaignWords);
  const { format } = useView();
  if (refused)
    return (
      <RefusedAlert
        title={webservice.failed}
        refused={refused}
        labels={fields}
        // An address has one problem; a form has one for each field.
        alone={refused.code === 'webservice_refused'}
      />
    );
  if (!preview) return null;
  const { contacts, more, attributes, address, pages } = preview;
  return (
    <div tabIndex={-1} data-focus="">
      <p class="mb-1">
        <strong>
          {contacts.length === 0
            ? webservice.noContacts
            : webservice.first(format.number(contacts.length), more)}
        </strong>
      </p>
      {pages && <MorePages campaignUrl={campaignUrl(campaignId)} pages={pages} />}
      <p class="text-secondary long-text mb-2">
        {webservice.url}: <code>{address}</code>
      </p>
      <button
        class="btn btn-sm"
        formAction={`${campaignUrl(campaignId)}/answer`}
        data-download=""
        data-press={downloads ? '' : undefined}
      >
        <Icon name="download" /> {webservice.downloadAnswer}
      </button>
      <ol class="tested mt-3">
        {contacts.map((contact) => (
          <Contact key={contact.line} tested={contact} />
        ))}
      </ol>
      {lacking.length > 0 && (
        <div class="alert alert-warning" role="alert">
          <p class="mb-1">{webservice.lacking}</p>
          <ul class="mb-0">
            {lacking.map(({ field, path }) => (
              <li key={field}>
                {fields[`mailing.webservice.fieldMap.${field}`]}: <code>{path}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      {attributes.length > 0 && (
        <>
          <p class="form-label mb-1">{webservice.attributes}</p>
          <p class="form-hint">{webservice.attributesHelp}</p>
          <div class="tags mb-3">
            {attributes.map((attribute) => (
              <button
                key={attribute}
                type="button"
                class="btn btn-sm"
                data-insert={attribute}
                data-into="attribute"
                data-whole=""
              >
                {attribute}
              </button>
            ))}
          </div>
        </>
      )}
      <datalist id={attributesListId}>
        {attributes.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

function Contact({ tested }: { tested: Preview['contacts'][number] }) {
  const t = useWords(campaignWords);
  const { format } = useView();
  const { contact, phone, skipped, text, segments, encoding, line, warnings } = tested;
  const problem = tested.problem === null ? null : keptWords(tested.problem, format);
  return (
    <li value={line}>
      <p class="mb-1">
        <strong>{contact?.name ?? ''}</strong>{' '}
        {skipped === null ? (
          <State tone="good">{t.webservice.gets(formatPhone(phone ?? ''))}</State>
        ) : (
          <State tone="warn">{t.webservice.leftOut(problem ?? '')}</State>
        )}
      </p>
      {contact && (
        <Facts
          facts={[
            ...contactFieldNames
              .filter((field) => field !== 'name' && contact[field] !== '')
              .map((field) => [t.fields[`mailing.webservice.fieldMap.${field}`], contact[field]] as const),
            ...Object.entries(contact.extra).filter(([, value]) => value !== ''),
          ]}
        />
      )}
      {warnings.length > 0 && (
        <ul class="mt-2">
          {warnings.map((warning, index) => (
            <li key={index}>
              {keptWords(warning, format)} <code>{warning.value}</code>
            </li>
          ))}
        </ul>
      )}
      {text !== null && (
        <p class="bubble mt-2">
          {text}
          <small class="d-block text-secondary mt-1">
            {t.webservice.cost(t.segmentsOf(segments ?? 0), encoding ?? '')}
          </small>
        </p>
      )}
    </li>
  );
}
