import { gatewaySecretNames, type HttpGatewayConfig } from '../../domain/http-gateway.ts';
import { failureReasons } from '../../domain/message.ts';
import type { AnsweredProblem } from '../../api/http/errors.ts';
import { problem } from '../../domain/problems/coded.ts';
import { ApiFailure } from '../kit/api.ts';
import { allOf, CheckField, labeled, SelectField, TextAreaField, TextField } from '../kit/fields.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { useValues } from '../kit/form.tsx';
import { starterWords } from './starter-words.ts';
import { starterName } from './starters.ts';
import { providerWords } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { recordOf, rowsOfRecord, rowsWith } from '../kit/records.ts';
import { Rows } from '../kit/rows.tsx';
import { useWords } from '../kit/view.tsx';

/** The form of a gateway that is described instead of programmed (domain/http-gateway.ts). */

const inboundOptionals = [
  'from',
  'id',
  'to',
  'messageId',
  'providerMessageId',
  'hex',
  'coding',
  'list',
] as const;

/** The form's gateway in the API's format. Throws `ApiFailure` for a body that is not JSON. */
export function gatewayOf(form: FormValues): object {
  const request = 'config.request';
  return {
    kind: 'http',
    from: form.text('config.from'),
    numbers: form.text('config.numbers'),
    codings: fieldsOf(form, 'config.codings', ['gsm', 'unicode']),
    request: {
      method: form.text(`${request}.method`),
      url: form.text(`${request}.url`).trim(),
      headers: recordOf(form, `${request}.headers`),
      authentication: authenticationOf(form),
      charset: form.optional(`${request}.charset`) ?? undefined,
      body: bodyOf(form),
    },
    answer: {
      messageId: locatorOf(form, 'config.answer.messageId'),
      code: locatorOf(form, 'config.answer.code'),
      codes: Object.fromEntries(
        rowsWith(form, 'config.answer.codes', 'name').map((row) => {
          const means = form.text(`${row}.means`);
          const reason = form.optional(`${row}.reason`) ?? undefined;
          return [form.text(`${row}.name`).trim(), means === 'refused' ? { means, reason } : { means }];
        }),
      ),
    },
    receipts: form.checked('hasReceipts')
      ? {
          ...fieldsOf(form, 'config.receipts', ['format', 'status']),
          ...optionalsOf(form, 'config.receipts', ['list', 'providerMessageId', 'code']),
          messageId: form.optional('config.receipts.messageId') ?? undefined,
          statuses: recordOf(form, 'config.receipts.statuses'),
          reasons: recordOf(form, 'config.receipts.reasons'),
        }
      : null,
    inbound: form.checked('hasInbound')
      ? {
          ...fieldsOf(form, 'config.inbound', ['format', 'text']),
          ...optionalsOf(form, 'config.inbound', inboundOptionals),
        }
      : null,
    callbackAnswer: {
      status: form.number('config.callbackAnswer.status') ?? undefined,
      body: form.text('config.callbackAnswer.body'),
    },
    deduplicates: form.checked('config.deduplicates'),
  };
}

const fieldsOf = (form: FormValues, path: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, form.optional(`${path}.${name}`) ?? undefined]));
const optionalsOf = (form: FormValues, path: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, form.optional(`${path}.${name}`)]));

function authenticationOf(form: FormValues): object | undefined {
  const path = 'config.request.authentication';
  const kind = form.optional(`${path}.kind`);
  switch (kind) {
    case null:
      return undefined;
    case 'basic':
      return { kind, ...fieldsOf(form, path, ['user']) };
    case 'oauth2':
      return {
        kind,
        ...fieldsOf(form, path, ['tokenUrl', 'clientId', 'scope', 'audience', 'clientAuthentication']),
      };
    default:
      return { kind };
  }
}

function bodyOf(form: FormValues): object {
  const path = 'config.request.body';
  const kind = form.text(`${path}.kind`);
  if (kind === 'form') return { kind, fields: recordOf(form, `${path}.fields`) };
  if (kind !== 'json') return { kind };
  try {
    return { kind, template: JSON.parse(form.text(`${path}.template`)) as unknown };
  } catch {
    throw new ApiFailure(422, {
      code: 'invalid_fields',
      params: {},
      message: '',
      problems: [{ ...problem(`${path}.template`, 'gateway_json'), message: '' }],
      requestId: '',
    });
  }
}

function locatorOf(form: FormValues, path: string): object | null {
  switch (form.text(`${path}.in`)) {
    case 'json':
      return { in: 'json', path: form.text(`${path}.path`).trim() };
    case 'text':
      return { in: 'text', after: form.text(`${path}.after`), before: form.text(`${path}.before`) };
    case 'status':
      return { in: 'status' };
    default:
      return null;
  }
}

/** The document in its form: records as rows, the body as text. The values of secrets are never shown. */
export function gatewayDocument(config: HttpGatewayConfig) {
  const { body } = config.request;
  return {
    hasReceipts: config.receipts !== null,
    hasInbound: config.inbound !== null,
    config: {
      ...config,
      request: {
        ...config.request,
        headers: rowsOfRecord(config.request.headers),
        body: {
          kind: body.kind,
          ...(body.kind === 'form' ? { fields: rowsOfRecord(body.fields) } : {}),
          ...(body.kind === 'json' ? { template: JSON.stringify(body.template, null, 2) } : {}),
        },
      },
      answer: {
        messageId: config.answer.messageId ?? { in: 'none' },
        code: config.answer.code ?? { in: 'none' },
        codes: Object.entries(config.answer.codes).map(([name, meaning]) => ({ name, ...meaning })),
      },
      receipts: config.receipts && {
        ...config.receipts,
        statuses: rowsOfRecord(config.receipts.statuses),
        reasons: rowsOfRecord(config.receipts.reasons),
      },
    },
    secrets: { values: gatewaySecretNames(config).map((name) => ({ name, value: '' })) },
  };
}

/** The initial values of a new gateway. */
export const newGateway = {
  config: {
    kind: 'http',
    numbers: 'plus',
    request: { method: 'POST', body: { kind: 'json' } },
    answer: { messageId: { in: 'none' }, code: { in: 'none' } },
  },
};

const records = [
  ['config.request.headers', 'value'],
  ['config.request.body.fields', 'value'],
  ['config.answer.codes', 'means'],
  ['config.receipts.statuses', 'value'],
  ['config.receipts.reasons', 'value'],
  ['secrets.values', 'value'],
] as const;

/** The API names an entry of a record by its key; the form has it in a row. */
export const gatewayProblem = (form: FormValues, problem: AnsweredProblem): AnsweredProblem => {
  const record = records.find(([path]) => problem.field.startsWith(`${path}.`));
  if (!record) return problem;
  const [path, value] = record;
  const rest = problem.field.slice(path.length + 1);
  for (const row of rowsWith(form, path, 'name')) {
    const key = form.text(`${row}.name`).trim();
    if (rest === key) return { ...problem, field: `${row}.${value}` };
    if (rest.startsWith(`${key}.`)) return { ...problem, field: `${row}.${rest.slice(key.length + 1)}` };
  }
  return { ...problem, field: path };
};

export function GatewayFields() {
  const words = useWords(providerWords);
  const t = words.gateway;
  const start = useStarterWords();
  return (
    <>
      <TextField name="config.from" maxLength={64} help={start?.from ?? words.from.http} />
      <SelectField name="config.numbers" options={allOf(t.numbers)} />
      <div class="row">
        <TextField name="config.codings.gsm" class="col-6 mb-3" maxLength={30} placeholder="0" />
        <TextField name="config.codings.unicode" class="col-6 mb-3" maxLength={30} placeholder="2" />
      </div>
      <h3 class="section-title">{t.request}</h3>
      <p class="form-hint">{t.requestHelp}</p>
      <div class="row">
        <SelectField
          name="config.request.method"
          class="col-sm-3 mb-3"
          options={['POST', 'GET', 'PUT'].map((value) => ({ value, label: value }))}
        />
        <TextField name="config.request.url" class="col-sm-9 mb-3" required placeholder="https://" />
      </div>
      <AuthenticationFields />
      <RecordRows path="config.request.headers" title={t.headers} />
      <SelectField name="config.request.charset" options={allOf(t.charsets)} />
      <SelectField name="config.request.body.kind" options={allOf(t.bodies)} />
      <div data-when="config.request.body.kind=form">
        <RecordRows path="config.request.body.fields" title={t.fields} />
      </div>
      <div data-when="config.request.body.kind=json">
        <TextAreaField name="config.request.body.template" rows={8} />
      </div>
      <CheckField name="config.deduplicates" />
      <h3 class="section-title">{t.answer}</h3>
      <p class="form-hint">{t.answerHelp}</p>
      <LocatorFields path="config.answer.messageId" places={t.places} />
      <LocatorFields path="config.answer.code" places={{ ...t.places, status: t.statusPlace }} />
      <CodeRows />
      <h3 class="section-title">{t.receipts}</h3>
      <CheckField name="hasReceipts" />
      <div data-when="hasReceipts=true">
        <div class="row">
          <SelectField name="config.receipts.format" class="col-sm-6 mb-3" options={allOf(t.formats)} />
          {(['list', 'status', 'messageId', 'providerMessageId', 'code'] as const).map((name) => (
            <TextField
              key={name}
              name={`config.receipts.${name}`}
              class="col-sm-6 mb-3"
              maxLength={100}
              required={name === 'status'}
            />
          ))}
        </div>
        <RecordRows path="config.receipts.statuses" title={t.statuses} values={allOf(t.becomes)} />
        <RecordRows path="config.receipts.reasons" title={t.reasons} values={useReasons()} />
      </div>
      <h3 class="section-title">{t.inbound}</h3>
      <CheckField name="hasInbound" />
      <div data-when="hasInbound=true">
        <div class="row">
          <SelectField name="config.inbound.format" class="col-sm-6 mb-3" options={allOf(t.formats)} />
          {(['text', ...inboundOptionals] as const).map((name) => (
            <TextField
              key={name}
              name={`config.inbound.${name}`}
              class="col-sm-6 mb-3"
              maxLength={100}
              required={name === 'text'}
            />
          ))}
        </div>
      </div>
      <h3 class="section-title">{t.callbackAnswer}</h3>
      <p class="form-hint">{t.callbackAnswerHelp}</p>
      <div class="row">
        <TextField
          name="config.callbackAnswer.status"
          type="number"
          class="col-sm-4 mb-3"
          min={200}
          max={299}
          placeholder="204"
        />
        <TextField name="config.callbackAnswer.body" class="col-sm-8 mb-3" maxLength={500} />
      </div>
    </>
  );
}

/** Instructions for a form that began with a ready description. */
export function useStarterWords() {
  const words = useWords(starterWords);
  const name = starterName.safeParse(useValues().text('starter'));
  return name.success ? words[name.data] : null;
}

function AuthenticationFields() {
  const t = useWords(providerWords).gateway;
  const start = useStarterWords();
  const path = 'config.request.authentication';
  return (
    <>
      <SelectField name={`${path}.kind`} options={allOf(t.authentications)} />
      <div data-when={`${path}.kind=basic`}>
        <TextField
          name={`${path}.user`}
          required
          maxLength={255}
          help={start?.values['user'] ?? t.passwordHelp}
        />
      </div>
      <div data-when={`${path}.kind=oauth2`}>
        <TextField name={`${path}.tokenUrl`} type="url" required placeholder="https://" />
        <TextField name={`${path}.clientId`} required maxLength={255} help={t.clientSecretHelp} />
        <TextField name={`${path}.scope`} maxLength={1000} />
        <TextField name={`${path}.audience`} maxLength={1000} />
        <SelectField name={`${path}.clientAuthentication`} options={allOf(t.clientAuthentications)} />
      </div>
    </>
  );
}

/** The values of the templates' secrets, by their names. */
export function GatewaySecretRows({ stored }: { stored: boolean }) {
  const t = useWords(providerWords);
  const start = useStarterWords();
  const values = useValues();
  const labelOf = (path: string): { label?: string } => {
    const label = start?.values[values.text(`${path}.name`)];
    return label === undefined ? {} : { label };
  };
  return (
    <>
      <h3 class="form-label">{t.gateway.values}</h3>
      <p class="form-hint">
        {t.gateway.valuesHelp} {stored && t.stored}
      </p>
      <Rows name="secrets.values" label={t.gateway.values}>
        {(path) => (
          <>
            <TextField name={`${path}.name`} class="" maxLength={40} />
            <TextField
              name={`${path}.value`}
              class="edit-row-wide"
              type="password"
              autocomplete="new-password"
              {...labelOf(path)}
            />
          </>
        )}
      </Rows>
    </>
  );
}

type Choice = { value: string; label: string };
function useReasons(): Choice[] {
  const t = useWords(runWords);
  return labeled(failureReasons, t.reason);
}

/** A record as rows; without `values` the user enters them as text. */
function RecordRows({ path, title, values }: { path: string; title: string; values?: readonly Choice[] }) {
  return (
    <>
      <h4 class="form-label">{title}</h4>
      <Rows name={path} label={title}>
        {(row) => (
          <>
            <TextField name={`${row}.name`} class="" />
            {values ? (
              <SelectField name={`${row}.value`} class="edit-row-wide" options={values} />
            ) : (
              <TextField name={`${row}.value`} class="edit-row-wide" />
            )}
          </>
        )}
      </Rows>
    </>
  );
}

function CodeRows() {
  const t = useWords(providerWords).gateway;
  const reasons = useReasons();
  return (
    <>
      <h4 class="form-label">{t.codes}</h4>
      <p class="form-hint">{t.codesHelp}</p>
      <Rows name="config.answer.codes" label={t.codes}>
        {(row) => (
          <>
            <TextField name={`${row}.name`} class="edit-row-third" maxLength={60} />
            <SelectField name={`${row}.means`} class="edit-row-third" options={allOf(t.means)} />
            <SelectField name={`${row}.reason`} class="edit-row-third" options={reasons} empty="—" />
          </>
        )}
      </Rows>
    </>
  );
}

function LocatorFields({ path, places }: { path: string; places: Readonly<Record<string, string>> }) {
  return (
    <div class="row">
      <SelectField name={`${path}.in`} class="col-sm-6 mb-3" options={allOf(places)} />
      <div class="col-sm-6" data-when={`${path}.in=json`}>
        <TextField name={`${path}.path`} maxLength={100} />
      </div>
      <div class="col-sm-6" data-when={`${path}.in=text`}>
        <div class="row">
          <TextField name={`${path}.after`} class="col-6 mb-3" maxLength={60} />
          <TextField name={`${path}.before`} class="col-6 mb-3" maxLength={60} />
        </div>
      </div>
    </div>
  );
}
