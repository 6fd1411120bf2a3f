import type { Paging } from '../../domain/paging.ts';
import { pageEnds, pagingKinds } from '../../domain/paging.ts';
import { FieldGroup, labeled, SelectField, TextField } from '../kit/fields.tsx';
import { FormValues } from '../kit/form-data.ts';
import { useView, useWords } from '../kit/view.tsx';
import type { webservicePreviewView } from '../../api/campaigns/webservice.ts';
import type { z } from 'zod';
import { campaigns as campaignWords } from './words.ts';

const block = 'mailing.webservice.paging';

/** The form with another choice selected. */
export function withPaging(form: FormValues, paging: Paging): FormValues {
  const chosen = FormValues.of({ mailing: { webservice: { paging } } });
  return new FormValues([...form.without(block).pairs(), ...chosen.pairs()]);
}

/** The choice and its fields; without scripts all of them, of which only those of the choice are read. */
export function PagingFields() {
  const { webservice } = useWords(campaignWords);
  const { paging } = webservice;
  const when = (field: string, ...values: readonly string[]) => ({
    'data-when': `${block}.${field}=${values.join('|')}`,
  });
  return (
    <FieldGroup name={block}>
      <SelectField name={`${block}.by`} options={labeled(pagingKinds, paging.by)} />
      <div class="row" {...when('by', 'page', 'offset', 'cursor', 'last_record')}>
        <TextField name={`${block}.param`} class="col-sm-6 mb-3" placeholder="page" />
        <div class="col-sm-6" {...when('by', 'page', 'offset', 'cursor')}>
          <TextField name={`${block}.first`} />
        </div>
      </div>
      <div class="row" {...when('by', 'offset')}>
        <TextField name={`${block}.size.param`} class="col-sm-6 mb-3" placeholder="limit" />
        <TextField name={`${block}.size.records`} type="number" class="col-sm-6 mb-3" />
      </div>
      <div class="row" {...when('by', 'page', 'offset', 'last_record')}>
        <SelectField
          name={`${block}.end.shown`}
          class="col-sm-6 mb-3"
          options={labeled(pageEnds, paging.end)}
        />
        <div class="col-sm-6" {...when('end.shown', ...pageEnds.filter((value) => value !== 'empty'))}>
          <TextField name={`${block}.end.path`} placeholder="meta.hasNext" />
        </div>
      </div>
      <div class="row" {...when('by', 'cursor', 'last_record')}>
        <TextField name={`${block}.path`} class="col-sm-6 mb-3" placeholder="meta.nextCursor" />
      </div>
    </FieldGroup>
  );
}

type Pages = NonNullable<z.output<typeof webservicePreviewView>['pages']>;

/** The answer has further pages, but no paging is configured; one click accepts the proposed setting. */
export function MorePages({ campaignUrl, pages: { seen, proposed } }: { campaignUrl: string; pages: Pages }) {
  const { paging } = useWords(campaignWords).webservice;
  const { format } = useView();
  const shown = seen.map(({ path, value }) =>
    paging.seen(path, typeof value === 'number' ? format.number(value) : value),
  );
  return (
    <div class="alert alert-warning" role="alert">
      <p class="alert-title">{paging.more}</p>
      <p class="long-text mb-2">{paging.shows(format.list(shown))}</p>
      {proposed === null ? (
        <p class="mb-0">{paging.unknown}</p>
      ) : (
        <>
          <p class="long-text mb-2">{paging.proposal(wordsOf(proposed, paging))}</p>
          <button
            class="btn btn-sm btn-primary"
            formAction={`${campaignUrl}/test-url`}
            name="paging"
            value={JSON.stringify(proposed)}
            data-submit=""
          >
            {paging.use}
          </button>
        </>
      )}
    </div>
  );
}

function wordsOf(paging: Paging, words: (typeof campaignWords)['en']['webservice']['paging']): string {
  switch (paging.by) {
    case 'links':
    case 'none':
      return words.by[paging.by];
    case 'page':
    case 'offset': {
      const { by, param, first, end } = paging;
      const until = end.shown === 'empty' ? words.end.empty : `${words.end[end.shown]} (${end.path})`;
      return words.numbered(words.by[by], param, String(first), until);
    }
    case 'cursor':
      return words.cursor(words.by.cursor, paging.param, paging.path);
    case 'last_record': {
      const { param, path, end } = paging;
      const until = end.shown === 'empty' ? words.end.empty : `${words.end[end.shown]} (${end.path})`;
      return words.lastRecord(words.by.last_record, param, path, until);
    }
  }
}
