import type { Paging } from '../../domain/paging.ts';
import { pageEnds, pagingKinds } from '../../domain/paging.ts';
import { FieldGroup, SelectField, TextField } from '../kit/fields.tsx';
import { FormValues } from '../kit/form-data.ts';
import { useView, useWords } from '../kit/view.tsx';
import type { webservicePreviewView } from '../../api/campaigns/webservice.ts';
import type { z } from 'zod';
import { campaigns as campaignWords } from './words.ts';

const block = 'mailing.webservice.paging';

/** How the pages of the answer follow one another, as the form says it. What belongs to another choice is left out. */
export function pagingOf(form: FormValues): object {
  const by = form.optional(`${block}.by`) ?? 'links';
  const text = (field: string) => form.optional(`${block}.${field}`) ?? '';
  const shown = form.optional(`${block}.end.shown`) ?? 'empty';
  const end = shown === 'empty' ? { shown } : { shown, path: text('end.path') };
  const first = form.number(`${block}.first`);
  const numbered = { by, param: text('param'), ...(first === null ? {} : { first }), end };
  const size = { param: text('size.param'), records: form.number(`${block}.size.records`) };
  switch (by) {
    case 'page':
      return numbered;
    case 'offset':
      return { ...numbered, size: size.param === '' && size.records === null ? null : size };
    case 'cursor':
      return { by, param: text('param'), first: form.optional(`${block}.first`), path: text('path') };
    default:
      return { by };
  }
}

/** The form with another choice in it. */
export function withPaging(form: FormValues, paging: Paging): FormValues {
  const cleared = [...form.pairs()].filter(([name]) => !name.startsWith(`${block}.`));
  return new FormValues([...cleared, ...FormValues.of({ mailing: { webservice: { paging } } }).pairs()]);
}

/** The choice and its fields; without scripts all of them, of which the chosen one's are read. */
export function PagingFields() {
  const { webservice } = useWords(campaignWords);
  const { paging } = webservice;
  const when = (field: string, ...values: readonly string[]) => ({
    'data-when': `${block}.${field}=${values.join('|')}`,
  });
  return (
    <FieldGroup name={block}>
      <SelectField
        name={`${block}.by`}
        options={pagingKinds.map((value) => ({ value, label: paging.by[value] }))}
      />
      <div class="row" {...when('by', 'page', 'offset', 'cursor')}>
        <TextField name={`${block}.param`} class="col-sm-6 mb-3" placeholder="page" />
        <TextField name={`${block}.first`} class="col-sm-6 mb-3" />
      </div>
      <div class="row" {...when('by', 'offset')}>
        <TextField name={`${block}.size.param`} class="col-sm-6 mb-3" placeholder="limit" />
        <TextField name={`${block}.size.records`} type="number" min={1} class="col-sm-6 mb-3" />
      </div>
      <div class="row" {...when('by', 'page', 'offset')}>
        <SelectField
          name={`${block}.end.shown`}
          class="col-sm-6 mb-3"
          options={pageEnds.map((value) => ({ value, label: paging.end[value] }))}
        />
        <div class="col-sm-6" {...when('end.shown', ...pageEnds.filter((value) => value !== 'empty'))}>
          <TextField name={`${block}.end.path`} placeholder="meta.hasNext" />
        </div>
      </div>
      <div class="row" {...when('by', 'cursor')}>
        <TextField name={`${block}.path`} class="col-sm-6 mb-3" placeholder="meta.nextCursor" />
      </div>
    </FieldGroup>
  );
}

type Pages = NonNullable<z.output<typeof webservicePreviewView>['pages']>;

/** Pages that the answer shows and nobody has told how to get; what seems right is taken with one click. */
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
  }
}
