import { foldAttribute } from '../domain/webservice.ts';

/** Detects an error in the body of an answer with a success status, in the formats in use. */

/** A value found beside the records. Keys from the root; elements of a list have the keys of the list. */
export interface AnswerValue {
  keys: readonly string[];
  value: unknown;
}

export interface AnswerError {
  /** The dotted path of the attribute. */
  path: string;
  /** The service's own words; null: none. */
  words: string | null;
}

const names = (...all: string[]): ReadonlySet<string> => new Set(all);
const errorNames = names(
  ...[
    'error',
    'errors',
    'erro',
    'erros',
    'err',
    'fault',
    'falha',
    'falhas',
    'exception',
    'exceptions',
    'excecao',
  ],
  ...['faultstring', 'faultcode', 'errormessage', 'errormessages', 'errormsg', 'errmsg', 'errordescription'],
  ...[
    'errordetail',
    'errordetails',
    'errorlist',
    'exceptionmessage',
    'mensagemerro',
    'mensagemdeerro',
    'msgerro',
  ],
  ...['mensagenserro', 'mensagensdeerro', 'descricaoerro', 'descricaodoerro', 'erromensagem', 'erromsg'],
  ...[
    'listaerros',
    'listadeerros',
    'errorcode',
    'errcode',
    'errorcodes',
    'codigoerro',
    'codigodoerro',
    'coderro',
  ],
  ...[
    'haserror',
    'haserrors',
    'iserror',
    'temerro',
    'temerros',
    'houveerro',
    'possuierro',
    'soap:fault',
    'soapenv:fault',
    's:fault',
  ],
);
const successNames = names(
  ...['success', 'successful', 'succeeded', 'issuccess', 'issuccessful', 'sucesso', 'ok', 'isok', 'status'],
);
const statusNames = names(
  ...['status', 'statuscode', 'httpstatus', 'httpstatuscode', 'httpcode', 'statusprocessamento', 'situacao'],
  ...['result', 'resultado', 'type', 'tipo', 'retorno', 'code', 'codigo'],
);
const codeNames = names(
  'code',
  'codigo',
  'cod',
  'number',
  'numero',
  'id',
  'status',
  'errorcode',
  'errcode',
  'codigoerro',
);
const messageNames = names(
  ...[
    'message',
    'messages',
    'mensagem',
    'mensagens',
    'msg',
    'detail',
    'details',
    'detalhe',
    'detalhes',
    'reason',
  ],
  ...[
    'motivo',
    'title',
    'titulo',
    'description',
    'descricao',
    'texto',
    'text',
    'errormessage',
    'errormsg',
    'errmsg',
  ],
  ...['faultstring', 'errordescription', 'exceptionmessage', 'mensagemerro', 'mensagemdeerro', 'msgerro'],
  ...[
    'descricaoerro',
    'descricaodoerro',
    'erromensagem',
    'erro',
    'error',
    'statusmessage',
    'statusdescription',
  ],
);
/** Lists about the answer that contain no contacts: errors, notices, and column names. */
const asideNames = names(
  ...['warnings', 'warning', 'avisos', 'alertas', 'notices', 'messages', 'mensagens', 'notifications'],
  ...['columns', 'colunas', 'cols', 'fields', 'campos', 'headers', 'cabecalho', 'cabecalhos', 'schema'],
  ...['filters', 'filtros', 'facets', 'sort', 'sorting', 'ordenacao', 'orderby'],
);

const isErrorName = (key: string): boolean => errorNames.has(foldAttribute(key));
/** Whether a list at these keys contains no contacts, unless the campaign names it. */
export const isAsideList = (keys: readonly string[]): boolean =>
  keys.some(isErrorName) || asideNames.has(foldAttribute(keys.at(-1) ?? ''));

/** Whether the value at these keys may be part of an error. */
export const reportsError = (keys: readonly string[]): boolean => {
  const last = foldAttribute(keys.at(-1) ?? '');
  return keys.some(isErrorName) || successNames.has(last) || statusNames.has(last) || messageNames.has(last);
};

const isNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  value === 0 ||
  (typeof value === 'string' &&
    /^(?:|0+|false|n|nao|não|no|none|null|nenhum|nenhuma|ok|success|sucesso|sem erros?|no errors?)\.?$/i.test(
      value.trim(),
    )) ||
  (typeof value === 'object' && Object.values(value).every(isNothing));
const isFailureWord = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^(?:errors?|erros?|fail|failed|failure|falha|falhou|nok|not ok|exception|denied|unauthorized|forbidden|negado)$/i.test(
    value.trim(),
  );
const isFailureStatus = (value: unknown): boolean => /^[45]\d\d$/.test(String(value));
const isNo = (value: unknown): boolean =>
  value === false ||
  value === 0 ||
  (typeof value === 'string' && /^(?:false|0|n|nao|não|no)$/i.test(value.trim()));

/**
 * The error that the values beside the records report; null for none. If the answer has records, only values at the
 * places that describe the answer itself count (`isOfAnswer`): an object `resumo` with `erros: 3` may describe
 * something else.
 */
export function answerErrorOf(
  values: readonly AnswerValue[],
  { records, isOfAnswer }: { records: number; isOfAnswer: (parents: readonly string[]) => boolean },
): AnswerError | null {
  const hasRecords = records > 0;
  const found = (keys: readonly string[], of: readonly AnswerValue[]): AnswerError => ({
    path: keys.join('.'),
    words:
      wordsOf(of) ??
      wordsOf(values.filter(({ keys }) => keys.some(isErrorName))) ??
      wordsOf(values.filter(({ keys }) => messageNames.has(foldAttribute(keys.at(-1) ?? '')))),
  });
  for (const { keys, value } of values) {
    const at = keys.findIndex(isErrorName);
    if (at === -1 || (hasRecords && !isOfAnswer(keys.slice(0, at)))) continue;
    const error = keys.slice(0, at + 1);
    const parts = values.filter(({ keys: others }) => error.every((key, index) => others[index] === key));
    if (isNothing(value) || parts.some(isGoodCode)) continue;
    // A number of earlier errors: `erros: 3` beside contacts.
    if (hasRecords && typeof value === 'number' && /s$/.test(foldAttribute(keys.at(-1) ?? ''))) continue;
    return found(error, parts);
  }
  for (const { keys, value } of values) {
    const name = foldAttribute(keys.at(-1) ?? '');
    if (hasRecords && !isOfAnswer(keys.slice(0, -1))) continue;
    const isPlainCode = name === 'code' || name === 'codigo';
    if (
      (successNames.has(name) && isNo(value) && !(name === 'status' && value !== false)) ||
      (statusNames.has(name) && isFailureWord(value)) ||
      (statusNames.has(name) && isFailureStatus(value) && !(hasRecords && isPlainCode))
    ) {
      return found(keys, []);
    }
  }
  return null;
}

/** `{"code": 0, "message": "OK"}` under `error` is not an error. */
const isGoodCode = ({ keys, value }: AnswerValue): boolean =>
  codeNames.has(foldAttribute(keys.at(-1) ?? '')) && /^(?:0+|200|ok)$/i.test(String(value));

/** An element that is an error instead of a record: some services report errors as an array. */
export function elementError(element: unknown): string | null {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return null;
  const keys = Object.keys(element).map(foldAttribute);
  const isOther = (key: string): boolean =>
    !errorNames.has(key) && !messageNames.has(key) && !codeNames.has(key) && !asideNames.has(key);
  const values = Object.entries(element).map(([key, value]) => ({ keys: [key], value: value as unknown }));
  if (!keys.some((key) => errorNames.has(key)) || keys.some(isOther)) return null;
  const error = answerErrorOf(values, { records: 0, isOfAnswer: () => true });
  return error && (error.words ?? error.path);
}

const longestWords = 300;

/** The texts of an error, in order: at most three, and of limited length. */
function wordsOf(values: readonly AnswerValue[]): string | null {
  const texts = new Set<string>();
  const add = (value: unknown, name: string, depth: number): void => {
    if (texts.size >= 3 || depth > 4) return;
    if (typeof value === 'string') {
      const text = value.replaceAll(/\s+/g, ' ').trim();
      if (text !== '' && !isNothing(text) && (!codeNames.has(name) || messageNames.has(name)))
        texts.add(text);
    } else if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      const spoken = entries.filter(([key]) => messageNames.has(foldAttribute(key)));
      for (const [key, inner] of spoken.length > 0 ? spoken : entries)
        add(inner, foldAttribute(key), depth + 1);
    }
  };
  const ofMessages = values.filter(({ keys }) => messageNames.has(foldAttribute(keys.at(-1) ?? '')));
  for (const { keys, value } of ofMessages.length > 0 ? ofMessages : values)
    add(value, foldAttribute(keys.at(-1) ?? ''), 0);
  if (texts.size === 0) return null;
  const words = [...texts].join('; ');
  return words.length > longestWords ? `${words.slice(0, longestWords)}…` : words;
}

/** The texts of an answer without records that reports no error. */
export const messageOf = (values: readonly AnswerValue[]): string | null =>
  wordsOf(
    values.filter(
      ({ keys, value }) => typeof value === 'string' && messageNames.has(foldAttribute(keys.at(-1) ?? '')),
    ),
  );

/** The same for an answer with an empty list, if a text reports a failure: `token inválido`. */
export function failureMessageOf(values: readonly AnswerValue[]): string | null {
  const words = messageOf(values);
  return words !== null && failing.test(words) && !/sem erros?|no errors?/i.test(words) ? words : null;
}

const failing =
  /inv[aá]lid|expir(?:ad|ou|ed)|negad|denied|n[aã]o autorizad|unauthori[sz]ed|forbidden|proibid|(?<!\p{L})(?:erro|error)(?!\p{L})|falh(?:a|ou)|fail(?:ed|ure)|exced|exceeded|bloquead|indispon[ií]vel|unavailable/iu;

/** Removes phones, documents, mail addresses and keys that a service repeats in its words. */
export const withoutPersonalData = (words: string): string =>
  words
    .replaceAll(/[^\s@<>"'(),;]+@[^\s@<>"'(),;]+/g, '…')
    .replaceAll(/\d(?:[ .()/-]?\d){6,}/g, '…')
    .replaceAll(/(?=[\w+/=.-]*\d)[\w+/=.-]{20,}/g, '…');
