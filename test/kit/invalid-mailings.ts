import { gzipSync } from 'node:zlib';
import type { ProblemCode } from '../../domain/problems/coded.ts';
import { bytes, json as jsonAnswer, type startWebservice } from './webservice.ts';

export const header = 'codigo;nome;celular;telefone;telefone2;data_nascimento;mensagem';

/** Files that are rejected as a whole, each for another reason. */
export const invalidFiles: readonly (string | Buffer)[] = [
  '',
  `${header}\n`,
  'PK\u0003\u0004',
  '%PDF-1.7',
  'a\0b',
  `${header.replace('nome;', '')}\n1;2\n`,
  `${header};cor\n1;A;11900000000;;;;;x\n`,
  `${header};nome\n1;A;11900000000;;;;;x\n`,
  `${header}\r1;A;11900000000;;;;\r`,
  `"${header}\n1;A;11900000000;;;;\n`,
  `${header}\n1;${'x'.repeat(2_000_000)};11900000000;;;;\n`,
  Buffer.concat([Buffer.from(`${header}\n2;`), Buffer.from([0x81, 0x8d, 0x0a])]),
];

/** Lines of a file with the extra field `valor`, a required number, each with another problem. */
export const invalidLines: readonly string[] = [
  '1;A;;;;;;1',
  '2;A;123;;;;;1',
  '3;A;1130000001;;;;;1',
  '4;A;11900000001;;;;;1',
  '5;A;11900000001;;;;;1',
  '66;A;11900000066;;;;;1',
  '7;A;11900000055;;;;;1',
  `8;${'x'.repeat(110)};11900000008;;;;${'ç'.repeat(200)};1`,
  '9;A;11900000009;;;;;',
  '10;A;11900000010;;;31/31/1990;{tag};x',
  `11;${'x'.repeat(121)};11900000011 / 11900000012;;;;;1`,
  '1,2E+14;A;1187654321;;;;;1',
  '77;A;11900000099;;;;;1',
  '14;A;11900000014;;;;;1;beyond',
  '15;"A"x;11900000015;;;;;1',
  '16;A\ufffd;11900000016;;;;;1',
  '17;;11900000017;;;; ;1',
];

const jsonType = { 'content-type': 'application/json' };
type Handler = Parameters<Awaited<ReturnType<typeof startWebservice>>['answer']>[0];

/** Responses of a web service that are rejected, with the code of their problem. */
export const badResponses: readonly (readonly [ProblemCode, Handler])[] = [
  ['server_error', bytes('', {}, 500)],
  ['too_many_requests', bytes('', {}, 429)],
  ['unauthorized', bytes('', {}, 401)],
  ['forbidden', bytes('', {}, 403)],
  ['address_not_found', bytes('', {}, 404)],
  ['request_refused', bytes('', {}, 422)],
  ['status_unexpected', bytes('', {}, 206)],
  ['too_many_redirects', bytes('', { location: '/contacts' }, 302)],
  ['redirect_broken', bytes('', {}, 302)],
  ['too_large', jsonAnswer(Array.from({ length: 2_000 }, () => ({ codigo: 'x'.repeat(100) })))],
  ['compression_broken', bytes('not gzip', { ...jsonType, 'content-encoding': 'gzip' })],
  ['compression_unknown', bytes('x', { ...jsonType, 'content-encoding': 'zstd' })],
  ['answer_encoding', bytes(Buffer.from('[]', 'utf16le'), jsonType)],
  ['html', bytes('<html>', { 'content-type': 'text/html' })],
  ['empty_answer', bytes('', jsonType)],
  ['not_json', bytes('[{"codigo": }]', jsonType)],
  ['cut_off', bytes(gzipSync('[{"codigo": 1'), { ...jsonType, 'content-encoding': 'gzip' })],
  ['too_deep', bytes('['.repeat(30), jsonType)],
  ['record_too_large', jsonAnswer([{ codigo: 'x'.repeat(5_000) }])],
  ['no_records', jsonAnswer({ a: 1 })],
  ['records_ambiguous', jsonAnswer({ a: [{ codigo: 1 }], b: [{ codigo: 1 }] })],
  ['not_records', jsonAnswer(['a', 'b'])],
  ['service_error', jsonAnswer({ success: false, message: 'Sem acesso' })],
];
