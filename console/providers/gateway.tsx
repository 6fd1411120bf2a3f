import {
  gatewayBody,
  gatewaySecretNames,
  httpGatewayFields,
  type HttpGatewayConfig,
} from '../../domain/http-gateway.ts';
import { failureReasons } from '../../domain/message.ts';
import { problem } from '../../domain/problems/coded.ts';
import { configSchemaOf } from '../../domain/provider.ts';
import { refusalOf } from '../kit/api.ts';
import { allOf, CheckField, labeled, SelectField, TextAreaField, TextField } from '../kit/fields.tsx';
import type { FormValues } from '../kit/form-data.ts';
import { useValues } from '../kit/form.tsx';
import { starterWords } from './starter-words.ts';
import { starterName } from './starters.ts';
import { providerWords } from './words.ts';
import { runs as runWords } from '../runs/words.ts';
import { Rows } from '../kit/rows.tsx';
import { readForm, withRows } from '../kit/schema-form.ts';
import { useWords } from '../kit/view.tsx';

/** The form of a gateway that is described instead of programmed (domain/http-gateway.ts). */

/** The form's gateway in the API's format. Throws `ApiFailure` for a body that is not JSON. */
export function gatewayOf(form: FormValues): object {
  const sent = (['receipts', 'inbound'] as const)
    .filter((part) => !form.checked(switchOf[part]))
    .reduce((rest, part) => rest.without(`config.${part}`), form);
  const config = readForm(configSchemaOf('http'), sent, 'config');
  const body = readForm(gatewayBody, form, bodyPath);
  if (body.kind !== 'json') return config;
  const request = readForm(httpGatewayFields.request, form, 'config.request');
  return { ...config, request: { ...request, body: { ...body, template: jsonOf(form) } } };
}

/** The switches of the parts that a gateway may lack. */
const switchOf = { receipts: 'hasReceipts', inbound: 'hasInbound' } as const;
const bodyPath = 'config.request.body';

function jsonOf(form: FormValues): unknown {
  const path = `${bodyPath}.template`;
  try {
    return JSON.parse(form.text(path));
  } catch {
    throw refusalOf(422, 'invalid_fields', {
      problems: [{ ...problem(path, 'gateway_json'), message: '' }],
    });
  }
}

/** The document in its form: the body as text. The values of secrets are never shown. */
export function gatewayDocument(config: HttpGatewayConfig) {
  const { request } = config;
  const body =
    request.body.kind === 'json'
      ? { ...request.body, template: JSON.stringify(request.body.template, null, 2) }
      : request.body;
  return {
    hasReceipts: config.receipts !== null,
    hasInbound: config.inbound !== null,
    config: withRows(configSchemaOf('http'), { ...config, request: { ...request, body } }),
    secrets: { values: gatewaySecretNames(config).map((name) => ({ name, value: '' })) },
  };
}

/** The initial values of a new gateway. */
export const newGateway = {
  config: { numbers: 'plus', request: { method: 'POST', body: { kind: 'json' } } },
};

const inboundFields = [
  'text',
  'from',
  'id',
  'to',
  'messageId',
  'providerMessageId',
  'hex',
  'coding',
  'list',
] as const;

export function GatewayFields() {
  const words = useWords(providerWords);
  const t = words.gateway;
  const start = useStarterWords();
  return (
    <>
      <TextField name="config.from" help={start?.from ?? words.from.http} />
      <SelectField name="config.numbers" options={allOf(t.numbers)} />
      <div class="row">
        <TextField name="config.codings.gsm" class="col-6 mb-3" placeholder="0" />
        <TextField name="config.codings.unicode" class="col-6 mb-3" placeholder="2" />
      </div>
      <h3 class="section-title">{t.request}</h3>
      <p class="form-hint">{t.requestHelp}</p>
      <div class="row">
        <SelectField
          name="config.request.method"
          class="col-sm-3 mb-3"
          options={['POST', 'GET', 'PUT'].map((value) => ({ value, label: value }))}
        />
        <TextField name="config.request.url" class="col-sm-9 mb-3" placeholder="https://" />
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
          {['list', 'status', 'messageId', 'providerMessageId', 'code'].map((name) => (
            <TextField key={name} name={`config.receipts.${name}`} class="col-sm-6 mb-3" />
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
          {inboundFields.map((name) => (
            <TextField key={name} name={`config.inbound.${name}`} class="col-sm-6 mb-3" />
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
          placeholder="204"
        />
        <TextField name="config.callbackAnswer.body" class="col-sm-8 mb-3" />
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
        <TextField name={`${path}.user`} help={start?.values['user'] ?? t.passwordHelp} />
      </div>
      <div data-when={`${path}.kind=oauth2`}>
        <TextField name={`${path}.tokenUrl`} type="url" placeholder="https://" />
        <TextField name={`${path}.clientId`} help={t.clientSecretHelp} />
        <TextField name={`${path}.scope`} />
        <TextField name={`${path}.audience`} />
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
            <SelectField name={`${row}.value.means`} class="edit-row-third" options={allOf(t.means)} />
            <SelectField name={`${row}.value.reason`} class="edit-row-third" options={reasons} empty="—" />
          </>
        )}
      </Rows>
    </>
  );
}

function LocatorFields({ path, places }: { path: string; places: Readonly<Record<string, string>> }) {
  const t = useWords(providerWords).gateway;
  return (
    <div class="row">
      <SelectField
        name={`${path}.in`}
        class="col-sm-6 mb-3"
        options={allOf(places)}
        empty={t.noPlace}
        required={false}
      />
      <div class="col-sm-6" data-when={`${path}.in=json`}>
        <TextField name={`${path}.path`} />
      </div>
      <div class="col-sm-6" data-when={`${path}.in=text`}>
        <div class="row">
          <TextField name={`${path}.after`} class="col-6 mb-3" />
          <TextField name={`${path}.before`} class="col-6 mb-3" />
        </div>
      </div>
    </div>
  );
}
