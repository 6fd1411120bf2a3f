import { foldAttribute } from '../domain/webservice.ts';

/** An error that an answer with a success as its status reports in its body, in the shapes in use. */

/** What was found beside the records. Keys from the root on; a list's elements have its keys. */
export interface AnswerValue {
  keys: readonly string[];
  value: unknown;
}

export interface AnswerError {
  /** The attribute that shows it, as a dotted path. */
  path: string;
  /** The service's own words; null: it has none. */
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
/** Lists that tell of the answer, and hold no contacts: errors, notices, and the names of columns. */
const asideNames = names(
  ...['warnings', 'warning', 'avisos', 'alertas', 'notices', 'messages', 'mensagens', 'notifications'],
  ...['columns', 'colunas', 'cols', 'fields', 'campos', 'headers', 'cabecalho', 'cabecalhos', 'schema'],
  ...['filters', 'filtros', 'facets', 'sort', 'sorting', 'ordenacao', 'orderby'],
);

const isErrorName = (key: string): boolean => errorNames.has(foldAttribute(key));
/** Whether a list at these keys holds no contacts unless the campaign says so. */
export const isAsideList = (keys: readonly string[]): boolean =>
  keys.some(isErrorName) || asideNames.has(foldAttribute(keys.at(-1) ?? ''));

/** Whether the value at these keys may be a part of an error. */
export const tellsOfError = (keys: readonly string[]): boolean => {
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
 * The error that the values beside the records report; null for none. With records in the answer only what stands where
 * an answer speaks of itself counts (`isOfAnswer`): an object `resumo` with `erros: 3` in it may tell of something else.
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
    // How many there were of what was done before: `erros: 3` beside contacts.
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

/** `{"code": 0, "message": "OK"}` under `error` is none. */
const isGoodCode = ({ keys, value }: AnswerValue): boolean =>
  codeNames.has(foldAttribute(keys.at(-1) ?? '')) && /^(?:0+|200|ok)$/i.test(String(value));

/** An element that is taken for a record at first, and is an error: an array of them is how some services report one. */
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

/** The texts of an error, in its own order: at most three, and not too long. */
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

/** The texts of an answer without records that reports no error: what it says instead of them. */
export const messageOf = (values: readonly AnswerValue[]): string | null =>
  wordsOf(
    values.filter(
      ({ keys, value }) => typeof value === 'string' && messageNames.has(foldAttribute(keys.at(-1) ?? '')),
    ),
  );

/** Phones, documents, mail addresses and keys that a service repeats in its words, left out. */
export const withoutPersonalData = (words: string): string =>
  words
    .replaceAll(/[^\s@<>"'(),;]+@[^\s@<>"'(),;]+/g, '…')
    .replaceAll(/\d(?:[ .()/-]?\d){6,}/g, '…')
    .replaceAll(/(?=[\w+/=.-]*\d)[\w+/=.-]{20,}/g, '…');
